/** What machines ask of the platform itself: metrics, liveness, readiness. */
import { CONTENT_TYPE } from '../../adapters/prometheus/exposition.ts';
import { HttpProblem } from '../../contracts/http-problem.ts';
import type { Route } from './router.ts';

export interface OperationOptions {
  /** The exposition, fresh. */
  readonly metrics: () => Promise<string>;
  /** Why the server should get no traffic; `null` when it should. */
  readonly notReady: () => string | null;
}

export function operationRoutes({ metrics, notReady }: OperationOptions): Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      scope: 'read',
      handle: async (context) =>
        context.send({ type: CONTENT_TYPE, body: Buffer.from(await metrics()), cache: 'no-store' }),
    },
    {
      // The event loop turns: nothing else is asked, so that a failing store restarts nobody.
      method: 'GET',
      path: '/healthz',
      scope: null,
      handle: (context) => context.json({ status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      scope: null,
      handle: async (context) => {
        const reason = notReady();
        if (reason !== null) throw new HttpProblem(503, 'not-ready', reason, { headers: ['Retry-After', '5'] });
        await context.json({ status: 'ready' });
      },
    },
  ];
}
