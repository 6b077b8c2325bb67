/** The demonstration as a user runs it, through stops and a kill, to the middle of March: interface, page and metrics. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Flights, REPLAY } from '../../examples/flight-delay/flights.ts';
import { INCIDENT } from '../../examples/flight-delay/incident.ts';
import { labelOf } from '../../examples/flight-delay/traffic.ts';
import { openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import type { AlertsAnswer, Health, HealthAnswer, ModelsAnswer, WindowsAnswer } from '../../lib/contracts/api.ts';
import { METRIC } from '../../lib/contracts/metric-names.ts';
import { chartsDrawn, launchChromium, openPage } from './browser.ts';
import {
  endAll,
  eventually,
  freePort,
  getJson,
  MLMON,
  type Program,
  Program as Run,
  run,
  startMlmon,
} from './programs.ts';

const MODEL = 'flight-delay';
const HALF_WAY = '2001-03-03T12:00:00.000Z';
const END = '2001-03-16T00:00:00.000Z';
/** Where the pictures of the page stay, to be looked at. */
const PICTURES = join(tmpdir(), 'mlmon-screenshots');

let folder: string;
let data: string;
let port: number;
let browser: Browser;
let program: Program;
let url: string;
let prometheus: string;

const models = (): Promise<ModelsAnswer> => getJson(`${url}/api/models`);
const health = async (): Promise<Health> => (await getJson<HealthAnswer>(`${url}/api/health`)).health;
const alerts = async (): Promise<AlertsAnswer['alerts']> => (await getJson<AlertsAnswer>(`${url}/api/alerts`)).alerts;
const windows = (length = '1d'): Promise<WindowsAnswer> =>
  getJson(`${url}/api/models/${MODEL}/windows?length=${length}&limit=1000`);

async function start(...options: string[]): Promise<void> {
  ({ program, url } = await startMlmon(['start', '--data', data, '--port', String(port), '--speed', '0', ...options], {
    cwd: folder,
  }));
}

/** Until the platform's clock is there. */
const reaches = (time: string): Promise<ModelsAnswer> => eventually(models, ({ now }) => now >= time);

/** Until the replay pauses and everything before it is read, judged, joined and written. */
async function settled(time: string): Promise<void> {
  await eventually(models, ({ demonstration }) => demonstration?.state === 'done');
  const day = (ms: number): string => new Date(Date.parse(time) - ms).toISOString().slice(0, 10);
  await eventually(health, ({ partitions }) => partitions.every(({ lag }) => lag === 0));
  // The newest complete day, an hour after its end.
  const newest = day(86_400_000 + 3_600_000);
  await eventually(
    windows,
    (answer) =>
      answer.windows.at(-1)?.start.slice(0, 10) === newest &&
      answer.performance.at(-1)?.start.slice(0, 10) === newest &&
      (answer.performance.find(({ start: at }) => at.slice(0, 10) === day(4 * 86_400_000))?.mature ?? false),
  );
}

function balances({ counts }: Health): void {
  const { received, profiled, beyond, labels, quarantined, lost } = counts;
  const inQuarantine = Object.values(quarantined).reduce((sum, n) => sum + n, 0);
  expect(profiled + beyond + labels + inQuarantine).toBe(received);
  expect([beyond, inQuarantine, lost]).toEqual([0, 0, 0]);
}

async function query(expression: string): Promise<{ metric: Record<string, string>; value: number }[]> {
  const answer = await getJson<{
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  }>(`${prometheus}/api/v1/query?query=${encodeURIComponent(expression)}`);
  return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demonstration-'));
  data = join(folder, 'data');
  port = await freePort();
  await rm(PICTURES, { recursive: true, force: true });
  await mkdir(PICTURES, { recursive: true });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('the demonstration', () => {
  let before: { now: string; counts: Health['counts']; windows: readonly string[] };
  const look = async (): Promise<typeof before> => {
    // The counts first: what is counted later than the rest may only be more.
    const { counts } = await health();
    const { now } = await models();
    return { now, counts, windows: (await windows()).windows.map(({ start: at }) => at) };
  };
  /** Days on which half an hour of flights may have come twice, since it was in the air at a stop: that may be told of. */
  const stops: { readonly from: string; readonly to: string }[] = [];
  const goesOn = (after: typeof before): void => {
    expect(after.now >= before.now).toBe(true);
    stops.push({ from: before.now.slice(0, 10), to: after.now.slice(0, 10) });
    for (const name of ['received', 'profiled', 'labels', 'captured'] as const)
      expect(after.counts[name]).toBeGreaterThanOrEqual(before.counts[name]);
    expect(after.windows.slice(0, before.windows.length)).toEqual(before.windows);
    expect(new Set(after.windows).size).toBe(after.windows.length);
  };

  it('prepares itself, replays, and stops when it is asked to', async () => {
    await start('--until', HALF_WAY);
    expect(await (await fetch(url)).text()).toMatch(/<title>/);
    await reaches('2001-02-08');
    before = await look();
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await eventually(
      async () => program.groupRuns,
      (runs) => !runs,
    );
    expect(program.err).toMatch(/stopping …/);
    expect(program.err).not.toMatch(/Error|failed/);
  });

  it('goes on where it stopped, and its producer ends with it when it is killed', async () => {
    await start('--until', HALF_WAY);
    goesOn(await look());
    await reaches('2001-02-18');
    before = await look();
    expect(await program.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    await eventually(
      async () => program.groupRuns,
      (runs) => !runs,
    );
  });

  it('goes on after a kill', async () => {
    await start('--until', HALF_WAY);
    goesOn(await look());
    await settled(HALF_WAY);
    balances(await health());
  });

  it('has one alert open, which names what the incident did', async () => {
    const found = await eventually(alerts, (list) => list.some(({ state }) => state === 'open'));
    const incident = found.find(({ state }) => state === 'open');
    expect(incident).toMatchObject({ model: MODEL, signal: 'drift', since: new Date(INCIDENT.from).toISOString() });
    expect(incident?.features.map(({ name }) => name)).toEqual(expect.arrayContaining(['distance', 'origin']));
    expect(Date.parse(incident?.opened ?? '')).toBeLessThan(INCIDENT.to);
    // The budget of the month before: one opening, whatever the cause; and monitoring itself was never blind.
    expect(found.filter(({ opened }) => Date.parse(opened) <= INCIDENT.from).length).toBeLessThanOrEqual(1);
    expect(found.filter(({ signal }) => signal === 'blind')).toEqual([]);
    const listed = await run(process.execPath, [MLMON, 'alert', 'list', '--platform', url]);
    expect(listed.code).toBe(1);
    expect(listed.out).toMatch(/open\s+warning\s+flight-delay/);
  });

  it('tells Prometheus', async () => {
    const config = join(folder, 'prometheus.yaml');
    await writeFile(
      config,
      `scrape_configs: [{ job_name: mlmon, scrape_interval: 1s, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]\n`,
    );
    const server = new Run('prometheus', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      '--web.listen-address=127.0.0.1:0',
    ]);
    prometheus = `http://${(await server.says(/msg="Listening on" address=(\S+)/))[1]}`;
    const open = await eventually(
      () => query(`${METRIC.episodeOpen.name}{model="${MODEL}"}`),
      (result) => result.length > 0,
    );
    expect(open.filter(({ value }) => value === 1).map(({ metric }) => metric['signal'])).toEqual(['drift']);
    expect(open.map(({ metric }) => metric['signal'])).toContain('performance');
  });

  it('shows all of it on the page, where the alert is acknowledged', async () => {
    const { page, trouble } = await openPage(browser, url);
    const picture = (name: string): Promise<unknown> =>
      page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
    await page.getByText('1 alert is open').waitFor();
    await page.getByText('scripted incident').first().waitFor();
    await picture('models');
    await page.getByRole('link', { name: MODEL }).first().click();
    await page.getByText('Features over time').waitFor();
    await eventually(
      () => chartsDrawn(page),
      (drawn) => drawn,
    );
    await page
      .getByText(/Drift: .*distance/)
      .first()
      .waitFor();
    await picture('model');
    await page.getByRole('button', { name: 'Table' }).click();
    await page
      .getByRole('link', { name: /drifted, effect .* 2 Mar/ })
      .first()
      .click();
    await page.getByText('What it means').waitFor();
    await page.locator('main h1').getByText('distance').waitFor();
    await page
      .getByText(/mean up by/)
      .first()
      .waitFor();
    await eventually(
      () => chartsDrawn(page),
      (drawn) => drawn,
    );
    await picture('feature');
    await page.getByRole('link', { name: 'Alerts' }).click();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Note').fill('the producer is told');
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('acknowledged', { exact: true }).waitFor();
    await picture('alerts');
    await page.getByRole('link', { name: 'Health' }).click();
    await page.getByText('The platform is well').waitFor();
    await picture('health');
    await page.goto(`${url}/runbook#drift`);
    await page.getByRole('heading', { name: /drift/i }).first().waitFor();
    await picture('runbook');
    expect(trouble).toEqual([]);
    await page.close();
    const [acknowledged] = (await alerts()).filter(({ state }) => state === 'open');
    expect(acknowledged?.acknowledged).toMatchObject({ by: 'Ada', note: 'the producer is told' });
  });

  it('sees the recovery, and forgets nothing over a restart', async () => {
    before = await look();
    await program.stop('SIGTERM');
    await start('--until', END);
    goesOn(await look());
    await settled(END);
    const found = await alerts();
    const [incident] = found.filter(({ since }) => Date.parse(since) === INCIDENT.from);
    expect(incident).toMatchObject({ state: 'closed', acknowledged: { by: 'Ada' } });
    expect(Date.parse(incident?.closed ?? '')).toBeGreaterThan(INCIDENT.to);
    expect(incident?.deliveries.map(({ transition, state }) => [transition, state])).toEqual([
      ['opened', 'delivered'],
      ['closed', 'delivered'],
    ]);
    expect(found.filter(({ signal }) => signal === 'blind')).toEqual([]);
  });

  it('has a result for every day and every whole week, and the performance of each day', async () => {
    const { windows: days, performance } = await windows();
    const expected = Array.from({ length: 42 }, (_, i) => new Date(REPLAY.from + i * 86_400_000).toISOString());
    expect(days.map(({ start: at }) => at)).toEqual(expected);
    expect(performance.map(({ start: at }) => at)).toEqual(expected);
    const incident = days.filter(({ start: at }) => Date.parse(at) >= INCIDENT.from && Date.parse(at) < INCIDENT.to);
    for (const { features } of incident)
      expect([features['distance']?.status, features['origin']?.status]).toEqual(['drifted', 'drifted']);
    for (const { coverage, predictions, labels, metrics, mature } of performance) {
      expect(coverage).toBeCloseTo(labels / predictions, 6);
      if (mature) expect(coverage).toBeGreaterThan(0.9);
      for (const name of ['accuracy', 'roc-auc']) {
        const metric = metrics.find((one) => one.metric === name);
        const [low = Number.NaN, high = Number.NaN] = metric?.interval ?? [];
        expect(metric?.value).toBeGreaterThan(low);
        expect(metric?.value).toBeLessThan(high);
      }
    }
    expect((await windows('7d')).windows.map(({ start: at }) => at.slice(0, 10))).toEqual([
      '2001-02-05',
      '2001-02-12',
      '2001-02-19',
      '2001-02-26',
      '2001-03-05',
    ]);
  });

  it('has every flight and every label that came, whatever was stopped and killed', async () => {
    const flights = await (await Flights.open()).between(REPLAY.from, Date.parse(END));
    const labels = flights.map(labelOf).filter((label) => label !== null && label.at < Date.parse(END)).length;
    // An hour that is not over is not captured yet: the clock is moved on by one more event.
    const answer = await fetch(`${url}/v1/labels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'mlmon-replay-clock': '2001-03-16T01:00:00Z' },
      body: JSON.stringify({ id: 'nobody', model: MODEL, truth: 'late', time: '2001-03-16T00:30:00Z' }),
    });
    expect(answer.status).toBe(202);
    const { counts } = await eventually(
      health,
      (one) => one.partitions.every(({ lag }) => lag === 0) && one.counts.captured === one.counts.received - 1,
    );
    const db = await openDuckDb({ threads: 1 });
    const rows = await db.rows(
      `SELECT type, count(*)::INTEGER AS rows, count(DISTINCT id)::INTEGER AS ids FROM read_parquet('${data}/store/capture/**/*.parquet') GROUP BY 1 ORDER BY 1`,
    );
    await db.close();
    const [inferred, labelled] = rows.map((row) => ({ rows: Number(row['rows']), ids: Number(row['ids']) }));
    expect([inferred?.ids, labelled?.ids]).toEqual([flights.length, labels]);
    expect([inferred?.rows, labelled?.rows]).toEqual([counts.profiled, counts.labels - 1]);
    // What was in the air at a stop may have been sent once more: half an hour of flights and labels each time, at most.
    expect(counts.received - 1 - flights.length - labels).toBeLessThan(3 * 2 * 2_500);
    balances(await health());
  });

  it('exposes metrics that promtool has nothing against, and Prometheus saw the whole story', async () => {
    const file = join(folder, 'metrics.txt');
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    await writeFile(file, await answer.text());
    const checked = await run('sh', ['-c', `promtool check metrics < '${file}'`]);
    expect([checked.code, checked.out, checked.err]).toEqual([0, '', '']);
    const told = await readFile(file, 'utf8');
    // Everything that is declared is told, but what never happened here, and what belongs to processes that are not here.
    const never: readonly string[] = [
      METRIC.learningRatio,
      METRIC.learningHeld,
      METRIC.seriesCapped,
      METRIC.collectorRejected,
      METRIC.quarantined,
    ].map(({ name }) => name);
    const here = Object.entries(METRIC).flatMap(([key, metric]) => (key.startsWith('sidecar') ? [] : [metric]));
    const silent = here.filter(({ name }) => !new RegExp(`^${name}(?:_count)?[{ ]`, 'm').test(told));
    expect(silent.map(({ name }) => name).filter((name) => !never.includes(name))).toEqual([]);
    const drift = `${METRIC.episodeOpen.name}{model="${MODEL}",signal="drift"}`;
    await eventually(
      () => query(drift),
      ([one]) => one?.value === 0,
    );
    expect((await query(`max_over_time(${drift}[1h])`))[0]?.value).toBe(1);
    const [age] = await eventually(
      () => query(`scalar(${METRIC.platformTime.name}) - ${METRIC.windowEnd.name}{model="${MODEL}",length="1d"}`),
      ([one]) => one !== undefined && one.value < 2 * 86_400,
    );
    expect(age?.value).toBeGreaterThanOrEqual(3_600);
    const received = await query(METRIC.profilerProcessed.name);
    expect(received[0]?.value).toBe((await health()).counts.profiled);
  });

  it('shows the recovery on the page', async () => {
    const { page, trouble } = await openPage(browser, `${url}`);
    await page.getByText('No alert is open').waitFor();
    await page.goto(`${url}/#/models/${MODEL}?length=7d`);
    await page.getByText('Features over time').waitFor();
    await eventually(
      () => chartsDrawn(page),
      (drawn) => drawn,
    );
    await page.screenshot({ path: join(PICTURES, 'weeks.png'), fullPage: true });
    await page.goto(`${url}/#/alerts`);
    const drifts = (await alerts()).filter(({ signal }) => signal === 'drift');
    const others = drifts.map(({ since }) => since).filter((since) => Date.parse(since) !== INCIDENT.from);
    const explained = (since: string): boolean =>
      stops.some(({ from, to }) => from <= since.slice(0, 10) && since.slice(0, 10) <= to);
    expect(others.filter((since) => !explained(since))).toEqual([]);
    expect(drifts).toHaveLength(others.length + 1);
    await eventually(
      () => page.getByRole('heading', { name: 'Drift: recovered' }).count(),
      (shown) => shown === drifts.length,
    );
    await page.screenshot({ path: join(PICTURES, 'recovered.png'), fullPage: true });
    expect(trouble).toEqual([]);
    await page.close();
  });

  it('starts over with --reset, and leaves what is not its own', async () => {
    await program.stop('SIGTERM');
    await writeFile(join(data, 'notes.txt'), 'mine');
    await start('--reset', '--until', '2001-02-03T00:00:00Z');
    const { models: listed, demonstration } = await models();
    expect([listed, demonstration?.state]).toEqual([[], 'preparing']);
    expect((await health()).counts).toMatchObject({ received: 0, profiled: 0, captured: 0, labels: 0 });
    expect(await alerts()).toEqual([]);
    // A stop while it prepares is a stop too.
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await readFile(join(data, 'notes.txt'), 'utf8')).toBe('mine');
  });
});
