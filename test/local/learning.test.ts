/** A baseline learned from the first week, through the whole platform on one machine, by the clock of a replay. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandIo } from '../../lib/cli/command.ts';
import { command as doctor } from '../../lib/cli/doctor.ts';
import type { ModelAnswer, ModelsAnswer, WindowsAnswer } from '../../lib/contracts/api.ts';
import type { PublishedBaseline } from '../../lib/contracts/baseline.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../lib/contracts/result.ts';
import type { Platform } from '../../lib/local/platform.ts';
import { readJson } from '../../lib/pipeline/json-object.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { parseExposition } from '../adapters/prometheus/parse-exposition.ts';
import { seeded } from '../pipeline/simulation.ts';
import { asked, eventually, replayedPlatform, sent } from './replayed-platform.ts';

const HOUR = 3_600_000;
const EVERY = 6 * HOUR;
const START = Date.parse('2001-02-05T00:00:00Z');
let folder: string;
let platform: Platform | null = null;
const failures: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'learning-'));
  failures.length = 0;
});
afterEach(async () => {
  await platform?.stop();
  platform = null;
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  platform = await replayedPlatform(folder, START, failures);
}
const json = <T>(path: string): Promise<T> => asked<T>(platform, path);
const send = (path: string, body: unknown, clock: number, method = 'POST'): Promise<Record<string, unknown>> =>
  sent(platform, path, body, { clock, method });

const random = seeded(7);
/** Of mean 0 and variance 1, near enough to a normal one. */
const normal = (): number => Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6);

/** A window of six hours; `scale` and `shift` are what happens to the fare. */
function events(window: number, { rows = 300, shift = 0, scale = 1 } = {}): unknown[] {
  return Array.from({ length: rows }, (_, i) => ({
    id: `e-${window}-${i}`,
    type: 'inference',
    model: 'fares',
    version: '3',
    time: new Date(START + window * EVERY + Math.floor((i * EVERY) / rows)).toISOString(),
    numeric: { fare: (50 + 10 * normal() + shift) * scale },
    categorical: { origin: random() < 0.7 ? 'JFK' : 'LAX' },
    score: random(),
    predicted: random() < 0.5 ? 'yes' : 'no',
  }));
}

async function tell(window: number, what?: Parameters<typeof events>[1]): Promise<void> {
  const data = events(window, what);
  const answer = await send(
    '/v1/events',
    { specversion: '1.0', id: `w-${window}`, source: '/test', type: 'ml.inference.v1', data },
    START + (window + 1) * EVERY,
  );
  expect(answer).toMatchObject({ accepted: data.length });
}

async function stored<T>(prefix: string): Promise<T[]> {
  const found: T[] = [];
  for await (const key of listAll(platform!.store, prefix)) {
    const object = await readJson<T>(platform!.store, key);
    if (object !== null) found.push(object.value);
  }
  return found;
}

const MONITOR = {
  model: 'fares',
  task: 'binary-classification',
  positive: 'yes',
  baseline: { learn: '7d' },
  features: { fare: { type: 'numeric' }, origin: { type: 'categorical' } },
  window: { every: '6h', lateness: '1m', revise: '1h' },
  drift: { scales: [] },
  alerts: { after: '1 of 1' },
};

describe('a baseline that is learned', () => {
  it('is made of the first week without the window that stands out, is provisional until approved, and finds drift', async () => {
    await start();
    await send('/api/monitors/fares', { monitor: MONITOR }, START, 'PUT');
    // An incident in the third day: fares in cents.
    for (let window = 0; window < 28; window++) await tell(window, window === 9 ? { scale: 100 } : {});
    const during = await eventually(
      () => json<ModelAnswer>('/api/models/fares'),
      ({ summary }) =>
        summary.lastWindow?.end === new Date(START + 27 * EVERY).toISOString() && summary.learning?.from != null,
    );
    expect(during.baselines).toEqual([]);
    expect(during.summary).toMatchObject({
      state: 'learning',
      reason: 'the baseline is learned from the first 7d',
      learning: { from: '2001-02-05T00:00:00.000Z', due: '2001-02-12T00:00:00.000Z', held: null },
    });
    expect(during.summary.learning?.progress).toBe(1);

    // The clock passes the lateness of the last day, and its last events are captured.
    await tell(28);
    await tell(29);
    const learned = await eventually(
      () => json<ModelAnswer>('/api/models/fares'),
      ({ baselines }) => baselines.length > 0,
    );
    expect(learned.baselines).toHaveLength(1);
    const [baseline] = await stored<PublishedBaseline>(keys.baselines('fares'));
    expect(baseline).toMatchObject({
      n: 1,
      version: '3',
      approved: null,
      provisional: true,
      baseline: {
        rows: 27 * 300,
        source: { kind: 'windows' },
        learned: { leftOut: [{ start: '2001-02-07T06:00:00.000Z', end: '2001-02-07T12:00:00.000Z' }] },
      },
    });
    // Nothing was counted there, which is no silence.
    expect(baseline?.baseline.volume?.rows).toEqual(Array.from({ length: 27 }, () => 300));
    expect(learned.baselines[0]?.findings.join()).toMatch(
      /the window from 2001-02-07T06:00:00.000Z stands out and is left out, got fare: distance/,
    );
    const from = Date.parse(baseline?.effectiveFrom ?? '');
    const first = (from - START) / EVERY;
    expect(Number.isInteger(first)).toBe(true);

    for (let window = 30; window < first + 4; window++) await tell(window);
    await tell(first + 4, { shift: 15 });
    await tell(first + 5, { shift: 15 });
    await tell(first + 6);
    const windows = await eventually(
      () => json<WindowsAnswer>('/api/models/fares/windows?length=6h'),
      ({ windows: list }) => list.at(-1)?.start === new Date(START + (first + 5) * EVERY).toISOString(),
    );
    const status = windows.windows.map((one) => one.status);
    expect(status.slice(0, first)).toEqual(Array.from({ length: first }, () => 'learning'));
    expect(status.slice(first)).toEqual(['ok', 'ok', 'ok', 'ok', 'drifted', 'drifted']);
    expect(windows.windows.at(-1)?.features['fare']?.status).toBe('drifted');
    const results = (await stored<WindowResult>(keys.results('fares', '3', from + 4 * EVERY))).filter(
      ({ schema }) => schema === 'mlmon.result/v1',
    );
    expect(results[0]?.provenance.baseline).toEqual({ version: '3', n: 1, fallback: false, provisional: true });
    expect(results[0]?.features.every(({ provisional }) => provisional)).toBe(true);
    const alerts = await json<ModelAnswer>('/api/models/fares');
    expect(alerts.episodes.filter(({ signal }) => signal === 'drift')).toMatchObject([
      { provisional: true, features: [{ name: 'fare' }] },
    ]);

    const approved = await send('/api/models/fares/baselines/1/approve', { version: '3' }, START);
    expect(approved).toMatchObject({ n: 2, approved: { by: 'local' } });
    await platform?.stop();
    await start();
    const again = await json<ModelsAnswer>('/api/models');
    expect(again.models[0]?.learning).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await stored(keys.baselines('fares'))).toHaveLength(2);
    expect(failures).toEqual([]);
  }, 60_000);

  it('goes on with a reason where there are too few rows', async () => {
    await start();
    await send('/api/monitors/fares', { monitor: { ...MONITOR, baseline: { learn: '1d' } } }, START, 'PUT');
    for (let window = 0; window < 6; window++) await tell(window, { rows: window < 3 ? 20 : 250 });
    const held = await eventually(
      () => json<ModelsAnswer>('/api/models'),
      ({ models }) => models[0]?.learning?.held != null && models[0]?.lastWindow?.start === '2001-02-06T00:00:00.000Z',
    );
    const reason =
      'the baseline is learned for longer than asked (too-few-rows): 1 of 4 windows have 200 rows; at least 4 are needed';
    expect(held.models[0]?.learning).toMatchObject({ due: '2001-02-06T00:00:00.000Z' });
    expect(held.models[0]?.learning?.held).toMatch(
      /too-few-rows\): \d of \d windows have 200 rows; at least 4 are needed/,
    );
    const metrics = await eventually(
      async () => parseExposition(await (await fetch(`${platform?.url}/metrics`)).text()),
      (samples) => samples.some(({ name }) => name === 'mlmon_learning_held'),
    );
    expect(metrics.find(({ name }) => name === 'mlmon_learning_held')).toMatchObject({
      labels: { model: 'fares', reason: 'too-few-rows' },
      value: 1,
    });
    expect(metrics.find(({ name }) => name === 'mlmon_learning_ratio')?.value).toBe(1);
    const { windows } = await json<WindowsAnswer>('/api/models/fares/windows?length=6h');
    expect(windows.slice(0, 4).map(({ reason: told }) => told)).not.toContain(reason);

    let said = '';
    const stdout = { write: (text: string) => (said += text).length > 0, isTTY: false };
    const port = new URL(platform?.url ?? '').port;
    const code = await doctor.run(['--data', folder, '--port', port], {
      cwd: folder,
      stdout,
      stderr: stdout,
    } as unknown as CommandIo);
    expect(said).toMatch(
      /^wrong {3}baseline of fares: the baseline is learned for longer than asked \(too-few-rows\)/m,
    );
    expect(code).toBe(1);

    for (let window = 6; window < 8; window++) await tell(window);
    await tell(8);
    const made = await eventually(
      () => json<ModelAnswer>('/api/models/fares'),
      ({ baselines }) => baselines.length > 0,
    );
    expect(made.baselines[0]).toMatchObject({ provisional: true });
    expect(failures).toEqual([]);
  }, 60_000);
});
