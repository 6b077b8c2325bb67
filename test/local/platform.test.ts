import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FeatureAnswer, HealthAnswer, ModelAnswer, ModelsAnswer, WindowsAnswer } from '../../lib/contracts/api.ts';
import { type Platform, startPlatform } from '../../lib/local/platform.ts';
import { parseExposition } from '../adapters/prometheus/parse-exposition.ts';
import { asked, eventually, replayedPlatform, sent } from './replayed-platform.ts';

const HOUR = 3_600_000;
const START = Date.parse('2001-02-01T00:00:00Z');
let folder: string;
let platform: Platform | null = null;
const failures: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'platform-'));
  failures.length = 0;
});
afterEach(async () => {
  await platform?.stop();
  platform = null;
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<Platform> {
  platform = await replayedPlatform(folder, START, failures);
  return platform;
}
const json = <T>(path: string): Promise<T> => asked<T>(platform, path);
const send = (path: string, body: unknown, clock: number, method = 'POST'): Promise<Record<string, unknown>> =>
  sent(platform, path, body, { clock, method });

const cloudEvent = (data: unknown): unknown => ({
  specversion: '1.0',
  id: 'r',
  source: '/test',
  type: 'ml.inference.v1',
  data,
});

/** One hour of events, all sent at its end. */
function hour(n: number): Record<string, unknown>[] {
  return Array.from({ length: 50 }, (_, i) => ({
    id: `e-${n}-${i}`,
    type: 'inference',
    model: 'flights',
    version: '3',
    time: new Date(START + n * HOUR + i * 60_000).toISOString(),
    numeric: { distance: 100 + i },
    categorical: { origin: i % 2 === 0 ? 'JFK' : 'LAX' },
    score: i / 50,
    predicted: i < 25 ? 'yes' : 'no',
  }));
}

const MONITOR = {
  model: 'flights',
  task: 'binary-classification',
  positive: 'yes',
  features: { distance: { type: 'numeric' }, origin: { type: 'categorical' } },
  window: { every: '1h', lateness: '1m', minimumRows: 10 },
  truth: { horizon: '2h' },
};

describe('startPlatform', () => {
  it('takes events to windows, labels to performance, and goes on after a restart', async () => {
    await start();
    await send('/api/monitors/flights', { monitor: MONITOR }, START, 'PUT');
    for (let n = 0; n < 4; n++) {
      const events = hour(n);
      expect(await send('/v1/events', cloudEvent(events), START + (n + 1) * HOUR)).toMatchObject({ accepted: 50 });
      await send(
        '/v1/labels',
        events.map(({ id }, i) => ({ id, model: 'flights', truth: i < 20 ? 'yes' : 'no' })),
        START + (n + 1) * HOUR,
      );
    }
    expect(await send('/v1/events', cloudEvent({ ...hour(3)[0], model: 'nobody' }), START + 4 * HOUR)).toMatchObject({
      quarantined: 1,
    });
    const models = await eventually(
      () => json<ModelsAnswer>('/api/models'),
      ({ models: [first] }) => first?.lastWindow?.start === '2001-02-01T02:00:00.000Z',
    );
    expect(models.now).toBe('2001-02-01T04:00:00.000Z');
    expect(models.models[0]).toMatchObject({ model: 'flights', version: '3', lastWindow: { rows: 50 } });
    const windows = await eventually(
      () => json<WindowsAnswer>('/api/models/flights/windows'),
      ({ performance }) => performance.some(({ labels }) => labels === 50),
    );
    expect(windows.windows.map(({ rows }) => rows).slice(0, 3)).toEqual([50, 50, 50]);
    const labelled = windows.performance.find(({ labels }) => labels === 50);
    expect(labelled?.metrics.find(({ metric }) => metric === 'accuracy')?.value).toBe(0.9);

    const health = await eventually(
      () => json<HealthAnswer>('/api/health'),
      ({ health: { counts } }) => counts.profiled === 200,
    );
    expect(health.health.counts).toMatchObject({ profiled: 200, labels: 200, quarantined: { 'unknown-model': 1 } });
    expect(health.quarantine[0]).toMatchObject({ reason: 'unknown-model' });
    const metrics = parseExposition(await (await fetch(`${platform?.url}/metrics`)).text());
    expect(metrics.find(({ name, labels }) => name === 'mlmon_window_rows' && labels['length'] === '1h')?.value).toBe(
      50,
    );
    expect(metrics.find(({ name }) => name === 'mlmon_profiler_records_processed_total')?.value).toBe(200);

    const made = await send(
      '/api/models/flights/baselines',
      { from: '2001-02-01T00:00:00Z', to: '2001-02-01T02:00:00Z' },
      START,
    );
    expect(made).toMatchObject({ version: '3', n: 1, rows: 150, approved: null });

    const approved = await send('/api/models/flights/baselines/1/approve', {}, START);
    // In a replay caches live for six hours: twice that, and at the next boundary that lies ahead of every event.
    expect(approved).toMatchObject({ effectiveFrom: '2001-02-01T17:00:00.000Z', approved: { by: 'local' } });

    await platform?.stop();
    await start();
    const again = await json<ModelAnswer>('/api/models/flights');
    expect(again.now).toBe('2001-02-01T04:00:00.000Z');
    expect(again.baselines).toHaveLength(2);
    for (let n = 4; n < 19; n++) await send('/v1/events', cloudEvent(hour(n)), START + (n + 1) * HOUR);
    const later = await eventually(
      () => json<WindowsAnswer>('/api/models/flights/windows'),
      ({ windows: list }) => list.at(-1)?.start === '2001-02-01T17:00:00.000Z',
    );
    expect(later.windows.map(({ rows }) => rows)).toEqual(Array.from({ length: 18 }, () => 50));

    // The first window under the baseline: looked at closely.
    const feature = await json<FeatureAnswer>('/api/models/flights/features/origin');
    expect(feature.window?.start).toBe('2001-02-01T17:00:00.000Z');
    expect(feature.distribution?.bins).toEqual([
      { label: 'JFK', reference: 0.5, current: 0.5 },
      { label: 'LAX', reference: 0.5, current: 0.5 },
    ]);
    expect(feature.result?.others.map(({ test }) => test)).toContain('chi-square');
    const numeric = await json<FeatureAnswer>('/api/models/flights/features/distance');
    const shares = numeric.distribution?.bins.map(({ current }) => current) ?? [];
    expect(shares.length).toBeGreaterThan(3);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(numeric.result?.others.map(({ test }) => test)).toContain('wasserstein');
    expect(failures).toEqual([]);
  });

  it('refuses to be reached by others without a token', async () => {
    await expect(startPlatform({ folder, port: 0, host: '0.0.0.0' })).rejects.toThrow('no token is set');
    const tokenFile = join(folder, 'tokens');
    await writeFile(tokenFile, 'boss read,admin a-long-enough-token\n');
    platform = await startPlatform({ folder, port: 0, host: '0.0.0.0', tokenFile, durability: 'os' });
    const { port } = new URL(platform.url);
    expect((await fetch(`http://127.0.0.1:${port}/api/models`)).status).toBe(401);
    const asked = await fetch(`http://127.0.0.1:${port}/api/models`, {
      headers: { authorization: 'Bearer a-long-enough-token' },
    });
    expect(asked.status).toBe(200);
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  });
});
