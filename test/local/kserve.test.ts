/** A model behind KServe on one machine: halves become windows, performance and a baseline as whole inferences would. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HealthAnswer, WindowsAnswer } from '../../lib/contracts/api.ts';
import type { Platform } from '../../lib/local/platform.ts';
import { eventually, replayedPlatform, sent } from './replayed-platform.ts';

const HOUR = 3_600_000;
const START = Date.parse('2001-02-01T00:00:00Z');
const ROWS = 50;
let folder: string;
let platform: Platform | null = null;
const failures: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kserve-'));
  platform = await replayedPlatform(folder, START, failures);
});
afterEach(async () => {
  await platform?.stop();
  platform = null;
  await rm(folder, { recursive: true, force: true });
});

const send = (path: string, body: unknown, headers: Record<string, string>, method = 'POST'): Promise<unknown> =>
  sent(platform, path, body, { headers, method });
const seen = <T>(path: string, holds: (value: T) => boolean): Promise<T> =>
  eventually(async () => (await (await fetch(`${platform?.url}${path}`)).json()) as T, holds);

const MONITOR = {
  model: 'churn',
  task: 'binary-classification',
  positive: 'yes',
  features: { age: { type: 'numeric' }, plan: { type: 'categorical' } },
  window: { every: '1h', lateness: '1m', minimumRows: 10 },
  truth: { horizon: '2h' },
  kserve: { version: '7', output: 'score' },
};

/** One batch of 50 rows in hour `n`; the response of hour 1 is lost. */
async function infer(n: number): Promise<void> {
  const headers = (half: string) => ({
    'ce-specversion': '1.0',
    'ce-type': `org.kubeflow.serving.inference.${half}`,
    'ce-id': `batch-${n}`,
    'ce-source': 'pod',
    'ce-time': new Date(START + n * HOUR + HOUR / 2).toISOString(),
    'ce-inferenceservicename': 'churn',
    'ce-component': 'predictor',
  });
  const instances = Array.from({ length: ROWS }, (_, i) => [20 + i, i % 2 === 0 ? 'gold' : 'basic']);
  const predictions = instances.map((_, i) => i / ROWS);
  const request = () => send('/v1/kserve', { instances }, headers('request'));
  const response = () => send('/v1/kserve', { predictions }, headers('response'));
  // In any order, as the logger sends them.
  if (n === 1) await request();
  else for (const half of n % 2 === 0 ? [request, response] : [response, request]) await half();
}

const label = (n: number) =>
  send(
    '/v1/labels',
    Array.from({ length: ROWS }, (_, i) => ({ id: `batch-${n}/${i}`, model: 'churn', truth: i < 20 ? 'yes' : 'no' })),
    { 'mlmon-replay-clock': new Date(START + (n + 1) * HOUR).toISOString() },
  );

it('counts requests as rows, and labels by responses', async () => {
  await send('/api/monitors/churn', { monitor: MONITOR }, {}, 'PUT');
  for (let n = 0; n < 5; n++) {
    // The labels move the clock, so they come before what they belong to: the join does not mind.
    await label(n);
    await infer(n);
  }
  const windows = await seen<WindowsAnswer>(
    '/api/models/churn/windows',
    ({ windows: list, performance }) =>
      list.length >= 4 && performance.filter(({ labels }) => labels === ROWS).length >= 2,
  );
  expect(windows.windows.map(({ rows, version }) => [rows, version]).slice(0, 4)).toEqual(
    Array.from({ length: 4 }, () => [ROWS, '7']),
  );
  expect(windows.windows[0]!.quality).toEqual([]);
  const ofHour = (n: number) =>
    windows.performance.find(({ start }) => start === new Date(START + n * HOUR).toISOString());
  expect(ofHour(0)).toMatchObject({ predictions: ROWS, labels: ROWS });
  expect(ofHour(2)).toMatchObject({ predictions: ROWS, labels: ROWS });
  expect(ofHour(1)?.predictions ?? 0).toBe(0);

  const { health } = await seen<HealthAnswer>('/api/health', ({ health: { counts } }) => counts.profiled === 9 * ROWS);
  expect(health.counts).toMatchObject({ profiled: 9 * ROWS, labels: 5 * ROWS, quarantined: {} });
  const range = { from: '2001-02-01T00:00:00Z', to: '2001-02-01T02:00:00Z' };
  const made = await send('/api/models/churn/baselines', range, {});
  expect(made).toMatchObject({ version: '7', rows: 3 * ROWS });
  expect(failures).toEqual([]);
});
