/** What a team relies on: quiet months stay within the budget, and changes are found in time and by name. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable, type Table } from '../../lib/adapters/duckdb/table.ts';
import { quietMost } from '../../lib/cli/backtest-text.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { backtestTables, type ReplayedHistory } from '../../lib/local/backtest.ts';
import { seededRandom } from '../../lib/stats/random.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2024-01-01T00:00:00Z');
const HOURLY = { kind: 'duration', every: '1h' } as const;

let folder: string;
let db: DuckDb;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backtest-'));
  db = await openDuckDb({ threads: 2 });
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

/** The four columns of a row, given how far its hour is from the usual, in standard deviations, column by column. */
interface Row {
  amount: number | '';
  size: number | '';
  age: number | '';
  plan: string;
}

interface Traffic {
  readonly seed: number;
  readonly from: number;
  readonly days: number;
  /** Rows in an hour of the stream. */
  readonly rate: (hour: number) => number;
  /** Of column `k` in an hour of the stream. */
  readonly shift?: (hour: number, k: number) => number;
  readonly change?: (row: Row, random: () => number) => void;
  readonly changedFrom?: number;
}

async function traffic(name: string, options: Traffic): Promise<Table> {
  const { seed, from, days, rate, shift = () => 0, change, changedFrom = Number.POSITIVE_INFINITY } = options;
  const source = seededRandom(seed);
  const random = (): number => source.next();
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const lines = ['when,amount,size,age,plan'];
  const first = (from - START) / HOUR;
  for (let hour = first; hour < first + days * 24; hour++) {
    const rows = Math.max(0, Math.round(rate(hour) + Math.sqrt(rate(hour)) * normal()));
    for (let i = 0; i < rows; i++) {
      const draw = random() - 0.2 * shift(hour, 3);
      const row: Row = {
        amount: 50 + 10 * (normal() + shift(hour, 0)),
        size: Math.exp(3 + 0.8 * (normal() + shift(hour, 1))),
        age: random() < 0.02 ? '' : Math.floor(20 + 6 * (random() + random() + shift(hour, 2) / 2.45)),
        plan: draw < 0.5 ? 'basic' : draw < 0.8 ? 'plus' : 'pro',
      };
      const at = START + hour * HOUR + Math.floor((i / rows) * HOUR);
      if (at >= changedFrom) change?.(row, random);
      lines.push(`${new Date(at).toISOString()},${row.amount},${row.size},${row.age},${row.plan}`);
    }
  }
  await writeFile(join(folder, name), `${lines.join('\n')}\n`);
  return openTable(db, { files: [name], cwd: folder });
}

/** A path with this correlation from step to step and this standard deviation. */
function wandering(seed: number, correlation: number, deviation: number): (step: number) => number {
  const source = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - source.next())) * Math.cos(2 * Math.PI * source.next());
  const path = [deviation * normal()];
  return (step) => {
    while (path.length <= step)
      path.push(correlation * path.at(-1)! + deviation * Math.sqrt(1 - correlation ** 2) * normal());
    return path[step]!;
  };
}

const replay = (reference: Table | Baseline, data: Table): Promise<ReplayedHistory> =>
  backtestTables({ reference, data, monitor: null, time: 'when', window: HOURLY });

describe('a replay of quiet months', () => {
  const hourly = [0, 1, 2, 3].map((k) => wandering(100 + k, 0.9, 0.1));
  const daily = [0, 1, 2, 3].map((k) => wandering(200 + k, 0.6, 0.1));
  const streams: Readonly<Record<string, Pick<Traffic, 'rate' | 'shift'>>> = {
    independent: { rate: () => 40 },
    'correlated from hour to hour': { rate: () => 40, shift: (hour, k) => hourly[k]!(hour) },
    'correlated from day to day': { rate: () => 40, shift: (hour, k) => daily[k]!(Math.floor(hour / 24)) },
    'with hours, weekends and a day curve': {
      rate: (hour) => 45 - 40 * Math.cos((2 * Math.PI * hour) / 24),
      shift: (hour, k) =>
        0.3 * Math.sin((2 * Math.PI * (hour + 5 * k)) / 24) + (Math.floor(hour / 24) % 7 > 4 ? 0.2 : 0),
    },
  };

  it('opens no more than the budget allows', async () => {
    let alerts = 0;
    let expected = 0;
    for (const [name, stream] of Object.entries(streams)) {
      const reference = await traffic('quiet-a.csv', { seed: 1, from: START, days: 28, ...stream });
      const data = await traffic('quiet-b.csv', { seed: 2, from: START + 28 * DAY, days: 30, ...stream });
      const history = await replay(reference, data);
      expect([name, history.backtest.windows.length]).toEqual([name, 720]);
      expect(history.backtest.budget.falseAlertsPerMonth).toBeCloseTo(0.7, 6);
      alerts += history.backtest.alerts.length;
      expected += history.expected.high;
    }
    expect(alerts).toBeLessThanOrEqual(quietMost(expected));
  });
});

describe('a replay of a change', () => {
  const changedFrom = START + 29 * DAY;
  let baseline: Baseline;
  beforeAll(async () => {
    const reference = await traffic('usual.csv', { seed: 3, from: START, days: 28, rate: () => 100 });
    const quiet = await traffic('usual-b.csv', { seed: 4, from: START + 28 * DAY, days: 1, rate: () => 100 });
    baseline = (await replay(reference, quiet)).baseline;
  });

  /** What changes, the feature, and the windows that it may take at 100 rows each. */
  const changes: readonly [string, keyof Row, number, Traffic['change']][] = [
    ['a mean up by 0.5 standard deviations', 'amount', 6, (row) => (row.amount = Number(row.amount) + 5)],
    ['a mean up by 0.2 standard deviations', 'amount', 48, (row) => (row.amount = Number(row.amount) + 2)],
    ['a spread half as large again', 'amount', 12, (row) => (row.amount = 50 + 1.5 * (Number(row.amount) - 50))],
    [
      '3 % of the values far out',
      'size',
      24,
      (row, random) => (row.size = Number(row.size) * (random() < 0.03 ? 50 : 1)),
    ],
    ['another unit', 'size', 2, (row) => (row.size = Number(row.size) * 1_000)],
    ['one value only', 'amount', 2, (row) => (row.amount = 50)],
    ['missing values', 'age', 6, (row, random) => (row.age = random() < 0.15 ? '' : row.age)],
    ['another share of a category', 'plan', 12, (row, random) => (row.plan = random() < 0.3 ? 'pro' : row.plan)],
    ['a new category', 'plan', 12, (row, random) => (row.plan = random() < 0.1 ? 'trial' : row.plan)],
  ];

  it.each(changes)('finds %s', async (_, feature, windows, change) => {
    const data = await traffic('changed.csv', {
      seed: 5,
      from: START + 28 * DAY,
      days: 4,
      rate: () => 100,
      changedFrom,
      ...(change === undefined ? {} : { change }),
    });
    const { alerts } = (await replay(baseline, data)).backtest;
    const [alert] = alerts;
    expect(alerts.map(({ signal, features }) => ({ signal, features }))).toEqual(
      alerts.map(() => ({ signal: 'drift', features: [feature] })),
    );
    const taken = (Date.parse(String(alert?.opened)) - changedFrom) / HOUR;
    // Two windows of three must show it.
    expect(taken).toBeGreaterThan(1);
    expect(taken).toBeLessThanOrEqual(windows);
  });
});
