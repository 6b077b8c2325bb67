import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AthenaQuery } from '../../lib/adapters/athena/athena-query.ts';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { baselineQuery } from '../../lib/pipeline/baseline-query.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { FakeAthena } from '../adapters/athena/fake-athena.ts';
import { FakeFirehose } from '../adapters/athena/fake-firehose.ts';
import { runCommand, type Said } from '../cli/run-command.ts';
import { monitorOf, START } from './label-traffic.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

let db: DuckDb;
let folder: string;
beforeAll(async () => {
  db = await openDuckDb({ memoryLimit: '512MB', threads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'baseline-query-'));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const DECLARED = {
  model: 'm',
  task: 'binary-classification',
  positive: 'yes',
  columns: { time: 'when', prediction: 'answer' },
  features: {
    Age: { type: 'numeric' },
    "o'clock": { type: 'categorical' },
    secret: { type: 'numeric', policy: 'drop' },
  },
};
const SPAN = { from: START, to: START + HOUR, labelsUntil: START + 10 * HOUR };

describe('captured events as reference data', () => {
  it('have each event once, halves together, with the latest label', async () => {
    const store = new MemoryStore();
    const firehose = new FakeFirehose({ db, store, bufferMs: 15 * MINUTE, twice: () => true });
    const at = (minute: number): string => new Date(START + minute * MINUTE).toISOString();
    const send = (minute: number, event: object): void => {
      const line = JSON.stringify({ model: 'm', time: at(minute), arrival: at(minute), ...event });
      firehose.take({ at: START + minute * MINUTE, data: new TextEncoder().encode(line) });
    };
    const whole = { type: 'inference', version: '1' };
    send(1, {
      ...whole,
      id: 'a',
      numeric: { Age: 41, secret: 1 },
      categorical: { "o'clock": 'late' },
      score: 0.5,
      predicted: 'yes',
    });
    send(2, { ...whole, id: 'a', numeric: { Age: 99 }, score: 0.9 });
    send(3, { type: 'request', version: '1', id: 'b', numeric: { Age: null } });
    send(4, { type: 'response', version: '1', id: 'b', score: 1, predicted: 0 });
    send(5, { ...whole, id: 'elsewhere', model: 'other' });
    send(61, { ...whole, id: 'later', time: at(61) });
    send(70, { type: 'label', id: 'a', truth: 'no' });
    send(80, { type: 'label', id: 'a', truth: 'yes', time: at(60) });
    send(700, { type: 'label', id: 'b', truth: 'yes' });
    const clock = { now: () => START + 24 * HOUR };
    await firehose.deliver(clock.now());
    const athena = new FakeAthena({ db, store, database: db.name('m') });
    const { database, table } = athena;
    const query = new AthenaQuery({ client: athena.client, workgroup: 'w', database, table, clock });
    const objects = await new DeliveredCapture({ store, clock, delayMs: HOUR }).between(SPAN.from, SPAN.labelsUntil);
    const rows = await query.run(
      `SELECT * FROM (${baselineQuery(monitorOf(DECLARED), SPAN)}) AS t ORDER BY "when"`,
      objects,
    );
    expect(rows).toEqual([
      {
        when: '2001-02-01 00:01:00',
        truth: 'yes',
        answer: 'yes',
        score: '0.5',
        weight: '1.0',
        Age: '41',
        "o'clock": 'late',
      },
      {
        when: '2001-02-01 00:03:00',
        truth: null,
        answer: '0',
        score: '1.0',
        weight: '1.0',
        Age: null,
        "o'clock": null,
      },
    ]);
  });

  it('are refused where values were hidden, or no feature is declared', () => {
    const hidden = monitorOf({ ...DECLARED, features: { city: { type: 'categorical', policy: 'hash' } } });
    expect(() => baselineQuery(hidden, SPAN)).toThrow(
      'features.city.policy: what was captured are no values, and would be taken for some and hidden a second time, got hash; expected keep or drop; make the baseline of the data that the model was trained on',
    );
    const { features: _, ...none } = DECLARED;
    expect(() => baselineQuery(monitorOf(none), SPAN)).toThrow(
      'features: none is declared, and a statement must name its columns',
    );
  });

  it('are asked for by a statement that the command line prints', async () => {
    await writeFile(join(folder, 'm.json'), JSON.stringify(DECLARED));
    const print = (...argv: string[]): Promise<Said> => runCommand(folder, ['baseline', 'sql', 'm.json', ...argv]);
    const range = ['--from-window', '2001-02-01T00:00:00Z', '--to-window', '2001-02-03T00:00:00Z'];
    const { code, out } = await print(...range, '--database', 'mine');
    expect(code).toBe(0);
    expect(out).toMatch(/FROM "mine"\."capture"\s+WHERE dt >= '2001-01-31' AND dt <= '2001-02-0\d' AND \(/);
    expect(out).not.toContain('{capture}');
    expect((await print('--from-window', '2001-02-01')).err).toContain(
      '--from-window: is no time; write it as RFC 3339',
    );
    expect((await print(...range.slice(0, 3), '2001-02-01T00:00:00Z', '--database', 'd')).code).toBe(2);
    expect((await print(...range)).err).toContain('--database: is required');
  });
});
