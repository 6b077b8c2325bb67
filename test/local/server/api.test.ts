import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  AlertsAnswer,
  FeatureAnswer,
  ModelAnswer,
  ModelsAnswer,
  WindowsAnswer,
} from '../../../lib/contracts/api.ts';
import { ProblemError } from '../../../lib/contracts/problem.ts';
import { type Rig, type RigOptions, startRig } from './harness.ts';
import { featureResult, performanceResult, put, putEpisodes, windowResult } from './results.ts';

let rig: Rig;
afterEach(() => rig.close());

async function start(options?: RigOptions): Promise<Rig> {
  rig = await startRig(options);
  return rig;
}

async function get<T>(path: string): Promise<T> {
  const answer = await rig.ask('GET', path);
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as T;
}

describe('GET /api', () => {
  beforeEach(async () => {
    const { store } = await start();
    for (let day = 1; day <= 9; day++)
      await put(store, windowResult({ start: `2001-02-0${day}T00:00:00Z`, rows: 100 + day }));
    await put(store, windowResult({ start: '2001-02-09T00:00:00Z', revision: 1, rows: 200, status: 'drifted' }));
    await put(store, windowResult({ start: '2001-02-09T00:00:00Z', revision: 10, rows: 300, status: 'drifted' }));
    await put(store, windowResult({ start: '2001-02-09T00:00:00Z', version: '4/b', rows: 7 }));
    await put(store, windowResult({ start: '2001-01-29T00:00:00Z', length: '7d', rows: 700 }));
    await put(store, performanceResult({ start: '2001-02-07T00:00:00Z', accuracy: 0.7 }));
    await put(store, performanceResult({ start: '2001-02-07T00:00:00Z', accuracy: 0.81, revision: 1 }));
    await put(store, performanceResult({ start: '2001-02-08T00:00:00Z', accuracy: 0, labels: 0 }));
    await putEpisodes(store, 'flights');
  });

  it('models', async () => {
    const { models, now, health } = await get<ModelsAnswer>('/api/models');
    expect([now, health.status]).toEqual(['2001-02-10T12:00:00.000Z', 'ok']);
    expect(models).toEqual([
      {
        model: 'flights',
        owner: 'team-f',
        task: 'binary-classification',
        version: '3',
        state: 'drifted',
        reason: null,
        lastWindow: { start: '2001-02-09T00:00:00.000Z', end: '2001-02-10T00:00:00.000Z', rows: 300 },
        openEpisodes: 1,
        severity: 'warning',
        headline: { metric: 'accuracy', value: 0.81, mature: true, coverage: 0.8 },
        recentRows: [101, 102, 103, 104, 105, 106, 107, 108, 300],
        removed: false,
        timezone: 'UTC',
      },
    ]);
  });

  it('one model', async () => {
    const model = await get<ModelAnswer>('/api/models/flights');
    expect(model.versions).toEqual(['3', '4/b']);
    expect(model.lengths).toEqual(['1d', '7d']);
    expect(model.features).toContainEqual({ name: 'distance', type: 'numeric', role: 'feature' });
    expect(model.episodes.map(({ id }) => id)).toEqual(['e1', 'e0']);
    expect(model.monitorNumber).toBe(1);
  });

  it('windows: the newest revision of each, oldest first, the newest so many', async () => {
    const { windows, performance, length } = await get<WindowsAnswer>('/api/models/flights/windows?version=3');
    expect(length).toBe('1d');
    expect(windows.map(({ rows, revision }) => [rows, revision])).toEqual([
      ...[101, 102, 103, 104, 105, 106, 107, 108].map((rows) => [rows, 0]),
      [300, 10],
    ]);
    expect(performance.map(({ start, metrics }) => [start.slice(0, 10), metrics[0]?.value])).toEqual([
      ['2001-02-07', 0.81],
      ['2001-02-08', 0],
    ]);
    expect(windows.at(-1)?.features['distance']).toMatchObject({ status: 'drifted', missing: 5 / 300, mean: 3 });
    expect(windows.at(-1)?.quality.map(({ check }) => check)).toEqual(['missing']);
    const some = await get<WindowsAnswer>(
      '/api/models/flights/windows?limit=2&from=2001-02-03T00:00:00Z&to=2001-02-06T00:00:00Z',
    );
    expect(some.windows.map(({ rows }) => rows)).toEqual([104, 105]);
    expect((await get<WindowsAnswer>('/api/models/flights/windows?length=7d')).windows.map(({ rows }) => rows)).toEqual(
      [700],
    );
    expect(
      (await get<WindowsAnswer>('/api/models/flights/windows?version=4%2Fb')).windows.map(({ rows }) => rows),
    ).toEqual([7]);
  });

  it('shows a result as soon as it is there', async () => {
    await get<ModelsAnswer>('/api/models');
    await put(rig.store, windowResult({ start: '2001-02-10T00:00:00Z', rows: 500 }));
    expect((await get<ModelsAnswer>('/api/models')).models[0]?.lastWindow?.rows).toBe(500);
  });

  it('one feature', async () => {
    const feature = await get<FeatureAnswer>('/api/models/flights/features/distance?version=3');
    expect(feature.window).toMatchObject({ start: '2001-02-09T00:00:00.000Z', rows: 300 });
    expect(feature.result?.status).toBe('drifted');
    expect(feature.history).toHaveLength(9);
    expect(feature.explanation.join('\n')).toContain('Population stability index: 0.02');
    const earlier = await get<FeatureAnswer>('/api/models/flights/features/distance?start=2001-02-02T00:00:00.000Z');
    expect(earlier.window?.rows).toBe(102);
    expect((await rig.ask('GET', '/api/models/flights/features/nothing')).status).toBe(404);
  });

  it('names that come from data, whatever they are', async () => {
    for (const [i, name] of ['__proto__', 'constructor', 'a/b?c#d', '<script>', 'é', ' '].entries()) {
      await put(
        rig.store,
        windowResult({ start: `2001-02-1${i}T00:00:00Z`, version: `v${i}`, features: [featureResult(name)] }),
      );
      const answer = await get<FeatureAnswer>(`/api/models/flights/features/${encodeURIComponent(name)}?version=v${i}`);
      expect(answer.result?.name).toBe(name);
      expect(answer.history).toHaveLength(1);
    }
  });

  it('alerts', async () => {
    const { alerts, silences } = await get<AlertsAnswer>('/api/alerts');
    expect(alerts[0]).toMatchObject({
      id: 'e1',
      state: 'open',
      corrected: false,
      silenced: true,
      acknowledged: { by: 'Ada' },
      notifiedAt: '2001-02-08T01:00:00.000Z',
      runbook: '/runbook#drift',
      context: ['baseline 2 took effect'],
      deliveries: [
        { transition: 'opened', channel: 'hook', state: 'failed', detail: '404' },
        { transition: 'opened', channel: 'inbox', state: 'delivered' },
        { transition: 'opened', channel: 'slack', state: 'pending', detail: 'attempt 2' },
      ],
    });
    expect(alerts[1]).toMatchObject({
      id: 'e0',
      state: 'closed',
      corrected: true,
      deliveries: [{ state: 'silenced' }],
    });
    expect(silences).toHaveLength(1);
    expect((await get<AlertsAnswer>('/api/alerts?state=closed&model=flights')).alerts.map(({ id }) => id)).toEqual([
      'e0',
    ]);
  });

  it('says what is wrong with a question', async () => {
    for (const [path, status] of [
      ['/api/models/nobody', 404],
      ['/api/models/flights/windows?limit=0', 400],
      ['/api/models/flights/windows?from=yesterday', 400],
      ['/api/alerts?state=perhaps', 400],
      ['/api/alerts?model=nobody', 404],
      ['/api/nothing', 404],
    ] as const) {
      const answer = await rig.ask('GET', path);
      expect([path, answer.status, answer.headers['content-type']]).toEqual([path, status, 'application/problem+json']);
    }
    const wrong = await rig.ask('POST', '/api/models');
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });
});

describe('answers', () => {
  it('carry an ETag, are compressed, and HEAD has no body', async () => {
    const { ask } = await start();
    const plain = await ask('GET', '/openapi.json');
    const etag = String(plain.headers['etag']);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect((await ask('GET', '/openapi.json', { headers: { 'if-none-match': `"x", W/${etag}` } })).status).toBe(304);
    const packed = await ask('GET', '/openapi.json', { headers: { 'accept-encoding': 'br, gzip;q=0.5' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
    expect(
      (await ask('GET', '/openapi.json', { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'],
    ).toBeUndefined();
    const head = await ask('HEAD', '/openapi.json');
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([
      200,
      0,
      String(plain.body.length),
    ]);
  });

  it('carry the headers of security', async () => {
    const { ask } = await start();
    for (const path of ['/openapi.json', '/api/models', '/nothing', '/runbook', '/metrics']) {
      const { headers } = await ask('GET', path);
      expect(headers['x-content-type-options'], path).toBe('nosniff');
      expect(headers['x-frame-options'], path).toBe('DENY');
      expect(headers['content-security-policy'], path).toMatch(/default-src 'none'; script-src 'self';/);
      expect(headers['referrer-policy'], path).toBe('no-referrer');
      expect(headers['x-powered-by'], path).toBeUndefined();
    }
  });

  it('serve the page as it was built', async () => {
    const file = {
      type: 'text/html; charset=utf-8',
      body: Buffer.from('<p>x</p>'),
      gzip: Buffer.from('packed'),
      etag: '"abc"',
    };
    const { ask } = await start({ page: new Map([['/', file]]) });
    const page = await ask('GET', '/?query', { headers: { 'accept-encoding': 'gzip' } });
    expect([page.status, page.text, page.headers['etag'], page.headers['content-type']]).toEqual([
      200,
      'packed',
      '"abc"',
      file.type,
    ]);
  });

  it('answer for health and readiness, and leave room for KServe', async () => {
    let reason: string | null = null;
    const { ask } = await start({ notReady: () => reason });
    expect((await ask('GET', '/healthz')).json()).toEqual({ status: 'ok' });
    expect((await ask('GET', '/readyz')).status).toBe(200);
    reason = 'the disk is full';
    const not = await ask('GET', '/readyz');
    expect([not.status, not.json().detail]).toEqual([503, 'the disk is full']);
  });

  it('describe themselves', async () => {
    const { ask } = await start();
    const document = (await ask('GET', '/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name!,
    );
    expect(references.length).toBeGreaterThan(5);
    for (const name of references) expect(document.components.schemas).toHaveProperty(name);
    expect(document.components.schemas.Inference.properties).toHaveProperty('latency_ms');
  });
});

describe('changes', () => {
  it('reach whoever does them, checked', async () => {
    const seen: unknown[] = [];
    const note =
      (name: string, answer?: unknown) =>
      async (...input: unknown[]) => {
        seen.push([name, ...input]);
        return answer as never;
      };
    const published = {
      n: 2,
      version: '3',
      effectiveFrom: null,
      approved: null,
      baseline: { rows: 5, source: { kind: 'windows', name: '', from: null, to: null }, findings: [] },
    };
    const { ask } = await start({
      actions: {
        acknowledge: note('acknowledge'),
        silence: note('silence', { id: 's' }),
        testChannels: note('test', { channels: [] }),
        applyMonitor: note('apply', { n: 2 }),
        makeBaseline: note('make', published),
        publishBaseline: note('publish', published),
        approveBaseline: note('approve', published),
        rollbackBaseline: note('rollback', published),
      },
    });
    const send = async (method: string, path: string, body: unknown): Promise<number> =>
      (await ask(method, path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status;
    expect(await send('POST', '/api/alerts/e%2F1/acknowledge', { note: 'x' })).toBe(200);
    expect(await send('POST', '/api/silences', { model: 'm', for: '4h', reason: 'r', by: 'Ada' })).toBe(201);
    expect(await send('POST', '/api/alerts/test', {})).toBe(200);
    expect(await send('PUT', '/api/monitors/m', { monitor: { model: 'm' } })).toBe(200);
    expect(await send('POST', '/api/models/m/baselines', { from: '2001-02-01T00:00:00Z' })).toBe(201);
    expect(await send('POST', '/api/models/m/baselines', { baseline: { a: 1 }, version: '3', approve: true })).toBe(
      201,
    );
    expect(await send('POST', '/api/models/m/baselines/2/approve', { version: '3' })).toBe(200);
    expect(await send('POST', '/api/models/m/baselines/2/rollback', { version: '3' })).toBe(200);
    expect(seen).toEqual([
      ['acknowledge', 'e/1', { note: 'x', by: 'local' }],
      ['silence', { model: 'm', signal: null, for: '4h', reason: 'r', by: 'Ada' }],
      ['test'],
      ['apply', 'm', { model: 'm' }, 'local'],
      ['make', 'm', { from: '2001-02-01T00:00:00Z', to: null, by: 'local' }],
      ['publish', 'm', { baseline: { a: 1 }, version: '3', approve: true, by: 'local' }],
      ['approve', 'm', { version: '3', n: 2, by: 'local' }],
      ['rollback', 'm', { version: '3', by: 'local' }],
    ]);
    seen.length = 0;
    for (const [method, path, body] of [
      ['POST', '/api/silences', { model: 'm', for: 'ages', reason: 'r' }],
      ['POST', '/api/silences', { model: 'm', for: '4h' }],
      ['POST', '/api/silences', []],
      ['PUT', '/api/monitors/m', {}],
      ['POST', '/api/models/m/baselines', { from: 'yesterday' }],
      ['POST', '/api/alerts/e/acknowledge', { surprise: 1 }],
    ] as const)
      expect(await send(method, path, body), path).toBe(400);
    expect(
      (await ask('POST', '/api/silences', { headers: { 'content-type': 'application/json' }, body: '{oops' })).status,
    ).toBe(400);
    expect(seen).toEqual([]);
  });

  it('say what whoever does them says', async () => {
    const { ask } = await start({
      actions: {
        acknowledge: async () => {
          throw new ProblemError([{ code: 'unknown-alert', path: 'e', message: 'there is no such alert' }]);
        },
        removeMonitor: async () => {
          throw new ProblemError([{ code: 'wrong-value', path: 'x', message: 'is not valid' }]);
        },
        testChannels: async () => {
          throw new Error('a bug');
        },
      },
    });
    const json = { headers: { 'content-type': 'application/json' }, body: '{}' };
    const unknown = await ask('POST', '/api/alerts/e/acknowledge', json);
    expect([unknown.status, unknown.json().problems]).toEqual([
      404,
      [{ code: 'unknown-alert', path: 'e', message: 'there is no such alert' }],
    ]);
    expect((await ask('DELETE', '/api/monitors/m', json)).status).toBe(400);
    expect((await ask('POST', '/api/alerts/test', json)).status).toBe(500);
  });
});
