import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery } from '../../lib/adapters/athena/athena-query.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { redriveCapture } from '../../lib/pipeline/capture-redrive.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';

const AT = Date.parse('2001-02-01T10:20:00Z');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const event = (id: string, more = ''): string =>
  `{"id":"${id}","type":"inference","model":"m","version":"1","time":"2001-02-01T10:19:00.5Z"${more}}`;

let db: DuckDb;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
});
afterAll(() => db.close());

describe('what Firehose could not convert', () => {
  it('is in the capture line by line, once however often it is taken up', async () => {
    const store = new MemoryStore();
    const firehose = new FakeFirehose({ db, store, bufferMs: 60_000 });
    firehose.take({ at: AT, data: bytes(`${event('good')}\n`) });
    firehose.take({
      at: AT + 1_000,
      data: bytes(
        [
          event('a', ',"score":1,"numeric":{"x":2}'),
          '{"torn',
          event('b', ',"arrival":"2001-02-01T12:19:30+02:00"'),
          event('c', ',"numeric":[1]'),
        ].join('\n'),
      ),
    });
    firehose.take({ at: AT + 2_000, data: bytes(`${event('d', ',"predicted":"\\ud800"')}\nnull`) });
    await firehose.deliver(AT + 120_000);
    const [failed] = await store.list(keys.captureFailures());
    const first = await redriveCapture(store, failed ?? '');
    expect(first).toEqual({
      records: 2,
      kept: 3,
      dropped: 3,
      unreadable: 0,
      reasons: { 'DataFormatConversion.MalformedData': 2 },
    });
    const objects = await store.list(keys.allRedriven());
    expect(objects.length).toBe(1);
    expect(objects[0]).toMatch(/^capture-redriven\/dt=2001-02-01\/hr=10\/[0-9a-f]{32}\.ndjson$/);
    expect(await redriveCapture(store, failed ?? '')).toEqual(first);
    expect(await store.list(keys.allRedriven())).toEqual(objects);

    const clock = { now: () => AT + 3_600_000 };
    const athena = new FakeAthena({ db, store, database: db.name('m') });
    const { database, table } = athena;
    const query = new AthenaQuery({ client: athena.client, workgroup: 'w', database, table, clock });
    const capture = new DeliveredCapture({ store, clock, delayMs: 60_000 });
    const rows = await query.run(
      `SELECT id, CAST(score AS VARCHAR) AS score, predicted, CAST(arrival AS VARCHAR) AS arrival FROM {capture} ORDER BY id`,
      await capture.between(AT - 600_000, AT + 600_000),
    );
    expect(rows).toEqual([
      { id: 'a', score: '1.0', predicted: null, arrival: '2001-02-01 10:20:01' },
      { id: 'b', score: null, predicted: null, arrival: '2001-02-01 10:19:30' },
      { id: 'd', score: null, predicted: '\ufffd', arrival: '2001-02-01 10:20:02' },
      { id: 'good', score: null, predicted: null, arrival: '2001-02-01 10:19:00.5' },
    ]);
  });

  it('is read whether or not lines end between its documents', async () => {
    const store = new MemoryStore();
    const failure = (id: string): string =>
      JSON.stringify({ attemptsMade: 1, arrivalTimestamp: AT, rawData: Buffer.from(event(id)).toString('base64') });
    const key = `${keys.captureFailures()}dt=2001-02-01/hr=10/x`;
    await store.putIfAbsent(key, bytes(`${failure('a')}${failure('b')}\n${failure('c')}\nnot one\n`));
    expect(await redriveCapture(store, key)).toMatchObject({ records: 2, kept: 2, unreadable: 1 });
  });

  it('leaves other objects alone', async () => {
    const store = new MemoryStore();
    expect(await redriveCapture(store, 'capture-errors/processing-failed/x')).toBeNull();
    expect(await redriveCapture(store, `${keys.captureFailures()}gone`)).toBeNull();
  });
});
