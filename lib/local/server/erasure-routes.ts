/** Requests to erase predictions. What was erased is audited by the eraser. */
import { durationMs } from '../../contracts/duration.ts';
import { ERASURE_REMEMBERED } from '../../contracts/erasure.ts';
import type { Eraser } from '../../pipeline/eraser.ts';
import { decider, parsed } from './change-routes.ts';
import { eraseSchema } from './change-schemas.ts';
import { readBody } from './request-body.ts';
import type { Route } from './router.ts';

export function erasureRoutes(eraser: Eraser): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/erasures',
      scope: 'read',
      handle: async (context) => context.json({ requests: await eraser.remembered() }),
    },
    {
      method: 'POST',
      path: '/api/erasures',
      scope: 'admin',
      handle: async (context) => {
        const { model, ids, remember, dryRun, by } = await parsed(context, eraseSchema);
        const rememberMs = durationMs(remember ?? ERASURE_REMEMBERED);
        await context.json(await eraser.erase({ model, ids, rememberMs, dryRun, by: decider(context, by) }));
      },
    },
    {
      method: 'POST',
      path: '/api/erasures/again',
      scope: 'admin',
      handle: async (context) => {
        await readBody(context.request, context.head);
        await context.json({ report: await eraser.again() });
      },
    },
  ];
}
