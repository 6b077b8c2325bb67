/**
 * How much of the profiler's speed the function on the stream keeps: an invocation as Lambda makes it, from its records in base64 to the
 * pack and the moved cursor, against decoding, reading, checking and folding the same bytes alone. Objects in memory: what is measured is
 * processor time of this process, which waiting for S3 is not.
 *
 *   node --import tsx bench/profiler-handler.ts [rounds]
 */

import { logOf } from '../lambdas/log.ts';
import { type KinesisEvent, profilerHandler } from '../lambdas/profiler/handler.ts';
import { pushedProfiler } from '../lambdas/pushed-profiler.ts';
import { MemoryStore } from '../lib/adapters/memory/memory-store.ts';
import { readRecord } from '../lib/engine/event-reader.ts';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { readCursors } from '../lib/pipeline/cursor.ts';
import { publishBaseline, publishMonitor } from '../lib/pipeline/publisher.ts';
import { compare, tell } from './measurement.ts';
import { benchBaseline, benchEvents, benchMonitor } from './profiler-data.ts';

/** About what one invocation takes: 6 MB with its base64. */
const EVENTS = 3_000;
const LINES = 15;
const ROUNDS = Number(process.argv[2] ?? 41);
const APPENDED = Date.UTC(2001, 1, 1, 10, 5);
const FIRST = 49590338271490256608559692538361571095921575989136588898n;

const baseline = benchBaseline(20_000, 1);
const monitor = benchMonitor();
const shape = compileShape(monitor, baseline);
const lines = benchEvents(EVENTS, 2).map(({ line }) => line);
const records: string[] = [];
for (let i = 0; i < lines.length; i += LINES)
  records.push(Buffer.from(`${lines.slice(i, i + LINES).join('\n')}\n`).toString('base64'));

const store = new MemoryStore();
const clock = { now: () => APPENDED };
const publisher = { store, clock, cacheMs: 60_000 };
const version = baseline.version ?? '7';
await publishBaseline(publisher, baseline, {
  model: monitor.model,
  version,
  by: 'bench',
  approve: true,
  effectiveFrom: 0,
});
await publishMonitor(publisher, monitor, { by: 'bench', effectiveFrom: APPENDED - 86_400_000 });

let next = FIRST;
/** The same bytes under new sequence numbers. */
function invocation(): KinesisEvent {
  return {
    Records: records.map((data) => {
      next += 1_000n;
      return {
        eventID: `shardId-000000000000:${next}`,
        eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
        kinesis: { sequenceNumber: next.toString(), approximateArrivalTimestamp: APPENDED / 1_000, data },
      };
    }),
  };
}

let first = '';
const log = {
  identity: async () => 'bench@1',
  read: async () => ({ records: [{ position: first, appendTime: APPENDED, data: new Uint8Array() }], gap: null }),
};
const handler = profilerHandler({
  profiler: pushedProfiler({ log, store, clock }),
  log: logOf('profiler', { write: () => undefined }),
});
const context = { awsRequestId: 'bench', getRemainingTimeInMillis: () => 60_000 };

async function invoke(): Promise<void> {
  const event = invocation();
  first = event.Records?.[0]?.kinesis.sequenceNumber ?? '';
  const { batchItemFailures } = await handler(event, context);
  if (batchItemFailures.length > 0) throw new Error('the batch was not committed');
}

function profileAll(): Profile {
  const profile = new Profile(shape);
  for (const record of records)
    readRecord(
      Buffer.from(record, 'base64'),
      (event) => profile.fold(event),
      ({ reason, detail }) => {
        throw new Error(`${reason}: ${detail}`);
      },
    );
  return profile;
}

const { ours, reference, ratio, noise } = await compare(ROUNDS, invoke, profileAll, 5);
const [stored] = await readCursors(store);
const { received, profiled } = stored?.cursor.totals ?? { received: 0, profiled: 0 };
if (received === 0 || profiled !== received)
  throw new Error(`${profiled} of ${received} events were profiled; expected all`);
const rate = (seconds: number) => Math.round(EVENTS / seconds);
const share = 1 / ratio;
process.stdout.write(
  `an invocation of ${EVENTS} events in ${records.length} records: ${(1_000 * ours).toFixed(1)} ms, ${(100 * share).toFixed(0)} % of folding alone\n`,
);
tell({
  benchmark: 'profiler-handler',
  measure: `an invocation of the profiler function with ${EVENTS.toLocaleString('en-US')} events of 50 features in records of ${LINES}, base64 to pack and cursor`,
  ours: rate(ours),
  reference: rate(reference),
  against: 'the same bytes decoded and folded in process',
  ratio: share,
  unit: 'events a second of processor time',
  target: 'ratio ≥ 0.85',
  met: share >= 0.85,
  noise,
  command: 'node --import tsx bench/profiler-handler.ts',
});
