/**
 * The second statement of a profile: rows by window, column and bin of a baseline. One pass over the table, nothing is sorted.
 *
 * Rows of the answer, by `part`:
 * - the label itself: `n` rows of the window that starts at `w` (milliseconds since 1970; NULL outside all windows) whose cell of column
 *   `col` is in `bin`. After the column's bins follow: a number that is not finite or a category that is not listed; a wrong type; missing
 * - the label and ` labels`: `n` rows with a truth
 * - the label and ` performance`: one a group, `packed`: what it is grouped by and its sums, separated by blanks, a text as x and the
 *   hexadecimal of its UTF-8, - where there is none
 */
import { categoryCell, double, finite, inGroups, numberCell, timeCell } from './cells.ts';
import type { SqlDialect } from './dialect.ts';
import type { ProfileColumn } from './summary-statement.ts';

export interface BinnedNumbers extends ProfileColumn {
  readonly type: 'numeric';
  /** Bin i is [edges[i-1], edges[i]); the outer two are open. */
  readonly edges: readonly number[];
  /** What each of them is counted as; ascending from 0 without gaps. */
  readonly bins: readonly number[];
}

export interface BinnedCategories extends ProfileColumn {
  readonly type: 'categorical';
  readonly categories: readonly string[];
  /** What each of them is counted as. */
  readonly bins: readonly number[];
  /** What all others are counted as; `null`: as not listed. */
  readonly rest: number | null;
}

export type BinnedColumn = BinnedNumbers | BinnedCategories;

/** `count` windows of equal length, one after another from `start`. Milliseconds. */
export interface WindowRun {
  readonly start: number;
  readonly length: number;
  readonly count: number;
}

/** Rows grouped for performance. Expressions are of the columns that `cells` names. */
export interface PerformanceGroups {
  readonly cells: readonly { readonly as: string; readonly column: string; readonly type: 'numeric' | 'categorical' }[];
  /** Column of the truth: rows with it are labelled. */
  readonly truth: string;
  /** Rows that count. */
  readonly where: string;
  readonly keys: readonly { readonly sql: string; readonly isText: boolean }[];
  /** Text without a blank. */
  readonly sums: readonly string[];
}

export interface WindowsSource {
  /** SQL: a quoted name, or a query in parentheses. */
  readonly relation: string;
  readonly columns: readonly BinnedColumn[];
  readonly time: string | null;
  /** Ascending, not overlapping. */
  readonly windows: readonly WindowRun[];
  readonly performance: PerformanceGroups | null;
}

/** Bins of a column; the three that follow are no bins of it. */
export function binCount(column: BinnedColumn): number {
  return Math.max(-1, column.type === 'categorical' ? (column.rest ?? -1) : -1, ...column.bins) + 1;
}

/** `from`: as of `summaryStatement`. */
export function windowsStatement(
  dialect: SqlDialect,
  source: WindowsSource,
  label: string,
  [from, to]: readonly [number, number] = [0, source.columns.length],
): string {
  const { relation, time } = source;
  const columns = source.columns.map((column, i) => ({ column, i })).slice(from, to);
  const instant = time === null ? 'CAST(NULL AS BIGINT)' : timeCell(dialect, dialect.quoted(time));
  const window = windowSql(source.windows);
  const groups = inGroups(dialect, columns).map((group) => groupSql(dialect, relation, { instant, window }, group));
  const counted = `SELECT '${label}' AS part, w, col, bin, COUNT(*) AS n, CAST(NULL AS ${dialect.text}) AS packed FROM (
  ${groups.join('\n  UNION ALL\n  ')}
) AS cells
GROUP BY w, col, bin`;
  return source.performance === null || from > 0
    ? counted
    : `${counted}\n${performanceSql(dialect, relation, { instant, window, label }, source.performance)}`;
}

/** One row a row and column of the group. */
function groupSql(
  dialect: SqlDialect,
  relation: string,
  { instant, window }: { readonly instant: string; readonly window: string },
  columns: readonly { readonly column: BinnedColumn; readonly i: number }[],
): string {
  const cells = columns.flatMap(({ column, i }) => {
    const name = dialect.quoted(column.name);
    return column.type === 'numeric'
      ? [`${numberCell(dialect, name)} AS x${i}`, `CASE WHEN ${name} IS NULL THEN 0 ELSE 1 END AS p${i}`]
      : [`${categoryCell(dialect, name)} AS c${i}`];
  });
  const bins = columns.map(({ column, i }) => `${binSql(dialect, column, i)} AS b${i}`);
  const fields = [
    { name: 'col', type: 'bigint' },
    { name: 'bin', type: 'bigint' },
  ] as const;
  return dialect.unpivot(
    `(
    SELECT ${window} AS w,
      ${bins.join(',\n      ')}
    FROM (
      SELECT ${instant} AS instant,
        ${cells.join(',\n        ')}
      FROM ${relation} AS profiled
    ) AS read_cells
  ) AS binned`,
    ['w'],
    fields,
    columns.map(({ i }) => [String(i), `b${i}`]),
  );
}

function binSql(dialect: SqlDialect, column: BinnedColumn, i: number): string {
  const after = binCount(column);
  if (column.type === 'numeric')
    return `CASE WHEN ${finite(`x${i}`)} THEN ${tree(`x${i}`, column)} WHEN x${i} IS NOT NULL THEN ${after} WHEN p${i} = 1 THEN ${after + 1} ELSE ${after + 2} END`;
  // What all others are counted as needs no list.
  const listed = new Map<string, number>();
  column.categories.forEach((category, c) => {
    const bin = column.bins[c] ?? 0;
    if (bin !== column.rest) listed.set(category, bin);
  });
  const others = column.rest ?? after;
  const place = listed.size === 0 ? String(others) : `COALESCE(${dialect.place(`c${i}`, listed)}, ${others})`;
  return `CASE WHEN c${i} IS NULL THEN ${after + 2} ELSE ${place} END`;
}

/** Halves the edges, so that a row is compared with a few of many. */
function tree(x: string, { edges, bins }: BinnedNumbers, from = 0, to = edges.length): string {
  const bin = (at: number): number => bins[at] ?? 0;
  if (bin(from) === bin(to)) return String(bin(from));
  const middle = (from + to) >>> 1;
  const column = { edges, bins } as BinnedNumbers;
  return `CASE WHEN ${x} < ${double(edges[middle] as number)} THEN ${tree(x, column, from, middle)} ELSE ${tree(x, column, middle + 1, to)} END`;
}

function windowSql(windows: readonly WindowRun[]): string {
  const first = windows[0];
  if (first === undefined) return 'CAST(NULL AS BIGINT)';
  const runs = windows.map(({ start, length, count }) => {
    const w = count === 1 ? String(start) : `instant - MOD(instant - (${start}), ${length})`;
    return `WHEN instant < ${start + length * count} THEN ${w}`;
  });
  return `CASE WHEN instant < ${first.start} THEN CAST(NULL AS BIGINT) ${runs.join(' ')} END`;
}

function performanceSql(
  dialect: SqlDialect,
  relation: string,
  { instant, window, label }: { readonly instant: string; readonly window: string; readonly label: string },
  { cells, truth, where, keys, sums }: PerformanceGroups,
): string {
  const read = cells.map(({ as, column, type }) => {
    const name = dialect.quoted(column);
    return `${(type === 'numeric' ? numberCell : categoryCell)(dialect, name)} AS ${as}`;
  });
  const places = keys.map((_, k) => `k${k}`);
  const text = (sql: string): string => `COALESCE(${sql}, '-')`;
  const packed = [
    ...keys.map(({ isText }, k) => text(isText ? `'x' || ${dialect.hex(`k${k}`)}` : `CAST(k${k} AS ${dialect.text})`)),
    ...sums.map((_, s) => text(`s${s}`)),
  ];
  // Our own expressions say VARCHAR for text.
  const own = (sql: string): string => sql.replaceAll(' AS VARCHAR)', ` AS ${dialect.text})`);
  const rows = `(SELECT ${window} AS w, ${cells.map(({ as }) => as).join(', ')} FROM (
    SELECT ${[`${instant} AS instant`, ...read].join(',\n      ')}
    FROM ${relation} AS profiled WHERE ${dialect.quoted(truth)} IS NOT NULL
  ) AS read_cells) AS labelled`;
  return `UNION ALL
SELECT '${label} labels', w, NULL, NULL, COUNT(*), NULL FROM (
  SELECT ${window} AS w FROM (SELECT ${instant} AS instant FROM ${relation} AS profiled WHERE ${dialect.quoted(truth)} IS NOT NULL) AS times
) AS labelled GROUP BY w
UNION ALL
SELECT '${label} performance', w, NULL, NULL, NULL, ${packed.join(" || ' ' || ")} FROM (
  SELECT ${['w', ...places, ...sums.map((sql, s) => `${own(sql)} AS s${s}`)].join(',\n    ')}
  FROM (SELECT w, ${[...cells.map(({ as }) => as), ...keys.map(({ sql }, k) => `${own(sql)} AS k${k}`)].join(',\n    ')} FROM ${rows} WHERE ${where}) AS keyed
  GROUP BY ${['w', ...places].join(', ')}
) AS summed`;
}
