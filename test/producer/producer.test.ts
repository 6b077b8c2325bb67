import { createHmac } from 'node:crypto';
import { Kinesis } from '@aws-sdk/client-kinesis';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MonitorInput } from '../../lib/contracts/monitor.ts';
import { isRejection, type ReadEvent, readRecord } from '../../lib/engine/event-reader.ts';
import {
  HttpSink,
  type KinesisPutter,
  KinesisSink,
  type OutgoingRecord,
  Producer,
  type ProducerOptions,
  type ProducerSink,
} from '../../lib/producer/index.ts';
import { startFakeAws } from '../lambdas/fake-aws.ts';
import { startRig } from '../local/server/harness.ts';

const MONITOR: MonitorInput = {
  model: 'flights',
  features: {
    distance: { type: 'numeric' },
    customer: { type: 'categorical', policy: 'hash' },
    diagnosis: { type: 'categorical', policy: 'drop' },
  },
};
const KEY = { version: 'k3', key: 'ab'.repeat(32) };
const NOW = Date.parse('2001-02-01T12:00:00.000Z');

/** Takes what `fails` does not refuse; `null` refuses whole requests. */
function sinkOf(fails: (record: OutgoingRecord) => 'retry' | 'never' | null = () => null) {
  const taken: OutgoingRecord[] = [];
  const requests: number[] = [];
  const sink: ProducerSink = {
    appliesPolicy: false,
    limits: { records: 5, bytes: 20_000 },
    send: async (records) => {
      requests.push(records.length);
      return records.flatMap((record) => {
        const failure = fails(record);
        if (failure !== null) return [{ record, retry: failure === 'retry', reason: 'refused' }];
        taken.push(record);
        return [];
      });
    },
  };
  const events = (): ReadEvent[] => taken.flatMap(({ data }) => read(data));
  return { sink, taken, requests, events };
}

function read(data: string): ReadEvent[] {
  const events: ReadEvent[] = [];
  readRecord(
    Buffer.from(data, 'utf8'),
    (event) => events.push(event),
    ({ detail }) => expect.unreachable(detail),
  );
  return events;
}

const producerOf = (sink: ProducerSink, more: Partial<ProducerOptions> = {}): Producer =>
  new Producer({ sink, monitor: MONITOR, policyKey: KEY, lingerMs: 1, firstWaitMs: 1, now: () => NOW, ...more });

describe('a producer', () => {
  it('delivers each event once, in records of one kind and few events, whatever is refused in passing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ id: fc.string({ minLength: 1, maxLength: 12 }), label: fc.boolean() }), {
          maxLength: 200,
        }),
        fc.infiniteStream(fc.nat(9)),
        fc.integer({ min: 1, max: 6 }),
        async (list, chance, fanOut) => {
          const { sink, taken, requests, events } = sinkOf(() =>
            (chance.next().value as number) < 3 ? 'retry' : null,
          );
          const producer = producerOf(sink, { fanOut, attempts: 100 });
          for (const { id, label } of list)
            expect(label ? producer.label({ id, truth: 'late' }) : producer.inference({ id, version: '1' })).toBe(true);
          await producer.stop();
          expect(producer.counts).toEqual({ sent: list.length, refused: 0, dropped: 0, failed: 0, pending: 0 });
          const delivered = events().map(({ id, kind }) => `${kind} ${id}`);
          expect(delivered.sort()).toEqual(
            list.map(({ id, label }) => `${label ? 'label' : 'inference'} ${id}`).sort(),
          );
          expect(Math.max(0, ...requests)).toBeLessThanOrEqual(5);
          expect(new Set(taken.map(({ key }) => key)).size).toBeLessThanOrEqual(fanOut);
          const keyOf = new Map<string, string>();
          for (const { key, data, kind, events: count } of taken) {
            expect(key).toMatch(/^flights#\d+$/);
            const held = read(data);
            expect(held.length).toBe(count);
            expect(count).toBeLessThanOrEqual(15);
            for (const event of held) {
              expect(event.kind).toBe(kind);
              expect(keyOf.get(event.id) ?? key).toBe(key);
              keyOf.set(event.id, key);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('applies the policy of the monitor before anything leaves', async () => {
    const { sink, taken, events } = sinkOf();
    const producer = producerOf(sink);
    producer.inference({
      id: 'f-1',
      version: '1',
      numeric: { distance: 740, secret: 1 },
      categorical: { customer: 'Ada', diagnosis: 'flu' },
    });
    await producer.stop();
    const hash = createHmac('sha256', Buffer.from(KEY.key, 'hex')).update('Ada').digest('base64url');
    expect(events()[0]).toMatchObject({ numeric: { distance: 740 }, categorical: { customer: hash }, policyKey: 'k3' });
    expect(taken[0]!.data).not.toMatch(/Ada|flu|arrival/);
  });

  it('asks for what the policy needs', () => {
    const { sink } = sinkOf();
    expect(() => producerOf(sink, { policyKey: undefined })).toThrow(/policyKey: a feature is hashed/);
    expect(() => producerOf(sink, { policyKey: { version: '1', key: 'short' } })).toThrow(/is no policy key/);
    const bucketed: MonitorInput = { model: 'm', features: { age: { type: 'numeric', policy: 'bucket' } } };
    expect(() => producerOf(sink, { monitor: bucketed })).toThrow(/baseline: a feature is put into buckets/);
  });

  it('refuses what breaks the contract and says why without its value', () => {
    const { sink } = sinkOf();
    const problems: string[] = [];
    const producer = producerOf(sink, { onProblem: ({ kind, reason }) => problems.push(`${kind} ${reason}`) });
    expect(producer.inference({ id: '', version: '1' })).toBe(false);
    expect(producer.inference({ id: 'a', version: '1', score: 'Ada' as unknown as number })).toBe(false);
    expect(producer.inference({ id: 'a', version: '1', time: '2001-02-01T12:06:00Z' })).toBe(false);
    expect(problems).toEqual([
      'refused schema: id: expected text of 1 to 256 characters',
      'refused schema: score: expected a number',
      expect.stringMatching(/^refused future/),
    ]);
    expect(producer.counts.refused).toBe(3);
  });

  it('never holds more than its bound: what comes beyond is dropped, or waited for', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const taken: OutgoingRecord[] = [];
    const sink: ProducerSink = {
      appliesPolicy: false,
      limits: { records: 1, bytes: 1_000_000 },
      send: async (records) => {
        await gate;
        taken.push(...records);
        return [];
      },
    };
    const producer = producerOf(sink, { bufferBytes: 2_000, eventsPerRecord: 1 });
    let accepted = 0;
    for (let i = 0; i < 100; i++) if (producer.inference({ id: `f-${i}`, version: '1' })) accepted++;
    expect(accepted).toBeGreaterThan(5);
    expect(producer.counts).toMatchObject({ dropped: 100 - accepted, pending: accepted });
    let hasRoom = false;
    const room = producer.room().then(() => {
      hasRoom = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasRoom).toBe(false);
    open();
    await room;
    expect(producer.inference({ id: 'next', version: '1' })).toBe(true);
    accepted++;
    await producer.stop();
    expect(taken.length).toBe(accepted);
    expect(producer.inference({ id: 'late', version: '1' })).toBe(false);
  });

  it('loses nothing of a sender that waits for room', async () => {
    const { sink, events } = sinkOf();
    const producer = producerOf(sink, { bufferBytes: 2_000 });
    for (let i = 0; i < 300; i++) {
      await producer.room();
      producer.inference({ id: `f-${i}`, version: '1' });
    }
    await producer.stop();
    expect([producer.counts.dropped, events().length]).toEqual([0, 300]);
  });

  it('gives up what is refused for good, and what is refused too often, and counts it', async () => {
    const { sink } = sinkOf(({ kind }) => (kind === 'label' ? 'never' : 'retry'));
    const failures: [number, string][] = [];
    const producer = producerOf(sink, {
      attempts: 3,
      onProblem: ({ kind, events, reason }) => failures.push([events, `${kind} ${reason}`]),
    });
    producer.inference({ id: 'a', version: '1' });
    producer.label({ id: 'a', truth: 1 });
    await producer.flush();
    expect(producer.counts).toMatchObject({ sent: 0, failed: 2, pending: 0 });
    expect(failures).toEqual([
      [1, 'failed refused'],
      [1, 'failed refused'],
    ]);
  });

  it('flushes what was handed over, not what comes meanwhile', async () => {
    const { sink, events } = sinkOf();
    const producer = producerOf(sink, { lingerMs: 60_000 });
    producer.inference({ id: 'a', version: '1' });
    const flushed = producer.flush();
    producer.inference({ id: 'b', version: '1' });
    await flushed;
    expect(events().map(({ id }) => id)).toEqual(['a']);
    expect(producer.counts.pending).toBe(1);
    await producer.stop();
  });
});

describe('the sink for Kinesis', () => {
  it('tells of the records that the service refused, and of no others', async () => {
    const sent: unknown[] = [];
    const client: KinesisPutter = {
      putRecords: async (input) => {
        sent.push(input);
        return { Records: [{}, { ErrorCode: 'ProvisionedThroughputExceededException' }] };
      },
    };
    const record = (key: string): OutgoingRecord => ({ key, data: '{}\n{}', kind: 'inference', events: 2 });
    const records = [record('m#0'), record('m#1')];
    const failed = await new KinesisSink({ client, stream: 'arn:aws:kinesis:eu-west-1:1:stream/s' }).send(records);
    expect(failed).toEqual([{ record: records[1], retry: true, reason: 'ProvisionedThroughputExceededException' }]);
    expect(sent).toEqual([
      {
        StreamARN: 'arn:aws:kinesis:eu-west-1:1:stream/s',
        Records: [
          { PartitionKey: 'm#0', Data: Buffer.from('{}\n{}') },
          { PartitionKey: 'm#1', Data: Buffer.from('{}\n{}') },
        ],
      },
    ]);
  });

  it('tries a request again whose answer is missing', async () => {
    let calls = 0;
    const client: KinesisPutter = {
      putRecords: async ({ Records }) => {
        if (++calls === 1) throw new Error('socket hang up');
        return { Records: Records.map(() => ({})) };
      },
    };
    const producer = producerOf(new KinesisSink({ client, stream: 's' }));
    producer.inference({ id: 'a', version: '1' });
    await producer.stop();
    expect([calls, producer.counts.sent]).toEqual([2, 1]);
  });
});

describe('the client of the AWS SDK', () => {
  it('is what the sink takes', async () => {
    const aws = await startFakeAws();
    let refusals = 3;
    aws.refuse = () => refusals-- > 0;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new Kinesis({ endpoint: aws.streamUrl, region: 'eu-west-1', credentials });
    const producer = producerOf(new KinesisSink({ client, stream: 'events' }), { fanOut: 8 });
    for (let i = 0; i < 100; i++) producer.inference({ id: `f-${i}`, version: '1', score: i });
    await producer.stop();
    expect(producer.counts).toMatchObject({ sent: 100, failed: 0 });
    expect(
      aws.records
        .flatMap(({ data }) => read(data))
        .map(({ score }) => score)
        .sort((a, b) => a! - b!),
    ).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await aws.close();
  });
});

describe('the sink for HTTP', () => {
  it('sends inferences and labels to a collector, which applies the policy', async () => {
    const rig = await startRig({
      monitors: [MONITOR],
      tokens: 'svc events:write,labels:write 0123456789abcdef0123',
      collector: { policyKey: { version: 'k3', secret: Buffer.from(KEY.key, 'hex') } },
    });
    const authorize = () => ({ authorization: 'Bearer 0123456789abcdef0123' });
    const sink = new HttpSink({ url: rig.url, authorize });
    const producer = producerOf(sink, { policyKey: undefined, now: rig.clock.now });
    for (let i = 0; i < 40; i++) producer.inference({ id: `f-${i}`, version: '1', categorical: { customer: 'Ada' } });
    producer.label({ id: 'f-1', truth: 'late' });
    await producer.stop();
    expect(producer.counts).toMatchObject({ sent: 41, failed: 0 });
    const { records } = await rig.log.read((await rig.log.partitions())[0]!.id, null, { records: 100, bytes: 1e7 });
    const events = records.flatMap(({ data }) => read(Buffer.from(data).toString('utf8')));
    expect(events.length).toBe(41);
    const hash = createHmac('sha256', Buffer.from(KEY.key, 'hex')).update('Ada').digest('base64url');
    expect(
      events.filter(({ kind }) => kind === 'inference').every(({ categorical }) => categorical?.['customer'] === hash),
    ).toBe(true);
    expect(isRejection(events[0]!)).toBe(false);
    const reasons: string[] = [];
    const unknown = producerOf(new HttpSink({ url: rig.url }), {
      policyKey: undefined,
      now: rig.clock.now,
      onProblem: ({ reason }) => reasons.push(reason),
    });
    unknown.label({ id: 'f-1', truth: 'late' });
    await unknown.stop();
    expect(unknown.counts).toMatchObject({ sent: 0, failed: 1 });
    expect(reasons).toEqual([expect.stringMatching(/^HTTP 401: .*token/)]);
    await rig.close();
  });

  it.each([
    [403, 'HTTP 403: not yours', false],
    [400, 'HTTP 400', false],
    [503, 'HTTP 503', true],
  ])('tells of %i what may be told', async (status, reason, retry) => {
    const answer = async (): Promise<Response> => new Response('not yours', { status });
    const sink = new HttpSink({ url: 'https://collector.example', fetch: answer });
    const record: OutgoingRecord = { key: 'm#0', data: '{}', kind: 'inference', events: 1 };
    expect(await sink.send([record])).toEqual([{ record, retry, reason }]);
  });
});
