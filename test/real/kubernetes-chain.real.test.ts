/**
 * The whole of it as it runs on a cluster, with everything real: events posted as KServe's logger does, through Kafka, profiled by processes of
 * which one joins and one is killed in the middle, archived to and evaluated on an S3 store, labels joined, metrics scraped, a rule fires, messages
 * go out to people once each although two evaluators and two notifiers run, and are followed by the resolve. Counts are compared with an oracle,
 * results with those of one machine that was given the same records.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { FolderStore } from '../../lib/adapters/disk/folder-store.ts';
import { SegmentLog } from '../../lib/adapters/disk/segment-log.ts';
import { renderPrometheusRules } from '../../lib/alerts/prometheus.ts';
import type { EpisodeState } from '../../lib/contracts/episode.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../../lib/contracts/result.ts';
import { judgeWindow } from '../../lib/engine/verdict.ts';
import { ReplayClock } from '../../lib/local/replay-clock.ts';
import { readJson } from '../../lib/pipeline/json-object.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import type { LogRecord, ObjectStore } from '../../lib/pipeline/ports.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { streamParts } from '../../lib/pipeline/stream-parts.ts';
import { type KafkaBroker, startKafka } from './kafka/broker.ts';
import { eventsIn, platformOfRoles, type RolesPlatform, type StartedRole } from './platform-of-roles.ts';
import { endAll, eventually, freePort, getJson, MLMON, Program, run } from './programs.ts';
import { startVersitygw, type Versitygw } from './versitygw.ts';

const MODEL = 'churn';
const WINDOW = 10_000;
/** Windows that are looked at; quiet traffic goes on behind them, since silence would be told of. */
const WINDOWS = 12;
/** Windows with moved ages: longer than a killed profiler's partitions can wait for another, so that it shows while it lasts. */
const DRIFTED = 8;
const ALL_WINDOWS = 26;
const ROWS = 20;
const BATCHES = 6;

const MONITOR = `
model: ${MODEL}
owner: team-churn
task: binary-classification
positive: 'yes'
features: { age: { type: numeric }, plan: { type: categorical } }
baseline: { from: churn.json }
window: { every: 10s, lateness: 10s, revise: 1d, minimumRows: 100 }
drift: { scales: [10s] }
truth: { horizon: 30s }
alerts: { after: 1 of 1 }
kserve: { version: '1', inputs: [age, plan] }
`;

let kafka: KafkaBroker;
let s3: Versitygw;
let platform: RolesPlatform;
let receiver: Receiver;
const started: StartedRole[] = [];

/** The same spread of values in every window; `shift` moves the ages. */
const row = (n: number, shift: number): [number, string] => [
  20 + ((n * 37) % 300) / 10 + shift,
  n % 3 === 0 ? 'gold' : 'basic',
];

interface Got {
  readonly path: string;
  readonly body: Record<string, unknown>;
}
interface Receiver {
  readonly url: string;
  readonly got: Got[];
  readonly server: Server;
}

/** Slack, PagerDuty and a webhook of Alertmanager, as far as senders see them. */
async function listen(): Promise<Receiver> {
  const got: Got[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    got.push({ path: request.url ?? '', body: JSON.parse(text) as Record<string, unknown> });
    if (request.url?.startsWith('/pagerduty') === true)
      response.writeHead(202).end(JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: 'k' }));
    else response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, got, server };
}

beforeAll(async () => {
  [kafka, s3, receiver] = await Promise.all([startKafka(), startVersitygw(), listen()]);
  platform = await platformOfRoles({ kafka, s3, partitions: 4, monitors: { 'churn.yaml': MONITOR } });
  // A baseline of reference data, made as users make it.
  const reference = Array.from({ length: 3_000 }, (_, n) => row(n, 0));
  const csv = join(platform.folder, 'reference.csv');
  writeFileSync(csv, `age,plan\n${reference.map(([age, plan]) => `${age},${plan}\n`).join('')}`);
  const baseline = join(platform.folder, 'monitors/churn.json');
  const monitor = join(platform.folder, 'monitors/churn.yaml');
  const made = await run(process.execPath, [MLMON, 'profile', csv, '--monitor', monitor, '-o', baseline]);
  if (made.code !== 0) throw new Error(made.out + made.err);
  writeFileSync(join(platform.folder, 'slack'), `${receiver.url}/slack`);
  writeFileSync(join(platform.folder, 'pagerduty'), 'routing-key\n');
  writeFileSync(
    join(platform.folder, 'channels.yaml'),
    stringify({
      channels: [
        { type: 'slack', urlFile: 'slack' },
        { type: 'pagerduty', routingKeyFile: 'pagerduty', url: `${receiver.url}/pagerduty` },
      ],
    }),
  );
});
afterAll(async () => {
  for (const { program } of started) await program.stop('SIGKILL').catch(() => undefined);
  await platform?.close();
  await kafka?.close();
  await s3?.close();
  receiver?.server.close();
  endAll();
});

async function start(...[roles, options]: Parameters<RolesPlatform['start']>): Promise<StartedRole> {
  const role = await platform.start(roles, options);
  started.push(role);
  return role;
}

/** As KServe's logger posts: a copy of the request, a copy of the response, in two posts and any order. */
async function infer(
  http: string,
  batch: { readonly id: string; readonly time: number; readonly rows: [number, string][] },
) {
  const post = async (half: 'request' | 'response', body: unknown): Promise<void> => {
    const answer = await fetch(`${http}/v1/kserve`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-type': `org.kubeflow.serving.inference.${half}`,
        'ce-id': batch.id,
        'ce-source': 'http://localhost:9081/',
        'ce-time': new Date(batch.time).toISOString(),
        'ce-inferenceservicename': MODEL,
        'ce-namespace': 'models',
        'ce-component': 'predictor',
        'ce-endpoint': 'default',
      },
      body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    const { accepted } = (await answer.json()) as { accepted: number };
    expect(accepted).toBe(batch.rows.length);
  };
  const halves = [
    () => post('request', { instances: batch.rows }),
    () => post('response', { predictions: batch.rows.map((_, n) => (n < ROWS / 2 ? 'no' : 'yes')) }),
  ];
  await Promise.all(halves.map((half) => half()));
}

interface Batch {
  readonly id: string;
  readonly window: number;
  readonly time: number;
  readonly rows: [number, string][];
}

/** `first`: start of the first window. In the first ones ages are moved. */
function batches(first: number): Batch[] {
  return Array.from({ length: ALL_WINDOWS * BATCHES }, (_, n) => {
    const window = Math.floor(n / BATCHES);
    const of = n % BATCHES;
    return {
      id: `batch-${window}-${of}`,
      window,
      time: first + window * WINDOW + of * Math.floor(WINDOW / BATCHES),
      rows: Array.from({ length: ROWS }, (_, r) => row(of * ROWS + r, window < DRIFTED ? 25 : 0)),
    };
  });
}

async function label(http: string, all: readonly Batch[]): Promise<void> {
  const labels = all.flatMap(({ id, rows }) =>
    // Two of twenty predictions are mistaken.
    rows.map((_, n) => ({ id: `${id}/${n}`, model: MODEL, truth: n >= ROWS / 2 === n > 1 ? 'yes' : 'no' })),
  );
  const answer = await fetch(`${http}/v1/labels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(labels),
  });
  expect([answer.status, ((await answer.json()) as { accepted: number }).accepted]).toEqual([202, labels.length]);
}

type AnyResult = WindowResult | PerformanceResult;

async function results(store: ObjectStore): Promise<Map<string, AnyResult>> {
  const found = new Map<string, AnyResult>();
  for await (const key of listAll(store, keys.results(MODEL))) {
    const stored = await readJson<AnyResult>(store, key);
    if (stored !== null) found.set(key, stored.value);
  }
  return found;
}

/** What was found, without who found it when: names of packs hold those of partitions. */
function statistics({ provenance, ...result }: WindowResult): string {
  const { revision, monitor, baseline, engine, rows } = provenance;
  return JSON.stringify({ ...result, provenance: { revision, monitor, baseline, engine, rows } });
}

/** The same records on a log of one machine, arriving when they arrived, and evaluated when all is there. */
async function onOneMachine(records: readonly LogRecord[], published: ObjectStore): Promise<Map<string, AnyResult>> {
  const folder = join(platform.folder, 'one');
  mkdirSync(folder);
  const clock = new ReplayClock(records[0]?.appendTime ?? 0);
  const store = await FolderStore.open({ folder: join(folder, 'store'), durability: 'os' });
  for (const prefix of ['monitors/', 'baselines/'])
    for await (const key of listAll(published, prefix))
      await store.putIfAbsent(key, (await published.get(key))?.body ?? new Uint8Array());
  const log = await SegmentLog.open({ folder: join(folder, 'log'), clock, durability: 'os' });
  for (const { appendTime, data } of records) {
    clock.advanceTo(appendTime);
    await log.append([{ key: `${appendTime}`, data }]);
  }
  clock.advanceTo(clock.now() + 3_600_000);
  const registry = new Registry({ store, clock });
  await registry.refresh();
  const { profiler, evaluator } = streamParts({ log, store, clock, registry, judge: judgeWindow });
  const { signal } = new AbortController();
  for (const part of [profiler, evaluator]) while ((await part.step(signal)).waitMs === 0);
  await log.close();
  return results(store);
}

describe('monitoring on a cluster', () => {
  it('counts every event once, tells people once, and takes it back', async () => {
    const alertmanagerPort = await freePort();
    const prometheusPort = await freePort();
    const channelsFile = join(platform.folder, 'channels.yaml');
    const links = { page: 'http://page.example', runbook: 'http://runbook.example/runbook.md' };
    // Two of each: no lease decides who works, conditional writes do.
    const evaluators = [await start(['evaluator', 'notifier'], { more: { channelsFile, links } })];
    const [collector, archiver, profiler, second] = await Promise.all([
      start(['collector']),
      start(['archiver', 'labeler']),
      start(['profiler']),
      start(['evaluator', 'notifier'], { more: { channelsFile, links } }),
    ]);
    evaluators.push(second);
    await startWatching({ prometheusPort, alertmanagerPort, targets: [collector, archiver, ...evaluators] });

    // Events may be dated a few minutes ahead: all is sent at once, and judged as its windows end.
    const first = Math.ceil(Date.now() / WINDOW + 1) * WINDOW;
    const all = batches(first);
    const third = Math.floor(all.length / 3);
    const post = async (some: readonly Batch[]): Promise<void> => {
      for (let n = 0; n < some.length; n += 5)
        await Promise.all(some.slice(n, n + 5).map((one) => infer(collector.http, one)));
      await label(collector.http, some);
    };
    await post(all.slice(0, third));
    // Another joins, and takes over some of the partitions …
    const joined = await start(['profiler']);
    await post(all.slice(third, 2 * third));
    // … and all of them when the first is gone without a word.
    await profiler.program.stop('SIGKILL');
    await post(all.slice(2 * third));
    const inferences = all.length * ROWS;
    const acknowledged = 3 * inferences;
    await eventually(
      () => platform.profiled(),
      (count) => count >= acknowledged,
    );

    // Rules fire on the state of models, and Alertmanager passes it on.
    await eventually(
      async () => receiver.got.filter(({ path }) => path === '/alertmanager').map(({ body }) => body['status']),
      (seen) => seen.includes('firing'),
    );
    const slack = (): string[] =>
      receiver.got.filter(({ path }) => path === '/slack').map(({ body }) => String(body['text']));
    const pagerDuty = (): Record<string, unknown>[] =>
      receiver.got.filter(({ path }) => path.startsWith('/pagerduty')).map(({ body }) => body);
    const ofDrift = (texts: readonly string[]): string[] => texts.filter((text) => /Drift on churn/i.test(text));
    await eventually(
      async () => ofDrift(slack()),
      (texts) => texts.length > 0,
    );
    expect(ofDrift(slack())[0]).toMatch(/age: mean up/);
    const trigger = await eventually(
      async () => pagerDuty().find(({ payload }) => (payload as { class?: string } | undefined)?.class === 'drift'),
      (found) => found !== undefined,
    );
    expect(trigger).toMatchObject({
      routing_key: 'routing-key',
      event_action: 'trigger',
      payload: { severity: 'warning', component: 'age', group: 'team-churn' },
    });

    // Three quiet windows later it is over, and everybody is told.
    await eventually(
      async () =>
        pagerDuty()
          .filter(({ dedup_key: key }) => key === trigger?.['dedup_key'])
          .map((one) => one['event_action']),
      (actions) => actions.includes('resolve'),
      240_000,
    );
    await eventually(
      async () => ofDrift(slack()),
      (texts) => texts.some((text) => text.includes(': closed')),
    );
    await eventually(
      async () => receiver.got.filter(({ path }) => path === '/alertmanager').map(({ body }) => body['status']),
      (seen) => seen.includes('resolved'),
    );

    // Labels: what arrived within the horizon of each window.
    const performance = await eventually(
      async () =>
        [...(await results(platform.store)).values()].filter(
          (result): result is PerformanceResult => result.schema === 'mlmon.performance/v1' && result.mature,
        ),
      (found) => new Set(found.map(({ start: at }) => at)).size >= WINDOWS,
      180_000,
    );
    for (const { predictions, labels, metrics } of performance) {
      expect([predictions, labels]).toEqual([BATCHES * ROWS, BATCHES * ROWS]);
      expect(metrics.find(({ metric }) => metric === 'accuracy')?.value).toBe(0.9);
    }

    // The oracle: what was sent is what is on the log, profiled, captured, and in the windows.
    const records = await platform.records();
    const onLog = eventsIn(records);
    expect(onLog).toHaveLength(acknowledged);
    expect(await platform.profiled()).toBe(acknowledged);
    expect(await captured()).toBe(acknowledged);
    const windows = newestOf(await results(platform.store), first);
    expect(windows.map(({ start: at, rows }) => [Date.parse(at), rows])).toEqual(
      Array.from({ length: WINDOWS }, (_, n) => [first + n * WINDOW, BATCHES * ROWS]),
    );
    expect(windows.map(({ status }) => status)).toEqual(
      Array.from({ length: WINDOWS }, (_, n) => (n < DRIFTED ? 'drifted' : 'ok')),
    );

    // One machine that was given the same records finds the same, to the last digit.
    const alone = newestOf(await onOneMachine(records, platform.store), first);
    expect(alone.map(statistics)).toEqual(windows.map(statistics));

    // Each opening and each closing was told once, although two looked and two told. Before the first event there was silence.
    const state = (await readJson<EpisodeState>(platform.store, keys.episodes(MODEL)))?.value;
    const episodes = state?.episodes ?? [];
    expect(
      episodes.filter(({ signal }) => signal !== 'blind').map(({ signal, closed }) => [signal, closed !== null]),
    ).toEqual([['drift', true]]);
    const expected = episodes.flatMap(({ id, closed }) => [
      `trigger ${id}`,
      ...(closed === null ? [] : [`resolve ${id}`]),
    ]);
    const told = pagerDuty().map(
      ({ event_action: action, dedup_key: key }) => `${action} ${String(key).split('/').at(-1)}`,
    );
    expect(told.sort()).toEqual(expected.sort());
    expect(slack()).toHaveLength(expected.length);
    expect(slack().join('\n')).not.toContain('(repeated)');

    // What they export is as Prometheus wants it.
    for (const { operations } of [collector, archiver, joined, ...evaluators]) {
      const text = await (await fetch(`${operations}/metrics`)).text();
      writeFileSync(join(platform.folder, 'metrics'), text);
      const checked = await run('sh', ['-c', `promtool check metrics <${join(platform.folder, 'metrics')}`]);
      expect([checked.code, checked.out + checked.err]).toEqual([0, '']);
    }
    // And they end in order.
    for (const { program } of [collector, archiver, joined, ...evaluators])
      expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

/** The windows that are looked at, from `first` on, each as its newest revision. Before them nothing came. */
function newestOf(found: ReadonlyMap<string, AnyResult>, first: number): WindowResult[] {
  const newest = new Map<string, WindowResult>();
  for (const result of found.values()) {
    const at = Date.parse(result.start);
    if (result.schema !== 'mlmon.result/v1' || at < first || at >= first + WINDOWS * WINDOW) continue;
    const known = newest.get(result.start);
    if (known === undefined || known.provenance.revision < result.provenance.revision) newest.set(result.start, result);
  }
  return [...newest.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
}

/** Rows of all capture objects, as the archiver counted them. */
async function captured(): Promise<number> {
  let sum = 0;
  for await (const key of listAll(platform.store, 'archive/'))
    sum += (await readJson<{ captured: number }>(platform.store, key))?.value.captured ?? 0;
  return sum;
}

async function startWatching({
  prometheusPort,
  alertmanagerPort,
  targets,
}: {
  readonly prometheusPort: number;
  readonly alertmanagerPort: number;
  readonly targets: readonly StartedRole[];
}): Promise<void> {
  const file = (name: string, text: string): string => {
    writeFileSync(join(platform.folder, name), text);
    return join(platform.folder, name);
  };
  // Nobody waits for minutes here; all else of the rules is as they are rendered.
  const rules = renderPrometheusRules({ deployment: 'machines' }).replace(/^(\s*for:).*$/gm, '$1 0s');
  file('rules.yaml', rules);
  const prometheus = file(
    'prometheus.yaml',
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanagerPort}`] }] }] },
      scrape_configs: [
        {
          job_name: 'mlmon',
          static_configs: [{ targets: targets.map(({ operations }) => operations.replace('http://', '')) }],
        },
      ],
    }),
  );
  const alertmanager = file(
    'alertmanager.yaml',
    stringify({
      route: {
        receiver: 'nobody',
        routes: [
          {
            matchers: ['alertname=~"MlmonEpisodeOpen.*|MlmonOpenEpisodes.*"'],
            receiver: 'hook',
            group_by: ['alertname'],
            group_wait: '0s',
            group_interval: '1s',
          },
        ],
      },
      receivers: [
        { name: 'nobody' },
        { name: 'hook', webhook_configs: [{ url: `${receiver.url}/alertmanager`, send_resolved: true }] },
      ],
    }),
  );
  new Program('prometheus-alertmanager', [
    `--config.file=${alertmanager}`,
    `--storage.path=${join(platform.folder, 'alertmanager')}`,
    `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    '--cluster.listen-address=',
  ]);
  new Program('prometheus', [
    `--config.file=${prometheus}`,
    `--storage.tsdb.path=${join(platform.folder, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ]);
  await eventually(
    () =>
      getJson<{ data: { activeTargets: { health: string }[] } }>(`http://127.0.0.1:${prometheusPort}/api/v1/targets`),
    ({ data: { activeTargets } }) =>
      activeTargets.length === targets.length && activeTargets.every(({ health }) => health === 'up'),
  );
}
