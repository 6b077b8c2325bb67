import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Estimate } from '../../lib/cost/estimate.ts';
import { runCommand, type Said } from './run-command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cost-'));
  await writeFile(
    join(folder, 'churn.yaml'),
    'model: churn\nfeatures: { age: { type: numeric }, plan: { type: categorical } }\n',
  );
  await writeFile(
    join(folder, 'fraud.yaml'),
    'model: fraud\ntask: binary-classification\nbaseline: { from: fraud.json }\n',
  );
  await writeFile(
    join(folder, 'fraud.json'),
    JSON.stringify({ schema: 'mlmon.baseline/v1', columns: Array.from({ length: 30 }, () => ({})) }),
  );
  await writeFile(join(folder, 'open.yaml'), 'model: open\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]): Promise<Said> => runCommand(folder, ['cost', ...argv]);
const bill = async (...argv: string[]): Promise<Estimate> => JSON.parse((await run(...argv, '--json')).out) as Estimate;

describe('mlmon cost', () => {
  it('tells the parts, dearest first, their sum, and where the prices are from', async () => {
    const { code, out, err } = await run('--monitor', 'churn.yaml', '--events-per-month', '100M');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^USD a month for 1 model\(s\) and 100,000,000 events: list prices of us-east-1, \d{4}-/);
    const amounts = [...out.matchAll(/^\S.*? {2,}([\d,]+\.\d\d)/gm)].map(([, text]) =>
      Number(text!.replaceAll(',', '')),
    );
    const parts = amounts.slice(0, -1);
    expect(parts.length).toBeGreaterThan(8);
    expect(parts).toEqual([...parts].sort((a, b) => b - a));
    expect(parts.reduce((sum, usd) => sum + usd, 0)).toBeCloseTo(amounts.at(-1)!, 0);
  });

  it('takes several monitors, reads baselines that are at hand, and says what it assumed', async () => {
    const { code, err } = await run(
      '--monitor',
      'churn.yaml',
      'fraud.yaml',
      '--monitor',
      'open.yaml',
      '--events-per-month',
      '1e6',
    );
    expect(code).toBe(0);
    expect(err).toBe('open: 50 columns assumed, since neither features nor a baseline are at hand\n');
    const series = (await bill('--monitor', 'fraud.yaml', '--events-per-month', '1')).parts.find(
      ({ id }) => id === 'prometheus',
    );
    expect(series?.basis).toContain(`${30 * 5 * 2} of features`);
  });

  it('follows its options', async () => {
    const base = ['--monitor', 'churn.yaml', '--events-per-month', '1G'];
    const part = async (id: string, ...argv: string[]): Promise<number | undefined> =>
      (await bill(...base, ...argv)).parts.find((one) => one.id === id)?.usd;
    expect(await part('stream', '--stream', 'provisioned')).toBeLessThan((await part('stream'))!);
    expect(await part('capture', '--events-per-record', '1')).toBeGreaterThan(3 * (await part('capture'))!);
    expect(await part('capture-storage', '--capture-days', '180')).toBeCloseTo(
      2 * (await part('capture-storage', '--capture-days', '90'))!,
      6,
    );
    expect(await part('cloudwatch-metrics', '--metric-detail', 'summary')).toBeGreaterThan(
      (await part('cloudwatch-metrics'))!,
    );
    expect(await part('prometheus', '--no-prometheus')).toBeUndefined();
  });

  it.each([
    [['--events-per-month', '1M'], '--monitor: is required, or --from'],
    [['--monitor', 'churn.yaml'], '--events-per-month: is required'],
    [
      ['--monitor', 'churn.yaml', '--events-per-month', 'many'],
      '--events-per-month: is not a number of events, got "many"',
    ],
    [
      ['--monitor', 'churn.yaml', '--events-per-month', '1M', '--stream', 'serverless'],
      '--stream: is not one of its values',
    ],
    [['--monitor', 'nowhere.yaml', '--events-per-month', '1M'], 'cannot be read'],
  ])('refuses %j', async (argv, message) => {
    const { code, err, out } = await run(...argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(message);
  });
});
