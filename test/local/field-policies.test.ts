/** Values that field policies hold back, on their way through the whole platform: none of them may be found on the disk. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable } from '../../lib/adapters/duckdb/table.ts';
import type { HealthAnswer, ModelAnswer, WindowsAnswer } from '../../lib/contracts/api.ts';
import type { Baseline, NumericBins, PublishedBaseline } from '../../lib/contracts/baseline.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../lib/contracts/result.ts';
import { baselineFromTable } from '../../lib/local/baseline-from-table.ts';
import { type Platform, startPlatform } from '../../lib/local/platform.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { seededRandom } from '../../lib/stats/random.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-03-02T00:00:00Z');
const ROWS = 300;

const MONITOR = {
  model: 'churn',
  task: 'binary-classification',
  positive: 'yes',
  columns: { score: 'score', prediction: 'predicted' },
  features: {
    name: { type: 'categorical', policy: 'hash' },
    city: { type: 'categorical', policy: 'bucket' },
    salary: { type: 'numeric', policy: 'bucket' },
    diagnosis: { type: 'categorical', policy: 'drop' },
    account: { type: 'numeric', policy: 'drop' },
    tenure: { type: 'numeric' },
  },
  window: { every: '1h', lateness: '1m', minimumRows: 100 },
  drift: { scales: ['1h'] },
  truth: { horizon: '2h' },
  alerts: { after: '1 of 1' },
};
/** What no byte may show: all names and rare cities, the ends of the reference's salaries, all those of events, whatever is dropped or not declared. */
const SECRETS = /SECRET|\.97531086|\.24681012|\.86420975/;
/** Of the salaries of events. */
const EVENT = 0.246810121;
const NUMBERS: number[] = [];

let folder: string;
let data: string;
let platform: Platform | null = null;
const failures: string[] = [];
const random = seededRandom(21);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policies-'));
  data = join(folder, 'data');
});
afterEach(async () => {
  await platform?.stop();
  await rm(folder, { recursive: true, force: true });
});

function row(fraction: number): Record<string, unknown> {
  const u = random.next();
  const salary = Math.floor(20_000 + 60_000 * random.next() ** 2) + fraction;
  const account = Math.floor(random.next() * 1e6) + 0.864209753;
  if (fraction === EVENT) NUMBERS.push(salary, account);
  return {
    name: u < 0.05 ? `SECRET-name-${Math.floor(random.next() * 30)}` : `SECRET-name-${'abcd'[Math.floor(u * 4)]}`,
    city:
      random.next() < 0.06
        ? `SECRET-city-${Math.floor(random.next() * 30)}`
        : ['Rome', 'Oslo', 'Bern'][Math.floor(random.next() * 3)],
    salary,
    diagnosis: 'SECRET-diagnosis',
    account,
    tenure: Math.floor(random.next() * 40),
    score: random.next(),
    predicted: random.next() < 0.5 ? 'yes' : 'no',
  };
}

/** The reference as it was before the monitor had policies, but for the bins of the salary. */
async function reference(): Promise<Baseline> {
  const rows = Array.from({ length: 3_000 }, () => ({ ...row(0.5), nick: 'SECRET-nick' }));
  Object.assign(rows[0]!, { salary: 11_111.975310864 });
  Object.assign(rows[1]!, { salary: 99_999.975310864 });
  const file = join(folder, 'reference.ndjson');
  await writeFile(file, rows.map((one) => JSON.stringify(one)).join('\n'));
  const { monitor } = parseMonitor({
    ...MONITOR,
    features: {
      ...Object.fromEntries(Object.entries(MONITOR.features).map(([name, { type }]) => [name, { type }])),
      salary: MONITOR.features.salary,
      nick: { type: 'categorical' },
    },
  });
  return baselineFromTable({
    table: await openTable(platform!.db, { files: [file], cwd: folder }),
    monitor: monitor!,
    version: '1',
  });
}

async function post(
  path: string,
  body: string,
  now: number,
  type = 'application/json',
  method = 'POST',
): Promise<Response> {
  const headers = { 'content-type': type, 'mlmon-replay-clock': new Date(now).toISOString() };
  return fetch(`${platform?.url}${path}`, { method, headers, body });
}

async function json<T>(path: string): Promise<T> {
  const answer = await fetch(`${platform?.url}${path}`);
  const text = await answer.text();
  expect(`${path} ${text.match(SECRETS)?.[0]}`).toBe(`${path} undefined`);
  return JSON.parse(text) as T;
}

async function eventually<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const until = Date.now() + 20_000;
  for (;;) {
    const value = await look();
    if (holds(value) || Date.now() > until) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const cloudEvent = (body: unknown): string =>
  JSON.stringify({ specversion: '1.0', id: 'r', source: '/test', type: 'ml.inference.v1', data: body });

async function sendHour(n: number): Promise<void> {
  const events = Array.from({ length: ROWS }, (_, i) => {
    const { name, city, salary, diagnosis, account, tenure, score, predicted } = row(EVENT);
    return {
      id: `e-${n}-${i}`,
      type: 'inference',
      model: 'churn',
      version: '1',
      time: new Date(START + n * HOUR + i * 1_000).toISOString(),
      numeric: { salary, account, tenure },
      categorical: { name, city, diagnosis, nick: 'SECRET-nick', ...(n === 1 ? { street: 'SECRET-street' } : {}) },
      score,
      predicted,
    };
  });
  const answer = await post('/v1/events', cloudEvent(events), START + (n + 1) * HOUR, 'application/cloudevents+json');
  expect(await answer.json()).toMatchObject({ accepted: ROWS });
  const labels = events.map(({ id }, i) => ({ id, model: 'churn', truth: i % 2 === 0 ? 'yes' : 'no' }));
  await post('/v1/labels', JSON.stringify(labels), START + (n + 1) * HOUR);
}

/** Each of them wrong in its own way. */
async function sendBad(now: number): Promise<void> {
  const good = { id: 'b', type: 'inference', model: 'churn', version: '1', time: new Date(now).toISOString() };
  const secrets = {
    categorical: { name: 'SECRET-name', diagnosis: 'SECRET-diagnosis' },
    numeric: { salary: 1.246810121 },
  };
  const bodies = [
    cloudEvent({
      ...good,
      categorical: { salary: 'SECRET', name: ['SECRET'] },
      numeric: { name: 4.246810121, salary: 'SECRET' },
      invalid: { account: 'SECRET', name: 'SECRET' },
      segment: { name: 'SECRET', floor: 'SECRET' },
    }),
    cloudEvent({ ...good, ...secrets, time: 'SECRET' }),
    cloudEvent({ ...good, ...secrets, version: { SECRET: 1 } }),
    cloudEvent({ ...good, ...secrets, id: ['SECRET'] }),
    cloudEvent({ ...good, ...secrets, score: 'SECRET' }),
    cloudEvent({ ...good, ...secrets, segment: ['SECRET'] }),
    cloudEvent({ ...good, ...secrets, model: 'chrun' }),
    cloudEvent({ ...good, ...secrets, type: 'SECRET' }),
    cloudEvent({ ...good, ...secrets, time: '2030-01-01T00:00:00Z' }),
    cloudEvent([good, 'SECRET', ['SECRET']]),
    JSON.stringify({ specversion: '9', data: { ...good, ...secrets } }),
    cloudEvent({ ...good, ...secrets }).slice(0, -9),
    '"SECRET"',
  ];
  for (const body of bodies) {
    const answer = await post('/v1/events', body, now, 'application/cloudevents+json');
    expect(`${body.slice(0, 400)}: ${(await answer.text()).match(SECRETS)?.[0]}`).toMatch(/: undefined$/);
  }
  await post(
    '/v1/labels',
    JSON.stringify([
      { id: 'e-0-0', model: 'churn', truth: ['SECRET'] },
      { id: 'SECRET', model: 'churn', truth: [] },
    ]),
    now,
  );
}

async function results(): Promise<WindowResult[]> {
  const found: WindowResult[] = [];
  for await (const key of listAll(platform!.store, 'results/churn/'))
    if (!key.includes('performance'))
      found.push(JSON.parse(Buffer.from((await platform!.store.get(key))!.body).toString()) as WindowResult);
  return found;
}

async function salaryBins(n: number): Promise<NumericBins> {
  const stored = await platform!.store.get(keys.baseline('churn', '1', n));
  const { baseline } = JSON.parse(Buffer.from(stored!.body).toString()) as PublishedBaseline;
  const column = baseline.columns.find(({ name }) => name === 'salary');
  if (column?.type !== 'numeric') throw new Error(`number ${n} has no salary`);
  return column.bins;
}

async function* files(at: string): AsyncGenerator<string> {
  for (const entry of await readdir(at, { withFileTypes: true })) {
    const path = join(at, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

describe('field policies', () => {
  it('hold from the event and the reference to the last byte on the disk, and what is held back is judged all the same', async () => {
    const onFailure = (what: string, error: unknown): void => void failures.push(`${what}: ${String(error)}`);
    platform = await startPlatform({ folder: data, port: 0, replayFrom: START, durability: 'os', onFailure });
    const baseline = await reference();
    expect(JSON.stringify(baseline)).toMatch(/SECRET-name.*SECRET-city.*SECRET-diagnosis.*SECRET-nick/);
    const publish = (more: object): Promise<Response> =>
      post('/api/models/churn/baselines', JSON.stringify({ baseline, version: '1', approve: true, ...more }), START);
    expect((await publish({})).status).toBe(404);
    expect((await publish({ monitor: MONITOR })).status).toBe(201);
    expect(
      (await post('/api/monitors/churn', JSON.stringify({ monitor: MONITOR }), START, 'application/json', 'PUT'))
        .status,
    ).toBe(200);

    for (let n = 0; n < 6; n++) await sendHour(n);
    await sendBad(START + 6 * HOUR);
    await eventually(
      () => json<WindowsAnswer>('/api/models/churn/windows'),
      ({ windows }) => windows.length >= 5,
    );
    await eventually(
      () => json<HealthAnswer>('/api/health'),
      ({ health }) => health.counts.captured >= 10 * ROWS,
    );
    for (const name of ['name', 'city', 'salary', 'tenure']) await json(`/api/models/churn/features/${name}`);

    // A baseline of what was captured, in force from the next boundary on.
    const windows = { from: new Date(START).toISOString(), to: new Date(START + 4 * HOUR).toISOString() };
    const made = await eventually(
      () => post('/api/models/churn/baselines', JSON.stringify(windows), START),
      ({ status }) => status === 201,
    );
    expect(made.status).toBe(201);
    const { n } = (await made.json()) as { n: number };
    const approved = await post(`/api/models/churn/baselines/${n}/approve`, '{}', START);
    const { effectiveFrom } = (await approved.json()) as { effectiveFrom: string };
    const last = (Date.parse(effectiveFrom) - START) / HOUR + 3;
    for (let hour = 6; hour < last; hour++) await sendHour(hour);
    await eventually(
      () => json<WindowsAnswer>('/api/models/churn/windows'),
      ({ windows: list }) => list.length >= last - 1,
    );
    await json<ModelAnswer>('/api/models/churn');
    const judged = await results();
    // Middles of buckets make no buckets of their own.
    expect((await salaryBins(3)).edges.length).toBeGreaterThan(8);
    expect(await salaryBins(3)).toEqual(await salaryBins(1));
    await platform.stop();
    expect(failures).toEqual([]);

    const known = judged.filter(({ rows }) => rows >= ROWS);
    expect(new Set(known.map(({ provenance }) => provenance.baseline?.n)).size).toBe(2);
    for (const { start, features, quality } of known) {
      const states = features.map(({ name, status }) => `${start} ${name} ${status}`);
      const watched = ['city', 'name', 'predicted', 'salary', 'score', 'tenure'];
      expect(states.sort()).toEqual(watched.map((name) => `${start} ${name} ok`));
      const breaches = quality.filter(({ breach, status }) => breach && status === 'drifted');
      const isSecond = start === new Date(START + HOUR).toISOString();
      expect(breaches.map(({ check, feature }) => `${check} ${feature}`)).toEqual(
        isSecond ? ['new-feature street'] : [],
      );
      // Few windows make a baseline that hardly rings: hashes that are none, or middles that are no bins, show here.
      const rate = (check: string, feature: string): number =>
        quality.find((one) => one.check === check && one.feature === feature)?.value ?? Number.NaN;
      expect([rate('unseen', 'name') < 0.02, rate('range', 'salary') < 0.02]).toEqual([true, true]);
    }

    const db = await openDuckDb();
    const doubles = [...NUMBERS.slice(0, 200), 11_111.975310864, 99_999.975310864].map((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    });
    let parquet = 0;
    for await (const path of files(data)) {
      const bytes = await readFile(path);
      expect(`${path} ${bytes.toString('latin1').match(SECRETS)?.[0]}`).toBe(`${path} undefined`);
      for (const double of doubles) expect(bytes.includes(double)).toBe(false);
      if (!path.endsWith('.parquet')) continue;
      const rows = await db.rows(`SELECT CAST(to_json(t) AS VARCHAR) AS t FROM read_parquet(${literal(path)}) t`);
      parquet += rows.length;
      const captured = rows.map(({ t }) => t).join('\n');
      expect(captured).toMatch(/"id":/);
      expect(captured.match(SECRETS)?.[0]).toBeUndefined();
    }
    await db.close();
    expect(parquet).toBeGreaterThan(3 * ROWS);
  }, 90_000);
});
