/** Files of SageMaker Data Capture, read by the function as it is deployed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QueueAnswer } from '../../lambdas/sagemaker-capture/handler.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { sageMakerSourcesText } from '../../lib/contracts/sagemaker.ts';
import { type ReadEvent, readRecord } from '../../lib/engine/event-reader.ts';
import { publishMonitor } from '../../lib/pipeline/publisher.ts';
import { readQuarantine } from '../../lib/pipeline/quarantine.ts';
import { type Bundles, bundlesOf, environmentOf } from './bundle.ts';
import { BUCKET, type FakeAws, startFakeAws } from './fake-aws.ts';

const CAPTURED = 'captured-bucket';

let bundles: Bundles;
let aws: FakeAws;
let handler: (event: unknown, context: { awsRequestId: string }) => Promise<QueueAnswer>;

beforeAll(async () => {
  bundles = await bundlesOf('sagemaker-capture');
  aws = await startFakeAws();
  const { monitor } = parseMonitor({
    model: 'churn',
    task: 'binary-classification',
    features: { age: { type: 'numeric' }, plan: { type: 'categorical' } },
  });
  const clock = { now: () => Date.now() };
  await publishMonitor({ store: aws.store, clock }, monitor!, { by: 'test', effectiveFrom: 0 });
  handler = await bundles.load('sagemaker-capture', {
    ...environmentOf(aws, BUCKET),
    MLMON_SAGEMAKER_SOURCES: sageMakerSourcesText([
      { endpoint: 'churn', model: 'churn', version: '7', output: 'score' },
    ]),
  });
});
afterAll(async () => {
  await aws.close();
  await bundles.remove();
});
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  aws.records.length = 0;
  aws.objects.clear();
  // A file is read once, so each test has one of its own.
  KEY = `capture/churn/blue/2026/03/04/10/11-12-013 a+b ${files++}.jsonl`;
});
afterEach(() => {
  vi.restoreAllMocks();
});

let files = 0;
let KEY = '';
const line = (i: number): string =>
  JSON.stringify({
    captureData: {
      endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: `${i},gold`, encoding: 'CSV' },
      endpointOutput: { observedContentType: 'text/csv', mode: 'OUTPUT', data: '0.5', encoding: 'CSV' },
    },
    eventMetadata: { eventId: `e-${i}`, inferenceTime: '2026-03-04T10:11:12Z' },
    eventVersion: '0',
  });
const notice = (key = KEY) => ({
  eventSource: 'aws:s3',
  s3: { bucket: { name: CAPTURED }, object: { key: encodeURIComponent(key).replaceAll('%20', '+'), eTag: 'abc' } },
});
const invoke = (event: unknown) => handler(event, { awsRequestId: 'r' });

function taken(): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (const { data } of aws.records)
    readRecord(
      Buffer.from(data, 'utf8'),
      (one) => events.push(one),
      ({ detail }) => expect.unreachable(detail),
    );
  return events;
}

function put(lines: readonly string[], key = KEY): void {
  aws.objects.set(`${CAPTURED}/${key}`, Buffer.from(lines.join('\n')));
}

describe('a captured file', () => {
  it('is read once, whoever tells of it and however often', async () => {
    put(Array.from({ length: 2_500 }, (_, i) => line(i)));
    const event = { Records: [notice()] };
    expect(await invoke(event)).toEqual({ batchItemFailures: [] });
    await invoke(event);
    await invoke({ Records: [{ eventSource: 'aws:sqs', messageId: 'm', body: JSON.stringify(event) }] });
    const events = taken();
    expect([events.length, new Set(events.map(({ id }) => id)).size]).toEqual([2_500, 2_500]);
    expect(events[7]).toMatchObject({
      id: 'e-7',
      version: '7',
      numeric: { age: 7 },
      categorical: { plan: 'gold' },
      score: 0.5,
    });
  });

  it('is read on from where it was durable', async () => {
    put(Array.from({ length: 3_000 }, (_, i) => line(i)));
    let records = 0;
    // The second part and all after it fail, until the stream answers again.
    aws.refuse = () => {
      if (records++ > 0) aws.down = true;
      return records > 1;
    };
    const event = {
      Records: [{ eventSource: 'aws:sqs', messageId: 'm-1', body: JSON.stringify({ Records: [notice()] }) }],
    };
    expect(await invoke(event)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    const durable = taken().length;
    expect(durable).toBeGreaterThan(0);
    expect(durable).toBeLessThan(3_000);
    aws.down = false;
    aws.refuse = null;
    expect(await invoke(event)).toEqual({ batchItemFailures: [] });
    const ids = taken().map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([3_000, 3_000]);
  });

  it('is left to the one that has claimed it, until the claim ends', async () => {
    // Nothing is there yet: the mark lets go again.
    const before = new Set(await aws.store.list(keys.captureFiles()));
    await invoke({ Records: [notice()] });
    const mark = (await aws.store.list(keys.captureFiles())).find((key) => !before.has(key));
    const stored = await aws.store.get(mark!);
    expect(JSON.parse(Buffer.from(stored!.body).toString())).toEqual({ lines: 0, done: false, until: 0 });
    put([line(1)]);
    const claim = (until: number) => Buffer.from(JSON.stringify({ lines: 0, done: false, until }));
    const etag = await aws.store.putIfUnchanged(mark!, claim(Date.now() + 60_000), stored!.etag);
    await expect(invoke({ Records: [notice()] })).rejects.toThrow(/another reader has claimed/);
    expect(aws.records).toEqual([]);
    await aws.store.putIfUnchanged(mark!, claim(Date.now() - 1), etag);
    await invoke({ Records: [notice()] });
    expect(taken().length).toBe(1);
  });

  it('loses nothing to bad lines: they are kept with their reason', async () => {
    put([line(1), '{"truncated', '', JSON.stringify({ eventVersion: '9' }), line(2)]);
    await invoke({ Records: [notice()] });
    expect(taken().map(({ id }) => id)).toEqual(['e-1', 'e-2']);
    const entries = await readQuarantine(aws.store, { now: Date.now(), days: 1 });
    expect(entries.map(({ reason, detail }) => [reason, detail]).sort()).toEqual([
      ['json', 'not readable as JSON'],
      ['schema', 'eventVersion: expected "0", got 9'],
    ]);
  });

  it('of another endpoint, and messages that tell of none, are passed over', async () => {
    put([line(1)], 'capture/other/blue/2026/03/04/10/x.jsonl');
    for (const event of [
      { Records: [notice('capture/other/blue/2026/03/04/10/x.jsonl'), notice('capture/churn/manifest.json')] },
      { Records: [{ eventSource: 'aws:sqs', messageId: 'm', body: '{"Service":"Amazon S3","Event":"s3:TestEvent"}' }] },
      { Records: [{ eventSource: 'aws:sqs', messageId: 'm', body: 'no JSON' }] },
      {},
      null,
    ])
      expect(await invoke(event)).toEqual({ batchItemFailures: [] });
    expect(aws.records).toEqual([]);
  });

  it('is told of by EventBridge too', async () => {
    put([line(1)]);
    await invoke({
      'detail-type': 'Object Created',
      detail: { bucket: { name: CAPTURED }, object: { key: KEY, etag: 'abc' } },
    });
    expect(taken().length).toBe(1);
  });
});
