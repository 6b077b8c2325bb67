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
    expect(out).toMatch(/^USD a month for 1 model and 100,000,000 events: list prices of us-east-1, \d{4}-/);
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

  it('reckons again what synthesis wrote, with other traffic and prices', async () => {
    const before = await bill('--monitor', 'churn.yaml', '--events-per-month', '1M', '--own-key');
    await writeFile(join(folder, 'stack.cost.json'), JSON.stringify(before));
    expect(await bill('--from', 'stack.cost.json')).toEqual(before);
    const more = await bill('--from', 'stack.cost.json', '--events-per-month', '1G');
    expect(more.usage).toEqual({ ...before.usage, eventsPerMonth: 1e9 });
    await writeFile(join(folder, 'prices.yaml'), 'asOf: 2026-11-21\nregion: eu-central-1\nprices: { key: 100 }\n');
    const dear = await bill('--from', 'stack.cost.json', '--prices', 'prices.yaml');
    expect(dear.total).toBeCloseTo(before.total + 99, 6);
    // Prices that were changed stay so.
    await writeFile(join(folder, 'dear.cost.json'), JSON.stringify(dear));
    expect(await bill('--from', 'dear.cost.json')).toEqual(dear);
    const { out } = await run('--from', 'dear.cost.json');
    expect(out).toContain('list prices of eu-central-1, 2026-11-21\nprices of yours: key\n');
  });

  it('compares, and says what that rests on', async () => {
    const { out, code } = await run('--monitor', 'churn.yaml', '--events-per-month', '1M', '--compare', 'sagemaker');
    expect(code).toBe(0);
    expect(out).toContain('SageMaker Model Monitor for the same models and traffic, USD a month');
    expect(out).toMatch(/^ours is [\d.,]+ times (cheaper|dearer) \(/m);
    expect(out).toContain('Assumed of it:\n- 8 (4 to 12) minutes of one ml.m5.xlarge for a job');
    const short = await run(
      '--monitor',
      'churn.yaml',
      '--events-per-month',
      '1M',
      '--compare',
      'sagemaker',
      '--job-minutes',
      '2',
    );
    expect(short.out).toContain('730 jobs of 2 min');
  });

  it('exits with 1 above a budget, and names the parts', async () => {
    const within = await run('--monitor', 'churn.yaml', '--events-per-month', '1M', '--budget', '1000');
    expect({ code: within.code, err: within.err }).toEqual({ code: 0, err: '' });
    const above = await run('--monitor', 'churn.yaml', '--events-per-month', '1M', '--budget', '10');
    expect(above.code).toBe(1);
    expect(above.err).toMatch(/^budget: 1 model and 1,000,000 events would cost \$\d+ a month, .*: Kinesis \$29; /);
  });

  it.each([
    [['--events-per-month', '1M'], '--monitor: is required, or --from'],
    [['--monitor', 'churn.yaml', './churn.yaml', '--events-per-month', '1M'], 'the model churn has a monitor already'],
    [['--monitor', 'churn.yaml'], '--events-per-month: is required'],
    [
      ['--monitor', 'churn.yaml', '--events-per-month', 'many'],
      '--events-per-month: is not a number of events, got "many"',
    ],
    [
      ['--monitor', 'churn.yaml', '--events-per-month', '1M', '--stream', 'serverless'],
      '--stream: is not one of its values',
    ],
    [['--monitor', 'churn.yaml', '--from', 'stack.cost.json'], '--from: names models already'],
    [['--from', 'churn.yaml'], '--from: is no reckoned cost of this release'],
    [['--from', 'nowhere.json'], '--from nowhere.json: cannot be read, got ENOENT'],
    [
      ['--monitor', 'churn.yaml', '--events-per-month', '1M', '--prices', 'churn.yaml'],
      'churn.yaml: prices: is no list of prices',
    ],
    [['--monitor', 'churn.yaml', '--events-per-month', '1M', '--over-http', '2'], '--over-http: is not right, got "2"'],
    [['--monitor', 'nowhere.yaml', '--events-per-month', '1M'], 'cannot be read'],
  ])('refuses %j', async (argv, message) => {
    const { code, err, out } = await run(...argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(message);
  });
});
