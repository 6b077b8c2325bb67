/**
 * What replays do to months that they have never seen, data file in, alerts out: alerts when nothing changes, and the delay and the
 * name when something does. Each month has a reference of its own. Five columns: a number, a skewed one, five categories, a flag, a
 * number with 2 % missing. (`bench/detection.ts` asks the same of the verdict alone, on far more months and laws.)
 *
 *   node --import tsx bench/backtest-months.ts [months] [words of the names to run …]     a second or two a month
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDb, openDuckDb } from '../lib/adapters/duckdb/load.ts';
import { openTable } from '../lib/adapters/duckdb/table.ts';
import { backtestTables } from '../lib/local/backtest.ts';
import type { WindowChoice } from '../lib/local/window-choice.ts';
import { seededRandom } from '../lib/stats/random.ts';
import { quantile } from './measurement.ts';

const HOUR = 3_600_000;
const START = Date.parse('2024-01-01T00:00:00Z');
const COLUMNS = 5;
/** Days after the reference at which the change comes. */
const CHANGED_AFTER = 5;

interface Stream {
  readonly name: string;
  /** Rows an hour. */
  readonly rate: number;
  readonly referenceDays?: number;
  readonly days?: number;
  readonly window?: WindowChoice;
  /** Correlation from one to the next, and standard deviation, of shifts of every column by hour and by day. */
  readonly hours?: readonly [number, number];
  readonly dayShifts?: readonly [number, number];
  /** Standard deviations by hour of day; two thirds of it at weekends. */
  readonly season?: number;
  /** Most over fewest rows in a day. */
  readonly curve?: number;
  /** Traffic after the reference. */
  readonly factor?: number;
}

interface Change {
  readonly name: string;
  readonly column: string;
  /** SQL of the changed value; `x` is the column's own. */
  readonly sql: string;
}

const HOURLY: WindowChoice = { kind: 'duration', every: '1h' };
const DAILY: WindowChoice = { kind: 'duration', every: '1d' };
const ROWS: WindowChoice = { kind: 'rows', rows: 1_000 };

const QUIET: readonly Stream[] = [
  { name: 'hourly, independent rows', rate: 60 },
  { name: 'hourly, from hour to hour 0.9', rate: 60, hours: [0.9, 0.1] },
  { name: 'hourly, from day to day 0.9', rate: 60, dayShifts: [0.9, 0.1] },
  { name: 'hourly, from day to day 0.6, reference of 7 days', rate: 60, dayShifts: [0.6, 0.1], referenceDays: 7 },
  { name: 'hourly, hours and weekends and from day to day 0.6', rate: 60, dayShifts: [0.6, 0.05], season: 0.2 },
  { name: 'hourly, a day curve of 50:1', rate: 300, curve: 50 },
  { name: 'hourly, traffic × 10, from hour to hour 0.7', rate: 20, factor: 10, hours: [0.7, 0.1] },
  { name: 'daily, from day to day 0.6', rate: 20, days: 90, window: DAILY, dayShifts: [0.6, 0.1] },
  { name: 'daily, independent rows, reference of 14 days', rate: 20, days: 60, window: DAILY, referenceDays: 14 },
  { name: 'windows of 1,000 rows, from hour to hour 0.9', rate: 60, window: ROWS, hours: [0.9, 0.1] },
];
const CHANGED: Stream = { name: 'changed', rate: 300, days: 10 };
const CHANGES: readonly Change[] = [
  { name: 'mean + 0.3 sd', column: 'amount', sql: 'x + 3' },
  { name: 'mean + 0.1 sd', column: 'amount', sql: 'x + 1' },
  { name: 'spread × 1.3', column: 'amount', sql: '50 + 1.3 * (x - 50)' },
  { name: '3 % of the values × 30', column: 'size', sql: 'CASE WHEN random() < 0.03 THEN 30 * x ELSE x END' },
  { name: 'another unit', column: 'size', sql: '1000 * x' },
  { name: 'one value only', column: 'amount', sql: '50' },
  { name: 'missing 2 → 10 %', column: 'load', sql: 'CASE WHEN random() < 0.08 THEN NULL ELSE x END' },
  { name: 'a share from 36 to 48 %', column: 'plan', sql: "CASE WHEN random() < 0.12 / 0.64 THEN 'plan-0' ELSE x END" },
  { name: 'a new category in 2 % of the rows', column: 'plan', sql: "CASE WHEN random() < 0.02 THEN 'new' ELSE x END" },
];

const normal = 'sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())';
const VALUES: Readonly<Record<string, string>> = {
  amount: `50 + 10 * (${normal} + s0)`,
  size: `exp(3 + 0.8 * (${normal} + s1))`,
  plan: `'plan-' || (CASE WHEN d < 0.36 THEN 0 WHEN d < 0.58 THEN 1 WHEN d < 0.75 THEN 2 WHEN d < 0.89 THEN 3 ELSE 4 END)`,
  flag: 'random() < 1 / (1 + exp(0.85 - s3))',
  load: `CASE WHEN random() < 0.02 THEN NULL ELSE ${normal} + s4 END`,
};

/** Rows and shifts of every hour. */
function hoursOf(stream: Stream, count: number, referenceHours: number, seed: number): number[][] {
  const random = seededRandom(seed);
  const path = ([correlation, deviation]: readonly [number, number], steps: number): number[] => {
    const values = [deviation * random.normal()];
    while (values.length < steps)
      values.push(correlation * values.at(-1)! + deviation * Math.sqrt(1 - correlation ** 2) * random.normal());
    return values;
  };
  const none = (steps: number): number[] => new Array<number>(steps).fill(0);
  const shifts = Array.from({ length: COLUMNS }, () => {
    const byHour = stream.hours === undefined ? none(count) : path(stream.hours, count);
    const byDay = stream.dayShifts === undefined ? none(count / 24) : path(stream.dayShifts, count / 24);
    const phase = 24 * random.next();
    return byHour.map((value, hour) => {
      const day = Math.floor(hour / 24);
      const season = Math.sin((2 * Math.PI * (hour - phase)) / 24) + (day % 7 > 4 ? 2 / 3 : 0);
      return value + byDay[day]! + (stream.season ?? 0) * season;
    });
  });
  return Array.from({ length: count }, (_, hour) => {
    const night = 0.5 + 0.5 * Math.cos((2 * Math.PI * (hour - 3)) / 24);
    const mean = stream.rate * (stream.curve ?? 1) ** -night * (hour < referenceHours ? 1 : (stream.factor ?? 1));
    const rows = Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
    return [hour, rows, ...shifts.map((column) => column[hour]!)];
  });
}

async function writeMonth(
  db: DuckDb,
  stream: Stream,
  change: Change | null,
  seed: number,
  files: readonly [string, string],
): Promise<void> {
  const referenceHours = (stream.referenceDays ?? 28) * 24;
  const hours = hoursOf(stream, referenceHours + (stream.days ?? 30) * 24, referenceHours, seed);
  await db.run(
    'CREATE OR REPLACE TEMP TABLE hours (h INTEGER, n INTEGER, s0 DOUBLE, s1 DOUBLE, s2 DOUBLE, s3 DOUBLE, s4 DOUBLE)',
  );
  for (let at = 0; at < hours.length; at += 500)
    await db.run(`INSERT INTO hours VALUES ${hours.slice(at, at + 500).map((row) => `(${row.join(', ')})`)}`);
  await db.run(`SELECT setseed(${(seed % 1_000) / 1_000})`);
  const values = Object.entries(VALUES).map(([name, sql]) => `${sql} AS ${name}`);
  const changedHour = referenceHours + CHANGED_AFTER * 24;
  const replaced =
    change === null
      ? ''
      : `REPLACE (CASE WHEN h >= ${changedHour} THEN ${change.sql.replace(/\bx\b/g, change.column)} ELSE ${change.column} END AS ${change.column})`;
  const rows = `SELECT h, make_timestamp(CAST((${START} + (h + random()) * ${HOUR}) * 1000 AS BIGINT)) AS "when", ${values.join(', ')} FROM (SELECT *, greatest(0, random() - 0.2 * s2) AS d FROM (SELECT *, unnest(range(n)) FROM hours))`;
  for (const [file, where] of [
    [files[0], `h < ${referenceHours}`],
    [files[1], `h >= ${referenceHours}`],
  ])
    await db.run(
      `COPY (SELECT * EXCLUDE (h) FROM (SELECT * ${replaced} FROM (${rows}) WHERE ${where})) TO '${file}' (FORMAT parquet)`,
    );
}

const folder = mkdtempSync(join(tmpdir(), 'backtest-months-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

async function month(stream: Stream, change: Change | null, seed: number) {
  const files = [join(folder, 'reference.parquet'), join(folder, 'data.parquet')] as const;
  const db = await openDuckDb({ threads: 1 });
  try {
    await writeMonth(db, stream, change, seed, files);
    const [reference, data] = await Promise.all(files.map((file) => openTable(db, { files: [file], cwd: folder })));
    return await backtestTables({
      reference: reference!,
      data: data!,
      monitor: null,
      time: 'when',
      window: stream.window ?? HOURLY,
    });
  } finally {
    await db.close();
  }
}

const [asked = '20', ...words] = process.argv.slice(2);
const months = Number(asked);
const wanted = (name: string): boolean => words.length === 0 || words.some((word) => name.includes(word));
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

say('| nothing changes | days | alerts a month | told as the most |\n| --- | ---: | ---: | ---: |');
for (const stream of QUIET.filter(({ name }) => wanted(name))) {
  const bySignal = new Map<string, number>();
  let most = 0;
  for (let seed = 1; seed <= months; seed++) {
    const { backtest } = await month(stream, null, seed);
    most = backtest.budget.falseAlertsPerMonth;
    for (const { signal } of backtest.alerts) bySignal.set(signal, (bySignal.get(signal) ?? 0) + 1);
  }
  const days = months * (stream.days ?? 30);
  const rates = [...bySignal].map(([signal, alerts]) => `${((30 * alerts) / days).toFixed(2)} ${signal}`);
  say(`| ${stream.name} | ${days} | ${rates.join(', ') || '0'} | ${most.toFixed(2)} |`);
}

say('\n| change | windows until the alert, median (most) | missed | named, and alone |\n| --- | ---: | ---: | ---: |');
for (const change of CHANGES.filter(({ name }) => wanted(name))) {
  const delays: number[] = [];
  let alone = 0;
  for (let seed = 1; seed <= months; seed++) {
    const at = START + (28 + CHANGED_AFTER) * 24 * HOUR;
    const { alerts } = (await month(CHANGED, change, seed)).backtest;
    const found = alerts.find(({ signal, opened }) => signal === 'drift' && Date.parse(String(opened)) > at);
    if (found === undefined) continue;
    delays.push((Date.parse(String(found.opened)) - at) / HOUR);
    if (found.features.join() === change.column) alone++;
  }
  say(
    `| ${change.name} | ${quantile(delays, 0.5)} (${Math.max(...delays)}) | ${months - delays.length} of ${months} | ${alone} of ${delays.length} |`,
  );
}
