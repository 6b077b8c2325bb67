import { describe, expect, it } from 'vitest';
import {
  KinesisLog,
  type Profiled,
  parseStreamIdentity,
  UNKNOWN_HEAD,
} from '../../../lib/adapters/kinesis/kinesis-log.ts';
import { EMPTY_CURSOR } from '../../../lib/pipeline/cursor.ts';
import { comparePositions, TransientError } from '../../../lib/pipeline/ports.ts';
import { partitionProgress } from '../../../lib/pipeline/progress.ts';
import { eventLogConformance } from '../../pipeline/conformance/event-log.ts';
import { SimulatedStream, type SimulatedStreamOptions, serviceError } from './simulated-stream.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const WIDE = { records: 10_000, bytes: 1 << 30 };

eventLogConformance('kinesis', async ({ partitions, clock }) => {
  let turn = 0;
  const stream = new SimulatedStream({ shards: partitions, now: () => clock.now(), empty: () => ++turn % 3 === 0 });
  const open = () => new KinesisLog({ client: stream.client(), streamArn: stream.arn, identityMs: 0 });
  return {
    log: open(),
    controlsTime: true,
    tellsHeads: false,
    reopen: async () => open(),
    recreate: async () => {
      stream.recreate();
      return open();
    },
    split: async (partition) => stream.split(partition),
    close: async () => undefined,
  };
});

function streamOf(options: Partial<SimulatedStreamOptions> = {}, profiled?: () => Profiled | null) {
  let now = 1_000_000;
  const stream = new SimulatedStream({ now: () => now, ...options });
  const log = new KinesisLog({
    client: stream.client(),
    streamArn: stream.arn,
    firstWaitMs: 1,
    profiled: async (_, partition) => (partition.endsWith('0') ? (profiled?.() ?? null) : null),
  });
  return { stream, log, pass: (ms: number) => (now += ms) };
}

describe('the event log on Kinesis', () => {
  it('is identified by the stream and its creation', async () => {
    const { log, stream } = streamOf();
    expect(parseStreamIdentity(await log.identity())).toEqual({ streamArn: stream.arn, created: 1_000_000 });
    await log.identity();
    expect(stream.calls).toEqual(['DescribeStreamSummary']);
    expect(parseStreamIdentity('log-1')).toBeNull();
  });

  it('tells by one read of each shard whether anything follows what is profiled', async () => {
    let at: Profiled | null = null;
    const { log, stream } = streamOf({}, () => at);
    const progress = async () =>
      partitionProgress(
        await log.partitions(),
        () => ({ ...EMPTY_CURSOR, position: at?.position ?? null, appendTime: at?.appendTime ?? null }),
        5_000_000,
        0,
      )[0];
    expect(await progress()).toMatchObject({ idle: true, through: 5_000_000 });
    const places = [1, 2, 3].map((n) => stream.put('k', bytes(String(n))));
    expect(await progress()).toMatchObject({ idle: false, through: Number.NEGATIVE_INFINITY });
    at = { position: places[1]?.sequence ?? '', appendTime: 1_000_000 };
    expect(await progress()).toMatchObject({ idle: false, through: 1_000_000 });
    at = { position: places[2]?.sequence ?? '', appendTime: 1_000_000 };
    stream.calls.length = 0;
    expect(await progress()).toMatchObject({ idle: true, through: 5_000_000 });
    // The iterator behind the record that was seen last serves again, and again while nothing moves.
    expect(await progress()).toMatchObject({ idle: true });
    expect(stream.calls).toEqual(['ListShards', 'GetRecords', 'ListShards', 'GetRecords']);
    stream.split('shardId-000000000000');
    const closed = await progress();
    expect(closed).toMatchObject({ closed: true, idle: true, through: Number.POSITIVE_INFINITY });
  });

  it('is not idle because a moved cursor passed the record that was seen first', async () => {
    let at: Profiled | null = null;
    const { log, stream } = streamOf({}, () => at);
    const [first] = [1, 2].map((n) => stream.put('k', bytes(String(n))));
    const seen = await log.partitions();
    at = { position: first?.sequence ?? '', appendTime: 1_000_000 };
    const [progress] = partitionProgress(seen, () => ({ ...EMPTY_CURSOR, ...at }), 5_000_000, 0);
    expect(progress?.idle).toBe(false);
    expect(comparePositions(UNKNOWN_HEAD, stream.put('k', bytes('3')).sequence)).toBeGreaterThan(0);
  });

  it('takes answers without records for neither the tip nor the end', async () => {
    let empty = 5;
    const { log, stream } = streamOf({ empty: () => empty-- > 0 });
    stream.put('k', bytes('1'));
    expect((await log.read('shardId-000000000000', null, WIDE)).records).toHaveLength(1);
    empty = Number.POSITIVE_INFINITY;
    stream.put('k', bytes('2'));
    const [state] = await log.partitions();
    expect(state?.head).toBe(UNKNOWN_HEAD);
    expect(stream.calls.length).toBeLessThan(40);
  });

  it('reads on when an iterator expired', async () => {
    const { log, stream } = streamOf();
    const { sequence } = stream.put('k', bytes('1'));
    await log.read('shardId-000000000000', null, WIDE);
    stream.recreate();
    stream.put('k', bytes('2'));
    const later = await log.read('shardId-000000000000', null, WIDE);
    expect(later.records.map(({ data }) => Buffer.from(data).toString())).toEqual(['2']);
    await expect(log.read('shardId-000000000000', sequence, WIDE)).rejects.toThrow('InvalidArgument');
  });

  it('appends again what was refused, in requests of at most 500 records', async () => {
    let turn = 0;
    const { log, stream } = streamOf({ refuse: () => ++turn <= 500 && turn % 3 === 0, shards: 2 });
    const sent = Array.from({ length: 1_201 }, (_, i) => ({ key: `key ${i}`, data: bytes(String(i)) }));
    const places = await log.append(sent);
    const stored = stream.shards.flatMap(({ id, records }) => records.map((record) => ({ id, ...record })));
    expect(stored).toHaveLength(1_201);
    for (const [i, { partition, position }] of places.entries())
      expect(stored.find(({ id, sequence }) => id === partition && sequence === position)?.key).toBe(`key ${i}`);
  });

  it('gives up an append that is refused again and again, as a passing failure', async () => {
    const { log } = streamOf({ refuse: () => true });
    await expect(log.append([{ key: 'k', data: bytes('1') }])).rejects.toThrow(TransientError);
    await expect(log.append([{ key: 'k', data: new Uint8Array(1_048_577) }])).rejects.toThrow(RangeError);
  });

  it.each([
    ['ProvisionedThroughputExceededException', 400, TransientError],
    ['InternalFailure', 500, TransientError],
    ['AccessDeniedException', 400, Error],
  ] as const)('passes %s on', async (name, status, kind) => {
    const { log } = streamOf({ fault: () => serviceError(name, status) });
    const failures = await Promise.all(
      [
        log.read('shardId-000000000000', null, WIDE),
        log.append([{ key: 'k', data: bytes('1') }]),
        log.partitions(),
        log.identity(),
      ].map((call) => call.then(() => null).catch((error: unknown) => error)),
    );
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(kind);
      expect(failure instanceof TransientError).toBe(kind === TransientError);
    }
  });

  it('outlives throttling of a moment', async () => {
    let left = 2;
    const { log } = streamOf({ fault: () => (left-- > 0 ? serviceError('LimitExceededException', 400) : null) });
    expect(await log.identity()).toContain('@1000000');
  });
});
