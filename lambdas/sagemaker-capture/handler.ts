/** Files of SageMaker Data Capture onto the stream: read as a stream, sent in parts, each marked when it is durable. */
import { createHash } from 'node:crypto';
import { PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { SageMakerSource } from '../../lib/contracts/sagemaker.ts';
import { type Collector, Ticket } from '../../lib/pipeline/collector.ts';
import { NO_ENVELOPE } from '../../lib/pipeline/event-line.ts';
import { FileProgress } from '../../lib/pipeline/file-progress.ts';
import type { Clock, ObjectStore } from '../../lib/pipeline/ports.ts';
import type { Registry } from '../../lib/pipeline/registry.ts';
import { type CaptureContext, captureEvents, captureFile, sourceOf } from '../../lib/pipeline/sagemaker-capture.ts';
import { textLines } from '../../lib/pipeline/text-lines.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import { failureFields, type Log } from '../log.ts';
import { type CreatedObject, notifiedObjects } from './notifications.ts';

export interface CaptureParts {
  readonly collector: Collector;
  readonly registry: Registry;
  /** Brings what the collector stands on up to date: monitors, policy key. */
  readonly refresh: () => Promise<void>;
  readonly sources: readonly SageMakerSource[];
  readonly store: ObjectStore;
  /** The bytes of an object of the capture's bucket; `null` when it is gone. */
  readonly open: (object: CreatedObject) => Promise<AsyncIterable<Uint8Array> | null>;
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

export interface QueueAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** Lines, or bytes, after which a part is sent. */
const PART = { lines: 1_000, bytes: 4_194_304 } as const;
/** A captured payload has at most 6 MB on either side, more as base64. */
const LONGEST_LINE = 20_971_520;
/** A part takes seconds. */
const CLAIM_MS = 120_000;

export function captureHandler(
  parts: CaptureParts,
): (event: unknown, context?: { readonly awsRequestId?: string }) => Promise<QueueAnswer> {
  return async (event, context) => {
    const log = parts.log.for(context?.awsRequestId ?? '');
    const failed: { itemIdentifier: string }[] = [];
    await parts.refresh();
    for (const { messageId, objects } of notifiedObjects(event)) {
      try {
        for (const object of objects) await readFile(parts, object, log);
      } catch (error) {
        log.error('a file of the capture was not read to its end', failureFields(error));
        // Without a queue the whole invocation is made again; what is marked is passed over.
        if (messageId === null) throw error;
        failed.push({ itemIdentifier: messageId });
      }
    }
    return { batchItemFailures: failed };
  };
}

async function readFile(parts: CaptureParts, object: CreatedObject, log: Log): Promise<void> {
  const { collector, store, clock } = parts;
  const file = captureFile(object.key);
  const source = file === null ? null : sourceOf(parts.sources, file);
  if (file === null || source === null) {
    log.debug('not a file of a mapped endpoint');
    return;
  }
  const digest = createHash('sha256')
    .update(JSON.stringify([object.bucket, object.key, object.etag]))
    .digest('hex');
  const progress = await FileProgress.claim({ store, clock, key: keys.captureFile(digest), claimMs: CLAIM_MS });
  if (progress === null) return;
  try {
    const pieces = await parts.open(object);
    if (pieces === null) {
      log.warn('a file of the capture is gone', { endpoint: source.endpoint });
      await progress.release();
      return;
    }
    const context = contextOf(parts, source, file.variant);
    let line = 0;
    let accepted = 0;
    let quarantined = 0;
    let part = new Part();
    const send = async (done: boolean): Promise<void> => {
      const ticket = await part.durable(collector, context);
      part = new Part();
      accepted += ticket.accepted;
      quarantined += ticket.quarantined;
      await progress.reach(line, done);
    };
    for await (const { bytes, whole } of textLines(pieces, LONGEST_LINE)) {
      line++;
      if (line <= progress.lines) continue;
      part.add(whole ? bytes : null);
      if (part.lines >= PART.lines || part.bytes >= PART.bytes) await send(false);
    }
    await send(true);
    writeMetrics(
      [
        { metric: PLATFORM_CLOUDWATCH_METRIC.receivedEvents, value: accepted },
        { metric: PLATFORM_CLOUDWATCH_METRIC.rejectedEvents, value: quarantined },
      ],
      { environment: parts.environment, now: clock.now(), write: parts.write },
    );
    log.info('a file of the capture was read', {
      endpoint: source.endpoint,
      model: source.model,
      lines: line,
      accepted,
      quarantined,
    });
  } catch (error) {
    await progress.release().catch(() => undefined);
    throw error;
  }
}

/** Some lines of a file, made durable together. */
class Part {
  /** `null`: longer than any invocation can be. */
  readonly #lines: (Buffer | null)[] = [];
  bytes = 0;

  get lines(): number {
    return this.#lines.length;
  }

  add(line: Buffer | null): void {
    this.#lines.push(line);
    this.bytes += line?.length ?? 0;
  }

  durable(collector: Collector, context: CaptureContext): Promise<Ticket> {
    return new Promise((resolve, reject) => {
      const ticket = new Ticket(null, 'sagemaker', (done, failure) =>
        failure === null ? resolve(done) : reject(failure),
      );
      for (const line of this.#lines) takeLine(collector, ticket, line, context);
      collector.submit(ticket);
    });
  }
}

function takeLine(collector: Collector, ticket: Ticket, line: Buffer | null, context: CaptureContext): void {
  if (line === null) {
    collector.refuse(ticket, 'too-large', `a line of more than ${LONGEST_LINE} bytes`, '');
    return;
  }
  const text = line.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    collector.refuse(ticket, 'json', 'not readable as JSON', text);
    return;
  }
  let events: Readonly<Record<string, unknown>>[];
  try {
    events = captureEvents(value, context);
  } catch (error) {
    collector.refuse(ticket, 'schema', error instanceof Error ? error.message : 'not a captured invocation', text);
    return;
  }
  for (const event of events) collector.take(ticket, event, null, NO_ENVELOPE);
}

function contextOf({ registry, clock }: CaptureParts, source: SageMakerSource, variant: string): CaptureContext {
  const found = registry.shapeFor(source.model, source.version ?? variant, clock.now())?.shape;
  const types = new Map<string, 'numeric' | 'categorical'>();
  const declared = Object.entries(found?.monitor.features ?? {});
  if (declared.length === 0)
    for (const { name, role, type } of found?.baseline?.columns ?? []) if (role === 'feature') types.set(name, type);
  for (const [name, { type }] of declared) types.set(name, type);
  return { source, variant, task: found?.monitor.task ?? 'none', columns: found?.monitor.columns ?? {}, types };
}
