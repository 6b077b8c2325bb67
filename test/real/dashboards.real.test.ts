/**
 * Every query of every dashboard, answered by a real Prometheus. It scrapes the demonstration, a sidecar with traffic, and what the exporter
 * tells of a second model that has what the first days of flights lack: an open episode, latencies, a baseline that is held back, more series than are
 * exported.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { PrometheusSink } from '../../lib/adapters/prometheus/prometheus-sink.ts';
import type { HealthAnswer, ModelsAnswer } from '../../lib/contracts/api.ts';
import { METRIC } from '../../lib/contracts/metric-names.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { grafanaDashboards } from '../../lib/dashboards/grafana.ts';
import type { GrafanaDashboard, GrafanaPanel, Target } from '../../lib/dashboards/grafana-types.ts';
import { featureSamples, learningSamples, stateSamples, summaryOfWindow } from '../../lib/pipeline/model-samples.ts';
import type { Sample } from '../../lib/pipeline/ports.ts';
import { CHOSEN, substituted } from '../dashboards/promql-syntax.ts';
import { featureResult, windowResult } from '../local/server/results.ts';
import { serve, folder as sidecarFolder, standInCollector, start as startSidecar } from '../sidecar/stand.ts';
import { endAll, eventually, freePort, getJson, Program, startMlmon } from './programs.ts';

const DASHBOARDS = grafanaDashboards().map(({ key, json }) => ({ key, made: JSON.parse(json) as GrafanaDashboard }));
const RULES = resolve(import.meta.dirname, '../../dashboards/prometheus/alerts.yaml');
const MODELS = ['flight-delay', 'prices'];
const UNTIL = '2001-02-04T00:00:00.000Z';
const folder = mkdtempSync(join(tmpdir(), 'mlmon-dashboards-'));
let demonstration: string;
let prometheus: string;
let ports: Readonly<Record<'demonstration' | 'sidecar' | 'prices' | 'prometheus', number>>;

beforeAll(async () => {
  ports = {
    demonstration: await freePort(),
    sidecar: await freePort(),
    prices: await freePort(),
    prometheus: await freePort(),
  };
  writeFileSync(
    join(folder, 'prometheus.yaml'),
    stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      rule_files: [RULES],
      scrape_configs: [
        {
          job_name: 'mlmon',
          static_configs: [
            { targets: [ports.demonstration, ports.sidecar, ports.prices].map((port) => `127.0.0.1:${port}`) },
          ],
        },
      ],
    }),
  );
  prometheus = `http://127.0.0.1:${ports.prometheus}`;
  new Program('prometheus', [
    `--config.file=${join(folder, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${ports.prometheus}`,
    '--log.level=warn',
  ]);
  ({ url: demonstration } = await startMlmon([
    'start',
    ...[
      '--data',
      join(folder, 'demonstration'),
      '--port',
      String(ports.demonstration),
      '--speed',
      '0',
      '--until',
      UNTIL,
    ],
  ]));
});

afterAll(() => {
  endAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** `/metrics` of a part that runs in this process. */
async function exported(port: number, samples: () => readonly Sample[]): Promise<void> {
  const server = createServer((_request, response) => {
    const sink = new PrometheusSink({ seriesPerModel: 60 });
    void sink.set(samples()).then(() => response.end(sink.render()));
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  expect((server.address() as AddressInfo).port).toBe(port);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

/** A model that reports latencies, has many features, and whose next baseline is held back. */
function ofPrices(): Sample[] {
  const { monitor } = parseMonitor({ model: 'prices', task: 'regression', owner: 'team-prices' });
  const window = windowResult({
    model: 'prices',
    start: new Date(Date.now() - 86_400_000).toISOString(),
    features: Array.from({ length: 40 }, (_, i) => featureResult(`f${i}`)),
  });
  const slow = { ...window, latency: { count: 95, p50: 12, p90: 40, p99: 180 } } as typeof window;
  return [
    ...stateSamples(
      { windows: { [slow.length]: summaryOfWindow(slow) }, performance: null, episodes: { drift: 'warning' } },
      monitor!,
    ),
    ...learningSamples('prices', { progress: 1, from: null, due: null, until: null, hold: 'too-few-rows', held: null }),
    ...featureSamples(slow),
  ];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] };
}

async function asked(path: string, parameters: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(`${prometheus}/api/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  return (await response.json()) as Answer;
}

/** Series that answer a query as Grafana would ask it: over the last minute, or now. */
async function answered({ expr, instant }: Pick<Target, 'expr' | 'instant'>, model: string): Promise<Answer> {
  const feature = model === 'prices' ? 'f1' : 'distance';
  const query = substituted(expr, { ...CHOSEN, model, feature, __rate_interval: '10s', __interval: '1s' });
  const now = Date.now() / 1_000;
  return instant
    ? asked('query', { query, time: String(now) })
    : asked('query_range', { query, start: String(now - 60), end: String(now), step: '5' });
}

async function seriesOf(
  target: Pick<Target, 'expr' | 'instant'>,
): Promise<readonly Readonly<Record<string, string>>[]> {
  for (const model of MODELS) {
    const answer = await answered(target, model);
    if (answer.status !== 'success') throw new Error(`${target.expr}: ${answer.error}`);
    const series = answer.data?.result ?? [];
    if (series.length > 0) return series.map(({ metric }) => metric);
  }
  return [];
}

const panelsOf = ({ panels }: GrafanaDashboard): GrafanaPanel[] =>
  panels.filter((panel): panel is GrafanaPanel => panel.type !== 'row');

it('answers every query of every panel and every variable with something', async () => {
  const model = await serve((_request, _body, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"predictions":[0.25]}');
  });
  const collector = await standInCollector();
  const sidecar = await startSidecar({
    collectorPort: collector.port,
    spool: { folder: await sidecarFolder() },
    proxy: { upstream: `127.0.0.1:${model.port}` },
  });
  for (let i = 0; i < 20; i++)
    await fetch(`http://127.0.0.1:${sidecar.proxyPort}/v1/models/churn-svc:predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"instances":[{"age":41,"plan":"gold"}]}',
    });
  await exported(ports.sidecar, () => sidecar.samples());
  await exported(ports.prices, ofPrices);

  await eventually(
    () => getJson<ModelsAnswer>(`${demonstration}/api/models`),
    (models) => models.demonstration?.state === 'done',
    240_000,
  );
  await eventually(
    () => getJson<HealthAnswer>(`${demonstration}/api/health`),
    ({ health }) => health.partitions.every(({ lag }) => lag === 0),
  );
  // Somebody sends what no monitor declares: rejections have reasons to show.
  await fetch(`${demonstration}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id: 'x',
      source: '/test',
      type: 'ml.inference.v1',
      data: { id: 'x', type: 'inference', model: 'nobody-knows', version: '1', time: UNTIL, numeric: { a: 1 } },
    }),
  });

  const wanted = DASHBOARDS.flatMap(({ key, made }) => [
    ...panelsOf(made).flatMap(({ title, targets }) =>
      (targets ?? []).map((target) => ({ where: `${key}: ${title} ${target.refId}`, target })),
    ),
    ...made.templating.list.flatMap(({ name, definition }) =>
      definition === undefined
        ? []
        : [
            {
              where: `${key}: variable ${name}`,
              target: { expr: /^label_values\((.*), *\w+\)$/.exec(definition)?.[1] ?? '', instant: true },
            },
          ],
    ),
  ]);
  expect(wanted.length).toBeGreaterThan(100);
  const empty = async (): Promise<string[]> => {
    const missing: string[] = [];
    for (const { where, target } of wanted) if ((await seriesOf(target)).length === 0) missing.push(where);
    return missing;
  };
  // Rates need two scrapes.
  await eventually(empty, (missing) => missing.length === 0, 45_000);

  for (const { made } of DASHBOARDS) {
    for (const { title, targets, fieldConfig, transformations } of panelsOf(made)) {
      if (transformations === undefined) continue;
      const labels = new Set(
        (await Promise.all((targets ?? []).map(seriesOf))).flat().flatMap((one) => Object.keys(one)),
      );
      for (const { matcher } of fieldConfig?.overrides ?? [])
        if (!String(matcher.options).startsWith('Value')) expect(labels, title).toContain(matcher.options);
    }
    for (const { name, expr } of made.annotations.list)
      expect((await answered({ expr, instant: false }, MODELS[0]!)).error, name).toBeUndefined();
  }
}, 290_000);

describe('annotations', () => {
  it('mark a new baseline for an hour, and neither an old one nor the first of a model', () => {
    const { expr } = DASHBOARDS[0]!.made.annotations.list.find(({ name }) => name === 'Baselines')!;
    const of = (model: string, number: number): string =>
      `${METRIC.baselineInfo.name}{job="j",instance="i",model="${model}",version="1",number="${number}"}`;
    const marked = [{ labels: '{model="a", number="2", version="1"}', value: 1 }];
    const tests = {
      tests: [
        {
          interval: '1m',
          input_series: [
            { series: of('a', 1), values: '1x119 stale' },
            { series: of('a', 2), values: '_x120 1x120' },
            { series: of('new', 1), values: '_x120 1x120' },
            { series: of('old', 1), values: '1x240' },
          ],
          promql_expr_test: [
            [110, []],
            [125, marked],
            [175, marked],
            [190, []],
          ].map(([minute, exp_samples]) => ({ expr: substituted(expr), eval_time: `${minute}m`, exp_samples })),
        },
      ],
    };
    const file = join(folder, 'annotations.yaml');
    writeFileSync(file, stringify(tests));
    const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
  });
});
