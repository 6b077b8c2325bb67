import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quietMost } from '../../lib/cli/backtest-text.ts';
import type { Backtest } from '../../lib/local/backtest.ts';
import { runCommand, type Said } from './run-command.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2024-01-01T00:00:00Z');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backtest-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...argv: string[]): Promise<Said> => runCommand(folder, ['backtest', ...argv]);

async function replayed(...argv: string[]): Promise<Backtest> {
  const { code, out, err } = await run(...argv, '--format', 'json');
  expect([code, code === 0 ? '' : err]).toEqual([0, '']);
  return JSON.parse(out) as Backtest;
}

/** Repeatable uniform numbers. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Traffic {
  readonly seed: number;
  readonly from?: number;
  readonly days: number;
  /** Rows an hour. */
  readonly rate?: number;
  /** Rows from this instant on are other ones. */
  readonly changedFrom?: number;
  readonly change?: 'mean' | 'missing' | 'category';
  readonly header?: readonly [string, string, string, string];
}

/** CSV: `when`, `amount` (normal), `age` (1 % missing), `plan`. */
async function traffic(name: string, options: Traffic): Promise<string> {
  const { seed, from = START, days, rate = 60, changedFrom = Number.POSITIVE_INFINITY, change } = options;
  const random = generator(seed);
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = [(options.header ?? ['when', 'amount', 'age', 'plan']).map(quote).join(',')];
  const step = HOUR / rate;
  for (let i = 0; i < days * 24 * rate; i++) {
    const at = from + i * step;
    const changed = at >= changedFrom;
    const normal = Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
    const amount = 100 + 10 * normal + (changed && change === 'mean' ? 10 : 0);
    const age = random() < (changed && change === 'missing' ? 0.4 : 0.01) ? '' : Math.floor(20 + 50 * random());
    const draw = random();
    const plan =
      changed && change === 'category' && draw < 0.4 ? 'pro' : draw < 0.6 ? 'basic' : draw < 0.9 ? 'plus' : 'pro';
    lines.push(`${new Date(at).toISOString()},${amount.toFixed(4)},${age},${plan}`);
  }
  await writeFile(join(folder, name), `${lines.join('\n')}\n`);
  return name;
}

const LATER = START + 28 * DAY;
const HOURLY = ['--time', 'when', '--window', '1h'] as const;

describe('backtest', () => {
  beforeAll(() => traffic('reference.csv', { seed: 1, days: 28 }));

  it('answers exactly the documented shape', async () => {
    await traffic('short.csv', { seed: 2, from: LATER, days: 2 });
    const answer = await replayed('--reference', 'reference.csv', '--data', 'short.csv', ...HOURLY);
    expect(Object.keys(answer)).toEqual(['schema', 'budget', 'windows', 'alerts']);
    expect(Object.keys(answer.budget)).toEqual(['falseAlertsPerMonth']);
    // Drift and volume are judged: 0.6 + 0.1 of one opening a month.
    expect(answer.budget.falseAlertsPerMonth).toBeCloseTo(0.7, 6);
    expect(answer.windows).toHaveLength(48);
    for (const [i, window] of answer.windows.entries()) {
      expect(Object.keys(window)).toEqual(['start', 'end', 'rows', 'status', 'driftedFeatures', 'features']);
      expect(window.start).toBe(new Date(LATER + i * HOUR).toISOString());
      expect(window.end).toBe(new Date(LATER + (i + 1) * HOUR).toISOString());
      expect(window.rows).toBe(60);
      expect(Object.keys(window.features)).toEqual(['amount', 'age', 'plan']);
      for (const feature of Object.values(window.features))
        expect(Object.keys(feature)).toEqual(['status', 'test', 'statistic', 'pValue', 'effect']);
      expect(window.driftedFeatures).toEqual(
        Object.entries(window.features)
          .filter(([, { status }]) => status === 'drifted')
          .map(([name]) => name),
      );
    }
  });

  it('keeps its budget on data that does not change', async () => {
    let alerts = 0;
    for (const seed of [11, 12, 13]) {
      await traffic('quiet.csv', { seed, from: LATER, days: 30 });
      alerts += (await replayed('--reference', 'reference.csv', '--data', 'quiet.csv', ...HOURLY)).alerts.length;
    }
    expect(alerts).toBeLessThanOrEqual(quietMost(3 * 0.7));
  });

  it.each([
    ['mean', 'amount'],
    ['missing', 'age'],
    ['category', 'plan'],
  ] as const)('opens on a changed %s within hours and names %s', async (change, feature) => {
    const changedFrom = LATER + 3 * DAY;
    await traffic('changed.csv', { seed: 3, from: LATER, days: 6, changedFrom, change });
    const { alerts } = await replayed('--reference', 'reference.csv', '--data', 'changed.csv', ...HOURLY);
    expect(alerts.map(({ signal, features, closed, severity }) => ({ signal, features, closed, severity }))).toEqual([
      { signal: 'drift', features: [feature], closed: null, severity: 'warning' },
    ]);
    const opened = Date.parse(String(alerts[0]?.opened));
    expect(opened).toBeGreaterThan(changedFrom + HOUR);
    expect(opened).toBeLessThanOrEqual(changedFrom + 6 * HOUR);
  });

  it('cuts windows of rows in order of time, and calibrates on windows of as many', async () => {
    await traffic('changed.csv', { seed: 4, from: LATER, days: 10, changedFrom: LATER + 5 * DAY, change: 'mean' });
    const answer = await replayed(
      '--reference',
      'reference.csv',
      '--data',
      'changed.csv',
      '--time',
      'when',
      '--window',
      '1000',
    );
    expect(answer.windows.map(({ start, end, rows }) => [start, end, rows])).toEqual(
      Array.from({ length: 15 }, (_, i) => {
        const end = Math.min(14_400, (i + 1) * 1_000);
        return [i * 1_000, end, end - i * 1_000];
      }),
    );
    expect(answer.budget.falseAlertsPerMonth).toBeCloseTo(0.6, 6);
    expect(answer.alerts).toMatchObject([{ signal: 'drift', features: ['amount'], closed: null }]);
    // Row 7,200 is the first of the change: one window has a part of it, the next two are all of it.
    expect([8_000, 9_000, 10_000]).toContain(answer.alerts[0]?.opened);
    const { out } = await run(
      '--reference',
      'reference.csv',
      '--data',
      'changed.csv',
      '--time',
      'when',
      '--window',
      '1000',
    );
    expect(out).toContain('15 windows of 1,000 rows');
    expect(out).toMatch(/▲ row \d+,000 {2}drift, warning: still open\n {4}amount: mean up/);
  });

  it('puts rows in order of time before it cuts windows of rows', async () => {
    await traffic('ordered.csv', { seed: 4, from: LATER, days: 3, changedFrom: LATER + 2 * DAY, change: 'mean' });
    const [head = '', ...rows] = (await readFile(join(folder, 'ordered.csv'), 'utf8')).trimEnd().split('\n');
    const random = generator(9);
    const mixed = rows.map((row) => [random(), row] as const).sort(([a], [b]) => a - b);
    await writeFile(join(folder, 'mixed.csv'), [head, ...mixed.map(([, row]) => row), ',1,2,basic'].join('\n'));
    const argv = ['--time', 'when', '--window', '500', '--reference', 'reference.csv', '--data'];
    expect(await replayed(...argv, 'mixed.csv')).toEqual(await replayed(...argv, 'ordered.csv'));
    expect((await run(...argv, 'mixed.csv')).err).toContain('1 of 4321 rows');
  });

  it('cuts days of the time zone, also where clocks change', async () => {
    await writeFile(
      join(folder, 'berlin.yaml'),
      'model: berlin\ncolumns: { time: when }\nwindow: { every: 1d, timezone: Europe/Berlin }\n',
    );
    const from = Date.parse('2024-03-28T23:00:00Z');
    await traffic('spring.csv', { seed: 5, from, days: 4 });
    const { windows } = await replayed(
      '--reference',
      'reference.csv',
      '--data',
      'spring.csv',
      '--monitor',
      'berlin.yaml',
    );
    expect(windows.slice(0, 4).map(({ start, end, rows }) => [start, end, rows])).toEqual([
      ['2024-03-28T23:00:00.000Z', '2024-03-29T23:00:00.000Z', 1440],
      ['2024-03-29T23:00:00.000Z', '2024-03-30T23:00:00.000Z', 1440],
      ['2024-03-30T23:00:00.000Z', '2024-03-31T22:00:00.000Z', 1380],
      ['2024-03-31T22:00:00.000Z', '2024-04-01T22:00:00.000Z', 1440],
    ]);
  });

  it('chooses windows with rows enough, and none shorter than the dates of the data', async () => {
    const windowsOf = async (name: string, options: Omit<Traffic, 'seed'>): Promise<string> => {
      await traffic(name, { seed: 5, ...options });
      const { out } = await run('--reference', name, '--data', name, '--time', 'when');
      return /windows? of (\w+) \(UTC\), judged/.exec(out)?.[1] ?? out;
    };
    expect(await windowsOf('fortnight.csv', { days: 14 })).toBe('1d');
    expect(await windowsOf('week.csv', { days: 7, rate: 100 })).toBe('1h');
    expect(await windowsOf('thin.csv', { days: 7, rate: 10 })).toBe('1d');
    const days = Array.from({ length: 900 }, (_, i) => `2024-01-0${1 + Math.floor(i / 100)},${i % 10}`);
    await writeFile(join(folder, 'dates.csv'), ['when,amount', ...days].join('\n'));
    const { out, err } = await run('--reference', 'dates.csv', '--data', 'dates.csv', '--time', 'when');
    expect(out).toContain('9 windows of 1d');
    expect(err).not.toContain('nothing is judged');
  });

  it('says when the reference has too few windows to judge by', async () => {
    await traffic('short.csv', { seed: 2, from: LATER, days: 2 });
    const { out, err } = await run(
      '--reference',
      'short.csv',
      '--data',
      'short.csv',
      '--time',
      'when',
      '--window',
      '7d',
    );
    expect(out).toContain('calibrated on 1 window of 7d');
    expect(err).toContain('1 of 7d; expected at least 4, and 14 to be relied on');
    const thin = await run('--reference', 'reference.csv', '--data', 'short.csv', '--time', 'when', '--window', '15m');
    expect(thin.err).toMatch(/192 of 192 windows have no verdict, got 15 rows, fewer than 30/);
  });

  it('takes any name', async () => {
    const header = ['w"h\ne,n', '"; DROP', 'mlmon_w', 'SELECT'] as const;
    await traffic('odd-a.csv', { seed: 6, days: 15, header });
    await traffic('odd-b.csv', { seed: 7, from: LATER, days: 2, header, changedFrom: LATER, change: 'mean' });
    const argv = ['--reference', 'odd-a.csv', '--data', 'odd-b.csv', '--time', header[0], '--window', '1h'];
    const { alerts, windows } = await replayed(...argv);
    expect(Object.keys(windows[0]?.features ?? {})).toEqual(['"; DROP', 'mlmon_w', 'SELECT']);
    expect(alerts.map(({ features }) => features)).toEqual([['"; DROP']]);
    expect((await run(...argv)).out).toContain('"; DROP: mean up');
  });

  it('shows a calendar, the expected and the observed number, and the causes', async () => {
    await traffic('changed.csv', { seed: 8, from: LATER, days: 4, changedFrom: LATER + 2 * DAY, change: 'category' });
    const { out, code } = await run('--reference', 'reference.csv', '--data', 'changed.csv', ...HOURLY);
    expect(code).toBe(0);
    expect(out).toContain('calibrated on 672 windows of 1h (UTC) of the reference');
    expect(out).toMatch(/2024-01-29 Mon {2}[·x]{24}\n/);
    expect(out).toMatch(/2024-01-31 Wed {2}[·x]{1,4}▲■+\n/);
    expect(out).toContain('0.07 to 0.7 false alarms a month of 30 days');
    expect(out).toContain('Observed: 1 alert in 4 days');
    expect(out).toMatch(/drift, warning: still open\n {4}plan: share of "?pro"? /);
    expect(
      (await run('--reference', 'reference.csv', '--data', 'changed.csv', ...HOURLY, '--fail-on', 'alert')).code,
    ).toBe(1);
  });

  it('writes one page that data cannot break out of', async () => {
    const header = ['when', '<script>alert(1)</script>', 'b', 'c'] as const;
    await traffic('page-a.csv', { seed: 6, days: 15, header });
    await traffic('page-b.csv', { seed: 7, from: LATER, days: 2, header, changedFrom: LATER + DAY, change: 'mean' });
    const argv = ['--reference', 'page-a.csv', '--data', 'page-b.csv', ...HOURLY, '--format', 'html'];
    const { code, out } = await run(...argv);
    expect(code).toBe(0);
    expect(out).toContain('&lt;script&gt;');
    expect(out).not.toMatch(/<script|https?:/);
    const [calendar = '', features = ''] = out.split('<h2>Alerts</h2>');
    expect(calendar.match(/<i class="[a-z]+" title=/g)).toHaveLength(48);
    expect(calendar.match(/<i class="opens" title=/g)).toHaveLength(1);
    // Two days, the second with most of its hours drifted; the changed feature comes first.
    const [changed = ''] = features.split('<div class="line small">').slice(1);
    expect(changed).toContain('&lt;script&gt;alert(1)');
    expect(changed).toMatch(
      /<i class="ok"><\/i><i class="f3" title="2024-01-30T00:00Z: drifted in \d+ of 24 windows"><\/i>/,
    );
  });

  it('says when the reference is the data, and when it has no times', async () => {
    const same = await run(
      '--reference',
      'reference.csv',
      '--data',
      './reference.csv',
      '--time',
      'when',
      '--window',
      '1d',
    );
    expect(same.code).toBe(0);
    expect(same.err).toContain('is reference and data at once');
    await writeFile(
      join(folder, 'timeless.csv'),
      `amount\n${Array.from({ length: 2_000 }, (_, i) => 80 + (i % 40)).join('\n')}\n`,
    );
    const { code, err, out } = await run(
      '--reference',
      'timeless.csv',
      '--data',
      'reference.csv',
      '--time',
      'when',
      '--window',
      '1d',
    );
    expect(code).toBe(0);
    expect(err).toContain('the reference has no column "when"');
    expect(out).toContain('rows are taken as independent');
  });

  it('opens for silence, and for a window that has no rows', async () => {
    const name = await traffic('gap.csv', { seed: 9, from: LATER, days: 1 });
    const after = await traffic('after.csv', { seed: 10, from: LATER + 30 * HOUR, days: 1 });
    const { alerts, windows } = await replayed(
      '--reference',
      'reference.csv',
      '--data',
      name,
      '--data',
      after,
      ...HOURLY,
    );
    expect(windows.filter(({ rows }) => rows === 0)).toHaveLength(6);
    expect(alerts).toContainEqual({
      signal: 'blind',
      features: ['events'],
      opened: new Date(LATER + 25 * HOUR).toISOString(),
      closed: new Date(LATER + 31 * HOUR).toISOString(),
      severity: 'critical',
    });
  });

  it('tells everything that is wrong at once', async () => {
    const { code, err } = await run(
      '--reference',
      'reference.csv',
      '--data',
      'short.csv',
      '--window',
      '1 day',
      '--monitor',
      'none.yaml',
    );
    expect(code).toBe(2);
    expect(err).toContain('--window: is neither a duration nor a number of rows');
    expect(err).toContain('none.yaml');
    const missing = await run('--reference', 'no-a.csv', '--data', 'no-b.csv', '--time', 'when');
    expect(missing.code).toBe(2);
    expect(missing.err).toContain('no-a.csv');
    expect(missing.err).toContain('no-b.csv');
    const column = await run(
      '--reference',
      'reference.csv',
      '--data',
      'reference.csv',
      '--time',
      'whem',
      '--window',
      '1h',
    );
    expect(column).toMatchObject({ code: 2, err: expect.stringContaining('did you mean when?') });
    const tiny = await run(
      '--reference',
      'reference.csv',
      '--data',
      'reference.csv',
      '--time',
      'when',
      '--window',
      '1ms',
    );
    expect(tiny).toMatchObject({
      code: 2,
      err: expect.stringContaining('is too short for the time that the data covers'),
    });
    expect((await run('--reference', 'reference.csv')).err).toContain('--data: is required');
  });
});
