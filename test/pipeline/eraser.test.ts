/** Erasure: nothing of the ids is left wherever single events lie, and nothing else is touched. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderStore } from '../../lib/adapters/disk/folder-store.ts';
import { DuckDbCaptureRewriter } from '../../lib/adapters/duckdb/capture-rewriter.ts';
import { DuckDbCaptureWriter } from '../../lib/adapters/duckdb/capture-writer.ts';
import { type DuckDb, literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { givenUpBatch } from '../../lib/adapters/kinesis/on-failure.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { AuditLog } from '../../lib/pipeline/audit.ts';
import { redriveCapture } from '../../lib/pipeline/capture-redrive.ts';
import { Eraser } from '../../lib/pipeline/eraser.ts';
import type { EraserOptions } from '../../lib/pipeline/erasure-round.ts';
import { markOf } from '../../lib/pipeline/event-marks.ts';
import { encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';
import { putQuarantine, type QuarantineEntry, readQuarantine } from '../../lib/pipeline/quarantine.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { VersionedStore } from './versioned-store.ts';

const AT = Date.parse('2001-02-01T10:20:00Z');
const DAY = 86_400_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: Uint8Array): string => new TextDecoder().decode(body);

let db: DuckDb;
let writer: DuckDbCaptureWriter;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
  writer = new DuckDbCaptureWriter(db);
});
afterAll(() => db.close());

class SetClock {
  at = AT;
  now(): number {
    return this.at;
  }
}

function eraserOf(store: ObjectStore, more: Partial<EraserOptions> = {}) {
  const clock = new SetClock();
  const audit = new AuditLog({ store, clock });
  return {
    clock,
    eraser: new Eraser({
      store,
      versions: null,
      clock,
      audit,
      rewriter: async () => new DuckDbCaptureRewriter(db),
      ...more,
    }),
  };
}

const by = 'tester';
const rememberMs = 30 * DAY;

interface Event {
  readonly id: string;
  readonly model: string;
  readonly type: string;
}

/** Events as users send them; ids meet each other across models, and are hard to find in text. */
const IDS = ['1', '10', 'a"b', 'ä\\n', 'x y', "o'k", '{"id":"1"}', '7f3e'] as const;
const eventOf = ({ id, model, type }: Event): object =>
  type === 'label'
    ? { id, type, model, time: '2001-02-01T13:00:00Z', truth: 'late' }
    : {
        id,
        type,
        model,
        version: '1',
        time: '2001-02-01T10:19:00.5Z',
        numeric: { x: 0.1, y: null },
        categorical: { origin: 'ÄÖ', id: '1' },
        score: 0.25,
      };
const labelOf = (id: string): object => eventOf({ id, model: 'm', type: 'label' });
const event = fc.record({
  id: fc.constantFrom(...IDS),
  model: fc.constantFrom('m', 'n'),
  type: fc.constantFrom('inference', 'label'),
});

async function captured(events: readonly Event[]): Promise<Uint8Array> {
  const lines = events.map((one) => bytes(JSON.stringify(eventOf(one))));
  return (
    await writer.encode(
      lines,
      lines.map((_, i) => AT + i),
    )
  ).body;
}

async function rowsOf(body: Uint8Array): Promise<string[]> {
  const file = join(db.folder, `${db.name('read')}.parquet`);
  await writeFile(file, body);
  const rows = await db.rows(`SELECT c::VARCHAR AS c FROM read_parquet(${literal(file)}) AS c`);
  await rm(file);
  return rows.map(({ c }) => String(c));
}

describe('erasure', () => {
  it('leaves exactly the other events, whatever form they lie in, and never stores an id', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 30 }),
        fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1, maxLength: 3 }),
        async (events, ids) => {
          const store = new MemoryStore();
          const lines = events.map((one) => `${JSON.stringify(eventOf(one))}\n`);
          const half = Math.ceil(events.length / 2);
          await store.putIfAbsent(keys.capture(AT, 'p', '1', '2'), await captured(events.slice(0, half)));
          await store.putIfAbsent(`${keys.captureHour(AT)}lines.json.gz`, gzipSync(lines.join('')));
          await store.putIfAbsent(keys.redriven(AT, 'r'), bytes(lines.join('')));
          await store.putIfAbsent(
            `${keys.captureFailures()}dt=2001-02-01/hr=10/f`,
            bytes(
              lines
                .map((line) =>
                  JSON.stringify({
                    attemptsMade: 1,
                    arrivalTimestamp: AT,
                    rawData: Buffer.from(`${line}{"torn`).toString('base64'),
                  }),
                )
                .join(''),
            ),
          );
          const records = lines.map((line, i) => ({
            eventID: `shardId-0:${i}`,
            kinesis: { sequenceNumber: String(i), data: Buffer.from(line + line).toString('base64') },
          }));
          await store.putIfAbsent(
            `${keys.onFailure()}a/b`,
            bytes(
              JSON.stringify({ requestContext: { condition: 'x' }, payload: JSON.stringify({ Records: records }) }),
            ),
          );
          const { eraser } = eraserOf(store);
          const report = await eraser.erase({ model: 'm', ids, by, rememberMs });

          const stays = ({ model, id }: Event): boolean => model !== 'm' || !(ids as readonly string[]).includes(id);
          const left = lines.filter((_, i) => stays(events[i] as Event)).join('');
          const at = async (key: string): Promise<Uint8Array> => (await store.get(key))?.body ?? bytes('absent');
          expect(await rowsOf(await at(keys.capture(AT, 'p', '1', '2')))).toEqual(
            (await rowsOf(await captured(events.slice(0, half)))).filter((_, i) => stays(events[i] as Event)),
          );
          expect(text(gunzipSync(await at(`${keys.captureHour(AT)}lines.json.gz`)))).toBe(left);
          expect(text(await at(keys.redriven(AT, 'r')))).toBe(left);
          const failures = text(await at(`${keys.captureFailures()}dt=2001-02-01/hr=10/f`))
            .split(/(?<=\})(?=\{"attemptsMade")/)
            .map((one) => Buffer.from((JSON.parse(one) as { rawData: string }).rawData, 'base64').toString());
          expect(failures).toEqual(lines.map((line, i) => (stays(events[i] as Event) ? `${line}{"torn` : '{"torn')));
          const batch = JSON.parse(
            (JSON.parse(text(await at(`${keys.onFailure()}a/b`))) as { payload: string }).payload,
          ) as { Records: typeof records };
          expect(batch.Records.map(({ eventID }) => eventID)).toEqual(records.map(({ eventID }) => eventID));
          expect(batch.Records.map(({ kinesis }) => Buffer.from(kinesis.data, 'base64').toString())).toEqual(
            lines.map((line, i) => (stays(events[i] as Event) ? line + line : '')),
          );

          const gone = events.filter((one) => !stays(one)).length;
          const goneInHalf = events.slice(0, half).filter((one) => !stays(one)).length;
          expect(report.problems).toEqual([]);
          expect(Object.fromEntries(report.reached.map(({ form, erased }) => [form, erased]))).toEqual({
            captured: goneInHalf + gone,
            lines: gone,
            failures: gone,
            quarantine: 0,
            batches: 2 * gone,
          });
          // Again there is nothing to do.
          const again = await eraser.erase({ model: 'm', ids, by, rememberMs });
          expect(again.reached.every(({ erased, changed }) => erased + changed === 0)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps marks and a salt of its own, and tells the audit log by marks', async () => {
    const store = new MemoryStore();
    await store.putIfAbsent(
      keys.redriven(AT, 'r'),
      bytes(`${JSON.stringify(eventOf({ id: 'order-4711', model: 'm', type: 'label' }))}\n`),
    );
    const { eraser } = eraserOf(store);
    await eraser.erase({ model: 'm', ids: ['order-4711'], by, rememberMs });
    const stored = await Promise.all(
      (await store.list('')).map(async (key) => `${key} ${text((await store.get(key))?.body ?? bytes(''))}`),
    );
    expect(stored.filter((one) => one.includes('order-4711'))).toEqual([]);
    const audit = stored
      .filter((one) => one.startsWith('audit/'))
      .map((one) => JSON.parse(one.slice(one.indexOf('{'))));
    expect(audit.map(({ action, by: who }) => [action, who])).toEqual([
      ['erasure.request', by],
      ['erasure.done', by],
    ]);
    expect(audit[0].details.marks[0]).toMatch(/^[0-9a-f]{64}$/);
    const [other] = [new MemoryStore()];
    await eraserOf(other).eraser.erase({ model: 'm', ids: ['order-4711'], by, rememberMs });
    const [otherRequest] = await eraserOf(other).eraser.remembered();
    expect(otherRequest?.marks).not.toEqual(audit[0].details.marks);
  });

  it('finds ids in what could not be read, and leaves what others sent', async () => {
    const store = new MemoryStore();
    const entry = (excerpt: string, detail = 'd'): QuarantineEntry => ({
      at: new Date(AT).toISOString(),
      reason: 'json',
      detail,
      excerpt,
      partition: 'p',
      position: '1',
    });
    const gone = [
      entry('{"id":"u-17","model":"m","torn'),
      entry('{"id":"u-17","model":"m","time":"x"}'),
      entry('id,model\nu-17,m'),
      entry('{}', 'id: got "u-17"'),
      entry('{"id":"u\\u002d17"'),
      entry('POST id=u-17&x=1'),
    ];
    const kept = [
      entry('{"id":"u-171","model":"m"}'),
      entry('{"id":"u-17","model":"n"}'),
      entry('au-17'),
      entry('', 'is missing'),
    ];
    await putQuarantine(store, keys.quarantine(AT, 'json', 'p', '1'), [...gone, ...kept]);
    const { eraser } = eraserOf(store);
    const report = await eraser.erase({ model: 'm', ids: ['u-17'], by, rememberMs });
    expect(report.reached.find(({ form }) => form === 'quarantine')).toMatchObject({ changed: 1, erased: gone.length });
    const left = await readQuarantine(store, { now: AT });
    expect(left.map(({ excerpt }) => excerpt)).toEqual(kept.map(({ excerpt }) => excerpt));
  });

  it('changes nothing in a dry run, and says what it would', async () => {
    const { store, versions, texts } = (() => {
      const versioned = new VersionedStore();
      return { ...versioned, texts: () => versioned.texts('') };
    })();
    await store.putIfAbsent(
      keys.capture(AT, 'p', '1', '2'),
      await captured([{ id: '1', model: 'm', type: 'inference' }]),
    );
    const replaced = keys.redriven(AT, 'replaced');
    const etag = await store.putIfAbsent(replaced, bytes(`${JSON.stringify(labelOf('1'))}\n`));
    await store.putIfUnchanged(replaced, bytes(`${JSON.stringify(labelOf('10'))}\n`), etag);
    const before = texts();
    const report = await eraserOf(store, { versions }).eraser.erase({
      model: 'm',
      ids: ['1'],
      by,
      rememberMs,
      dryRun: true,
    });
    expect(report).toMatchObject({ dryRun: true, remembered: 0, until: null });
    expect(report.reached[0]).toMatchObject({ examined: 1, changed: 1, erased: 1 });
    const redriven = report.reached.find(({ prefix }) => prefix === 'capture-redriven/');
    expect(redriven).toMatchObject({ examined: 2, changed: 1, erased: 1 });
    expect(texts()).toEqual(before);
  });

  it('deletes old versions that hold the event: replaced, expired, and those that it made itself', async () => {
    const versioned = new VersionedStore();
    const { store, versions } = versioned;
    const line = (id: string) => `${JSON.stringify(labelOf(id))}\n`;
    await store.putIfAbsent(keys.redriven(AT, 'present'), bytes(line('1') + line('10')));
    await store.putIfAbsent(keys.redriven(AT, 'expired'), bytes(line('1')));
    await store.delete(keys.redriven(AT, 'expired'));
    await store.putIfAbsent(keys.redriven(AT, 'other'), bytes(line('10')));
    await store.delete(keys.redriven(AT, 'other'));
    const report = await eraserOf(store, { versions }).eraser.erase({ model: 'm', ids: ['1'], by, rememberMs });
    expect(report).toMatchObject({ versions: true, problems: [] });
    const left = versioned.texts('capture-redriven/');
    expect(left.filter((one) => one.includes('"id":"1"'))).toEqual([]);
    expect(left).toHaveLength(2);
    expect(text((await store.get(keys.redriven(AT, 'present')))?.body ?? bytes(''))).toBe(line('10'));
  });

  it('erases what lands after the request, until it ends', async () => {
    const store = new MemoryStore();
    const { eraser, clock } = eraserOf(store);
    const firehose = new FakeFirehose({ db, store, bufferMs: 60_000 });
    await eraser.erase({ model: 'm', ids: ['1'], by, rememberMs });
    expect(await eraser.again()).toMatchObject({ remembered: 1, problems: [] });
    for (const [i, id] of (['1', '10', '1'] as const).entries())
      firehose.take({ at: AT + i, data: bytes(`${JSON.stringify(eventOf({ id, model: 'm', type: 'inference' }))}\n`) });
    await firehose.deliver(AT + 120_000);
    clock.at = AT + DAY;
    const late = await eraser.again();
    expect(late?.reached[0]).toMatchObject({ prefix: 'capture/', changed: 1, erased: 2 });
    const [key] = await store.list('capture/');
    expect((await rowsOf((await store.get(key ?? ''))?.body ?? bytes(''))).length).toBe(1);
    expect((await store.get(keys.rewritten())) === null).toBe(false);
    // What was looked through is not read again, but for a new request.
    expect((await eraser.again())?.reached[0]).toMatchObject({ examined: 0 });
    await eraser.erase({ model: 'm', ids: ['10'], by, rememberMs });
    expect((await eraser.again())?.reached[0]).toMatchObject({ examined: 1, erased: 0 });

    clock.at = AT + 40 * DAY;
    expect(await eraser.again()).toMatchObject({ remembered: 0 });
    expect(await eraser.again()).toBeNull();
    expect(await store.list(keys.erasureRequests())).toEqual([]);
  });

  it('looks at all days on which an event may have landed, and at none before them', async () => {
    const store = new MemoryStore();
    const { eraser } = eraserOf(store);
    await eraser.erase({ model: 'm', ids: ['1'], by, rememberMs });
    for (const days of [0, 30, 31])
      await store.putIfAbsent(keys.redriven(AT - days * DAY, 'late'), bytes(`${JSON.stringify(labelOf('1'))}\n`));
    const late = await eraser.again();
    expect(late?.reached.find(({ prefix }) => prefix === 'capture-redriven/')).toMatchObject({
      examined: 2,
      erased: 2,
    });
  });

  it('looks again for a new request at what a round for earlier ones looks at just then', async () => {
    const inner = new MemoryStore();
    let pause: Promise<void> | null = null;
    let beforeList: (() => Promise<unknown>) | null = null;
    const store: ObjectStore = {
      get: async (key) => {
        const found = await inner.get(key);
        if (key.startsWith('capture-redriven/')) await pause;
        return found;
      },
      getRange: (key, start, end) => inner.getRange(key, start, end),
      list: async (prefix, options) => {
        if (prefix === 'capture-redriven/') await beforeList?.();
        return inner.list(prefix, options);
      },
      putIfAbsent: (key, body) => inner.putIfAbsent(key, body),
      putIfUnchanged: (key, body, etag) => inner.putIfUnchanged(key, body, etag),
      delete: (key) => inner.delete(key),
    };
    const { eraser } = eraserOf(store);
    await eraser.erase({ model: 'm', ids: ['1'], by, rememberMs });
    let go = (): void => undefined;
    pause = new Promise((resolve) => {
      go = resolve;
    });
    await inner.putIfAbsent(
      keys.redriven(AT, 'late'),
      bytes(`${JSON.stringify(eventOf({ id: '10', model: 'm', type: 'label' }))}\n`),
    );
    const reading = new Promise<void>((resolve) => {
      beforeList = async () => resolve();
    });
    const earlier = eraser.again();
    await reading;
    // Stored by another process, which listed before the object landed.
    const [request] = await eraser.remembered();
    const salt = (await readJson<{ salt: string }>(inner, keys.erasureSalt()))?.value.salt ?? '';
    await inner.putIfAbsent(
      keys.erasure(AT + 1_000, 'other'),
      encodeJson({ ...request, marks: [markOf(salt, 'm', '10')] }),
    );
    // The round with the new request comes there when the earlier one has just been through.
    beforeList = async () => {
      go();
      await earlier;
    };
    await eraser.again();
    expect(text((await inner.get(keys.redriven(AT, 'late')))?.body ?? bytes('absent'))).toBe('');
  });

  it('leaves what was given up as the redrives read it, with every position', async () => {
    const store = new MemoryStore();
    const line = (id: string) => `${JSON.stringify(eventOf({ id, model: 'm', type: 'inference' }))}\n`;
    const firehose = new FakeFirehose({ db, store, bufferMs: 60_000 });
    firehose.take({ at: AT, data: bytes(`${line('1')}${line('10')}{"torn`) });
    await firehose.deliver(AT + 120_000);
    const records = ['1', '10'].map((id, i) => ({
      eventID: `shardId-000000000000:4954${i}`,
      eventSourceARN: 'arn:aws:kinesis:eu-central-1:111122223333:stream/events',
      kinesis: {
        sequenceNumber: `4954${i}`,
        approximateArrivalTimestamp: AT / 1_000,
        data: Buffer.from(line(id)).toString('base64'),
      },
    }));
    await store.putIfAbsent(
      `${keys.onFailure()}x`,
      bytes(JSON.stringify({ requestContext: { condition: 'RetryAttemptsExhausted' }, payload: { Records: records } })),
    );
    await eraserOf(store).eraser.erase({ model: 'm', ids: ['1'], by, rememberMs });
    const { batches, condition } = givenUpBatch((await store.get(`${keys.onFailure()}x`))?.body ?? bytes(''));
    expect(condition).toBe('RetryAttemptsExhausted');
    expect(batches[0]?.records.map(({ position, data }) => [position, text(data)])).toEqual([
      ['49540', ''],
      ['49541', line('10')],
    ]);
    const [failed = ''] = await store.list(keys.captureFailures());
    expect(await redriveCapture(store, failed)).toMatchObject({ records: 1, kept: 1, dropped: 1, unreadable: 0 });
    const [redriven = ''] = await store.list(keys.allRedriven());
    expect(JSON.parse(text((await store.get(redriven))?.body ?? bytes('')))).toMatchObject({ id: '10' });
  });

  it('tells what it could not read, goes on with the rest, and remembers on', async () => {
    const store = new MemoryStore();
    const line = `${JSON.stringify(eventOf({ id: 'u-17', model: 'm', type: 'label' }))}\n`;
    await store.putIfAbsent(`${keys.onFailure()}torn`, bytes('{"payload": "u-17'));
    await store.putIfAbsent(keys.redriven(AT, 'r'), bytes(line));
    const { eraser, clock } = eraserOf(store);
    const report = await eraser.erase({ model: 'm', ids: ['u-17'], by, rememberMs });
    expect(report.problems).toEqual([expect.stringMatching(/^aws\/lambda\/torn: .*names what is to be erased/)]);
    expect(text((await store.get(keys.redriven(AT, 'r')))?.body ?? bytes('x'))).toBe('');
    clock.at = AT + 40 * DAY;
    expect(await eraser.again()).toMatchObject({ remembered: 1 });
  });

  it('works on a folder while others write', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mlmon-erase-'));
    try {
      const store = await FolderStore.open({ folder, durability: 'os' });
      const events = IDS.flatMap((id): Event[] => [
        { id, model: 'm', type: 'inference' },
        { id, model: 'm', type: 'label' },
      ]);
      for (let i = 0; i < 3; i++)
        await store.putIfAbsent(keys.capture(AT, 'p', `${i}`, `${i}`), await captured(events));
      const [one, other] = [eraserOf(store).eraser, eraserOf(store).eraser];
      await Promise.all([
        one.erase({ model: 'm', ids: ['1'], by, rememberMs }),
        other.erase({ model: 'm', ids: ['10'], by, rememberMs }),
      ]);
      for (const key of await store.list('capture/'))
        expect(await rowsOf((await store.get(key))?.body ?? bytes(''))).toHaveLength(2 * (IDS.length - 2));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('refuses what cannot be', async () => {
    const { eraser } = eraserOf(new MemoryStore());
    await expect(eraser.erase({ model: 'No', ids: [], by, rememberMs })).rejects.toThrow(
      /no name of a model[\s\S]*1 to 1000 ids/,
    );
    await expect(eraser.erase({ model: 'm', ids: [''], by, rememberMs })).rejects.toThrow(/no event can have/);
  });
});
