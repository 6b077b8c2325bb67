/** Remote write into a real Prometheus: it takes what the sink sends, answers queries, and sees series end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RemoteWriteSink } from '../../lib/adapters/remote-write/remote-write-sink.ts';
import type { Sample } from '../../lib/pipeline/ports.ts';
import { endAll, freePort, Program } from './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlmon-prometheus-'));
let url = '';

beforeAll(async () => {
  writeFileSync(join(folder, 'prometheus.yml'), 'global: { scrape_interval: 1h }\nscrape_configs: []\n');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  new Program('prometheus', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
    '--log.level=warn',
  ]);
  for (let attempt = 0; attempt < 100; attempt++) {
    const ready = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('Prometheus did not start');
});

afterAll(() => {
  endAll();
  rmSync(folder, { recursive: true, force: true });
});

type Row = { readonly metric: Record<string, string>; readonly value: [number, string] };

async function query(text: string, at?: number): Promise<Row[]> {
  const time = at === undefined ? '' : `&time=${at / 1_000}`;
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(text)}${time}`);
  return ((await response.json()) as { data: { result: Row[] } }).data.result;
}

it('takes thousands of series in bounded requests, in order, with any text as label, and lets go of those that ended', async () => {
  let now = Date.now() - 120_000;
  const sink = new RemoteWriteSink({ url: `${url}/api/v1/write`, clock: { now: () => now }, samplesPerRequest: 500 });
  const features = (value: number): Sample[] =>
    Array.from({ length: 3_000 }, (_, i) => ({
      name: 'mlmon_metric_value',
      labels: { model: 'm', length: '1d', feature: `feature ${i} "é" \\ \n 😀`, statistic: 'effect' },
      value: value + i,
    }));
  const open = { name: 'mlmon_episode_open', labels: { model: 'm', signal: 'drift', severity: 'warning' }, value: 1 };
  const counter = { name: 'mlmon_quarantined_records_total', labels: { reason: 'json' }, value: 5 };
  await sink.set([...features(0), open]);
  await sink.add([counter]);
  now += 60_000;
  await sink.set([...features(0.5), open]);
  await sink.add([counter]);
  expect(sink.counts).toMatchObject({ dropped: 0, failed: 0, sent: 6_004 });

  expect((await query('count(mlmon_metric_value)', now))[0]?.value[1]).toBe('3000');
  expect((await query('sum(mlmon_metric_value)', now))[0]?.value[1]).toBe(String((2_999 * 3_000) / 2 + 1_500));
  const [first] = await query('mlmon_metric_value == 7.5', now);
  expect(first?.metric['feature']).toBe('feature 7 "é" \\ \n 😀');
  expect((await query('mlmon_episode_open == 1', now)).map(({ metric }) => metric['signal'])).toEqual(['drift']);
  expect((await query('mlmon_quarantined_records_total', now))[0]?.value[1]).toBe('10');
  expect((await query('increase(mlmon_quarantined_records_total[2m])', now)).length).toBe(1);

  // Ended series are gone at once, not after five minutes.
  now += 30_000;
  await sink.retain('m', ['mlmon_metric_value'], features(0).slice(0, 10));
  expect((await query('count(mlmon_metric_value)', now))[0]?.value[1]).toBe('10');
  const other = new RemoteWriteSink({ url: `${url}/api/v1/write`, clock: { now: () => now } });
  await other.end([open]);
  expect(await query('mlmon_episode_open', now)).toEqual([]);

  // What came out of order is refused: dropped and counted, not tried for ever.
  now -= 60_000;
  await other.set([{ ...open, labels: { ...open.labels, signal: 'quality' } }]);
  now -= 10_000;
  await other.set([{ ...open, labels: { ...open.labels, signal: 'quality' } }]);
  expect(other.counts).toMatchObject({ dropped: 1, failed: 0 });
  expect(other.lastFailure).toContain('400');
});
