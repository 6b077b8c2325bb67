/**
 * The collector behind a Function URL or an HTTP API: finds out who sends, reads the request as the server of one machine does, and
 * answers when all of it is durable.
 */
import { PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import { asHttpProblem, HttpProblem } from '../../lib/contracts/http-problem.ts';
import { answerOf, type Collector, Ticket } from '../../lib/pipeline/collector.ts';
import { formatOf, ingestMode, queueFull, refusalOf, takeBody } from '../../lib/pipeline/ingest.ts';
import type { Clock } from '../../lib/pipeline/ports.ts';
import { BODY_LIMIT, decoded, decompressed, tooLarge } from '../../lib/pipeline/request-body.ts';
import type { PublishedBindings } from '../../lib/pipeline/sender-rights.ts';
import { type Measured, writeMetrics } from '../embedded-metrics.ts';
import {
  bodyOf,
  type HttpAnswer,
  type HttpEvent,
  headerOf,
  jsonAnswer,
  pathOf,
  problemAnswer,
  rawHeadersOf,
} from '../http-event.ts';
import { failureFields, type Log } from '../log.ts';
import type { KServeDoor } from './kserve-door.ts';
import { type CollectorAuth, principalOf } from './principal.ts';

export interface CollectorParts {
  readonly collector: Collector;
  /** Brings what the collector stands on up to date: monitors, policy key. */
  readonly refresh: () => Promise<void>;
  readonly auth: CollectorAuth;
  readonly bindings: PublishedBindings;
  /** `null`: KServe has no way in. */
  readonly kserve: KServeDoor | null;
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

const KSERVE = '/v1/kserve/';

export function collectorHandler(parts: CollectorParts): (event: HttpEvent) => Promise<HttpAnswer> {
  return async (event) => {
    const log = parts.log.for(event.requestContext.requestId);
    try {
      const path = pathOf(event);
      const { method } = event.requestContext.http;
      if (path.startsWith(KSERVE)) return await fromKServe(parts, event, { method, secret: path.slice(KSERVE.length) });
      if (path !== '/v1/events' && path !== '/v1/labels') throw nothingHere();
      if (method !== 'POST')
        throw new HttpProblem(405, 'method', `${method.slice(0, 20)} is not for ${path}; expected POST`, {
          headers: ['Allow', 'POST'],
        });
      return await fromSender(parts, event, { labelsOnly: path === '/v1/labels', log });
    } catch (error) {
      const problem = asHttpProblem(error);
      const { status, type } = problem.document;
      if (status >= 500) log.error('the request failed', { status, ...failureFields(error) });
      else log.info('the request was refused', { status, problem: type });
      // What went wrong inside is for the log, not for the sender.
      return problemAnswer(
        status === 500 ? new HttpProblem(500, 'internal', 'an unexpected failure; send the request again') : problem,
      );
    }
  };
}

async function fromSender(
  parts: CollectorParts,
  event: HttpEvent,
  { labelsOnly, log }: { readonly labelsOnly: boolean; readonly log: Log },
): Promise<HttpAnswer> {
  const { collector } = parts;
  const principal = principalOf(event, parts.auth);
  await ready(parts);
  const rights = await parts.bindings.rightsOf(principal);
  const mayInfer = !labelsOnly && !rights.infersNothing;
  if (!mayInfer && rights.labelsNothing) {
    log.warn('a sender without rights', { principal });
    const wanted = labelsOnly ? 'labels' : 'events';
    throw new HttpProblem(
      403,
      'scope',
      `the sender may send ${wanted} of no model; grant it where the platform is defined`,
    );
  }
  const headers = rawHeadersOf(event);
  const mode = ingestMode(headerOf(event, 'content-type'), labelsOnly, headers);
  const body = await decompressed(bodyOf(event), headerOf(event, 'content-encoding'));
  if (body.length > BODY_LIMIT) throw tooLarge();
  const text = decoded(body);
  const ticket = await settled(collector, (settle) => {
    const taken = new Ticket(null, formatOf(mode), settle);
    taken.mayInfer = mayInfer;
    taken.rights = rights;
    taken.ascii = text.length === body.length;
    takeBody(collector, taken, { mode, text, headers });
    return taken;
  });
  tell(parts, ticket);
  if (ticket.forbidden > 0)
    log.warn('events of models that the sender is not bound to', { principal, events: ticket.forbidden });
  const refusal = refusalOf(ticket, null);
  if (refusal !== null) throw refusal;
  log.debug('events taken', { accepted: ticket.accepted, quarantined: ticket.quarantined });
  return jsonAnswer(202, answerOf(ticket));
}

/** 200 to whatever was durable, quarantine included: KServe's logger takes anything else for an error and drops the event all the same. */
async function fromKServe(
  parts: CollectorParts,
  event: HttpEvent,
  { method, secret }: { readonly method: string; readonly secret: string },
): Promise<HttpAnswer> {
  // Without the secret nothing is told, not even that there is such a door.
  if (method !== 'POST' || parts.kserve === null || !(await parts.kserve.opensTo(secret))) throw nothingHere();
  await ready(parts);
  const body = await decompressed(bodyOf(event), headerOf(event, 'content-encoding'));
  const ticket = await settled(parts.collector, (settle) =>
    parts.kserve!.take(new Ticket(null, 'kserve', settle), rawHeadersOf(event), body),
  );
  tell(parts, ticket);
  return jsonAnswer(200, answerOf(ticket));
}

/** @throws HttpProblem 429, 503 */
async function ready({ collector, refresh }: CollectorParts): Promise<void> {
  if (collector.full) {
    collector.counters.shed.queue_full++;
    throw queueFull();
  }
  try {
    await refresh();
  } catch (error) {
    throw new HttpProblem(
      503,
      'not-ready',
      'what events are checked by could not be read; send the request again later',
      {
        headers: ['Retry-After', '5'],
        cause: error,
      },
    );
  }
}

/** Hands one ticket over and waits until all of it is durable. @throws HttpProblem 503 */
function settled(
  collector: Collector,
  make: (settle: (ticket: Ticket, failure: Error | null) => void) => Ticket,
): Promise<Ticket> {
  return new Promise((resolve, reject) => {
    const ticket = make((done, failure) => {
      const refusal = failure === null ? null : refusalOf(done, failure);
      if (refusal !== null) reject(refusal);
      else resolve(done);
    });
    collector.submit(ticket);
  });
}

function tell({ environment, clock, write }: CollectorParts, { accepted, quarantined }: Ticket): void {
  const measured: Measured[] = [
    { metric: PLATFORM_CLOUDWATCH_METRIC.receivedEvents, value: accepted },
    { metric: PLATFORM_CLOUDWATCH_METRIC.rejectedEvents, value: quarantined },
  ];
  writeMetrics(measured, { environment, now: clock.now(), write });
}

function nothingHere(): HttpProblem {
  return new HttpProblem(404, 'no-such-path', 'there is nothing here; expected POST /v1/events or /v1/labels');
}
