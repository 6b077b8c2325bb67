/**
 * `POST /v1/kserve`: copies of inferences from KServe's logger. It can send no header of ours, so where tokens are needed it carries one
 * with the scope `events:write` as the last segment of its path. Answers 200: the logger takes anything else for an error.
 */
import { HttpProblem } from '../../contracts/http-problem.ts';
import { answerOf, type Collector, Ticket } from '../../pipeline/collector.ts';
import { queueFull, refusalOf } from '../../pipeline/ingest.ts';
import type { KServeReader } from '../../pipeline/kserve.ts';
import { readBytes } from './request-body.ts';
import type { Context, Route } from './router.ts';
import type { Tokens } from './tokens.ts';

export interface KServeRouteOptions {
  readonly collector: Collector;
  readonly reader: KServeReader;
  /** `null`: whoever reaches the server may send. */
  readonly tokens: Tokens | null;
}

export function kserveRoutes(options: KServeRouteOptions): Route[] {
  return [
    { method: 'POST', path: '/v1/kserve', scope: 'events:write', handle: (context) => take(options, context) },
    {
      method: 'POST',
      path: '/v1/kserve/:token',
      scope: null,
      handle: async (context) => {
        const identity = options.tokens?.identify(`Bearer ${context.params['token']}`);
        // Whoever guesses is not told that there is anything to guess.
        if (identity !== undefined && !(identity?.scopes.has('events:write') ?? false))
          throw new HttpProblem(404, 'no-such-path', 'there is nothing here; GET /openapi.json lists what is');
        await take(options, context);
      },
    },
  ];
}

async function take({ collector, reader }: KServeRouteOptions, { request, head, json }: Context): Promise<void> {
  if (collector.full) {
    collector.counters.shed.queue_full++;
    throw queueFull();
  }
  const body = await readBytes(request, head);
  const ticket = await new Promise<Ticket>((resolve, reject) => {
    const taken = new Ticket(null, 'kserve', (done, failure) => {
      const refusal = failure === null ? null : refusalOf(done, failure);
      if (refusal === null) resolve(done);
      else reject(refusal);
    });
    reader.take(taken, request.rawHeaders, body);
    collector.submit(taken);
  });
  await json(answerOf(ticket));
}
