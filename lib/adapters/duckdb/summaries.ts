/** Counting queries over a table: one pass for a purpose, integers out, everything that grows with the data stays in DuckDB. */
import { double, identifier, literal, wholeText } from './load.ts';
import { numberSql, presentSql, type Table, type TableColumn, textSql } from './table.ts';

export interface NumberFacts {
  /** Rows with a value that is no number (text in a column taken as a number). */
  readonly invalid: number;
  readonly missing: number;
  readonly nonFinite: number;
  readonly integer: boolean;
  readonly mean: number | null;
  /** Population standard deviation. */
  readonly std: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** A value with how often it occurs and how many finite values lie below it. */
export interface Step {
  readonly value: number;
  readonly count: number;
  readonly before: number;
}

/** What is known of numbers before they are binned. Two passes over all columns. */
export async function numberFacts(table: Table, columns: readonly TableColumn[]): Promise<NumberFacts[]> {
  if (columns.length === 0) return [];
  const first = columns.flatMap((column, i) => {
    const x = numberSql(column);
    const finite = `FILTER (WHERE isfinite(${x}))`;
    return [
      `count(*) FILTER (WHERE ${presentSql(column)}) AS p${i}`,
      `count(${x}) AS c${i}`,
      `count(*) ${finite} AS f${i}`,
      `count(*) FILTER (WHERE isfinite(${x}) AND ${x} <> floor(${x})) AS d${i}`,
      `min(${x}) ${finite} AS l${i}`,
      `max(${x}) ${finite} AS h${i}`,
      `fsum(${x}) ${finite} AS s${i}`,
    ];
  });
  const [a] = await table.db.rows(`SELECT ${first.join(', ')} FROM ${table.relation}`);
  const finiteCount = (i: number): number => Number(a?.[`f${i}`] ?? 0);
  const means = columns.map((_, i) => (finiteCount(i) === 0 ? null : Number(a?.[`s${i}`]) / finiteCount(i)));
  // Around the mean, since a sum of squares would cancel for numbers far from zero.
  const second = columns.map((column, i) => {
    const x = numberSql(column);
    const mean = means[i];
    return mean === null || mean === undefined || !Number.isFinite(mean)
      ? `NULL AS v${i}`
      : `fsum((${x} - ${double(mean)}) * (${x} - ${double(mean)})) FILTER (WHERE isfinite(${x})) AS v${i}`;
  });
  const [b] = await table.db.rows(`SELECT ${second.join(', ')} FROM ${table.relation}`);
  const orNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value) + 0);
  return columns.map((_, i) => {
    const variance = orNull(b?.[`v${i}`]);
    return {
      invalid: Number(a?.[`p${i}`]) - Number(a?.[`c${i}`]),
      missing: table.rows - Number(a?.[`p${i}`]),
      nonFinite: Number(a?.[`c${i}`]) - finiteCount(i),
      integer: Number(a?.[`d${i}`]) === 0,
      mean: means[i] ?? null,
      std: variance === null ? null : Math.sqrt(variance / finiteCount(i)),
      min: orNull(a?.[`l${i}`]),
      max: orNull(a?.[`h${i}`]),
    };
  });
}

/**
 * The values that bins are made from: those that hold one of `parts` equal-depth quantiles, one of the `ranks` (1-based), an
 * end, or that are heavier than 1/parts; all values when there are at most `few` of them. Exact; sorts on disk if it must.
 * @param n finite values of the column
 */
export async function valueSteps(
  table: Table,
  column: TableColumn,
  n: number,
  rule: { readonly parts: number; readonly ranks: readonly number[]; readonly few: number },
): Promise<{ readonly steps: Step[]; readonly distinct: number }> {
  if (n === 0) return { steps: [], distinct: 0 };
  const x = numberSql(column);
  const ranks = rule.ranks.map((rank) => `(before < ${rank} AND ${rank} <= before + c)`);
  const rows = await table.db.rows(`
    WITH v AS (SELECT ${x} AS x, count(*) AS c FROM ${table.relation} WHERE isfinite(${x}) GROUP BY 1),
    s AS (SELECT x, c, CAST(sum(c) OVER (ORDER BY x ROWS UNBOUNDED PRECEDING) AS BIGINT) - c AS before, count(*) OVER () AS u FROM v)
    SELECT x, c, before, u FROM s
    WHERE u <= ${rule.few} OR before = 0 OR before + c = ${n} OR c * ${rule.parts} > ${n}
      OR ((before + c) * ${rule.parts}) // ${n} > (before * ${rule.parts}) // ${n}
      ${ranks.map((condition) => `OR ${condition}`).join(' ')}
    ORDER BY x`);
  return {
    steps: rows.map((row) => ({ value: Number(row['x']) + 0, count: Number(row['c']), before: Number(row['before']) })),
    distinct: Number(rows[0]?.['u'] ?? 0),
  };
}

/** The most frequent categories, ties by code point; and how many there are in all. */
export async function topCategories(
  table: Table,
  column: TableColumn,
  limit: number,
): Promise<{ readonly top: (readonly [string, number])[]; readonly distinct: number; readonly missing: number }> {
  const rows = await table.db.rows(
    `SELECT ${wholeText('v')} AS v, c, count(v) OVER () AS u FROM (SELECT ${textSql(column)} AS v, count(*) AS c FROM ${table.relation} GROUP BY 1) AS g ORDER BY g.v IS NOT NULL, c DESC, g.v LIMIT ${limit + 1}`,
  );
  return {
    top: rows
      .filter((row) => row['v'] !== null)
      .slice(0, limit)
      .map((row) => [String(row['v']), Number(row['c'])] as const),
    distinct: Number(rows[0]?.['u'] ?? 0),
    missing: Number(rows.find((row) => row['v'] === null)?.['c'] ?? 0),
  };
}

export interface CountedCategories {
  /** Rows of each listed category. */
  readonly bins: readonly number[];
  readonly missing: number;
  /** Rows of all other categories. */
  readonly unseen: number;
  /** The most frequent of those, ties by code point. */
  readonly topUnseen: readonly (readonly [category: string, count: number])[];
}

/** Counts listed categories, what is missing, and what is not listed. One pass. */
export async function countCategories(
  table: Table,
  column: TableColumn,
  categories: readonly string[],
  unseenLimit: number,
): Promise<CountedCategories> {
  const listed =
    categories.length === 0
      ? "(SELECT '' AS category, 0 AS bin WHERE false)"
      : `(SELECT unnest([${categories.map(literal).join(', ')}]) AS category, unnest(range(${categories.length})) AS bin)`;
  const unseen = 'SELECT v, c FROM counted ANTI JOIN listed ON v = category WHERE v IS NOT NULL';
  const rows = await table.db.rows(`
    WITH counted AS MATERIALIZED (SELECT ${textSql(column)} AS v, count(*) AS c FROM ${table.relation} GROUP BY 1),
    listed AS MATERIALIZED ${listed}
    SELECT 'listed' AS what, bin, NULL AS v, c FROM counted JOIN listed ON v = category
    UNION ALL SELECT 'missing', NULL, NULL, c FROM counted WHERE v IS NULL
    UNION ALL SELECT 'unseen', NULL, NULL, CAST(sum(c) AS BIGINT) FROM (${unseen})
    UNION ALL (SELECT 'top', NULL, ${wholeText('v')}, c FROM (${unseen}) ORDER BY c DESC, v LIMIT ${unseenLimit})`);
  const bins = new Array<number>(categories.length).fill(0);
  const topUnseen: (readonly [string, number])[] = [];
  let missing = 0;
  let total = 0;
  for (const row of rows) {
    const count = Number(row['c'] ?? 0);
    if (row['what'] === 'listed') bins[Number(row['bin'])] = count;
    else if (row['what'] === 'missing') missing = count;
    else if (row['what'] === 'unseen') total = count;
    else topUnseen.push([String(row['v']), count]);
  }
  topUnseen.sort(([a, n], [b, m]) => m - n || byCodePoint(a, b));
  return { bins, missing, unseen: total, topUnseen };
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Different finite values. */
export async function distinctNumbers(table: Table, column: TableColumn): Promise<number> {
  const x = numberSql(column);
  const [row] = await table.db.rows(
    `SELECT count(DISTINCT ${x}) FILTER (WHERE isfinite(${x})) AS n FROM ${table.relation}`,
  );
  return Number(row?.['n'] ?? 0);
}

/** Rows with a value, a column each. One pass. */
export async function presentRows(table: Table, columns: readonly TableColumn[]): Promise<number[]> {
  if (columns.length === 0) return [];
  const [row] = await table.db.rows(
    `SELECT ${columns.map((column, i) => `count(*) FILTER (WHERE ${presentSql(column)}) AS mlmon_${i}`).join(', ')} FROM ${table.relation}`,
  );
  return columns.map((_, i) => Number(row?.[`mlmon_${i}`] ?? 0));
}

/** Windows of a table: the SQL that gives a row's window number, NULL outside all of them. */
export interface WindowMap {
  /** Relation with all columns of the table and `column`, the window's number. */
  readonly relation: string;
  readonly column: string;
  readonly starts: readonly number[];
}

/**
 * Gives each row its window. Bounds come from outside, so that time zones are cut the same way everywhere.
 * @param time SQL of milliseconds since 1970
 * @param spans ascending, not overlapping; all bounds are multiples of `quantum` milliseconds
 */
export async function mapWindows(
  table: Table,
  time: string,
  spans: readonly { readonly start: number; readonly end: number }[],
  quantum: number,
): Promise<WindowMap> {
  const bounds = identifier(table.db.name('bounds'));
  const map = identifier(table.db.name('windows'));
  const relation = identifier(table.db.name('windowed'));
  // Names that no column of the user's has by accident.
  const column = identifier(table.db.name('mlmon_window'));
  const tick = identifier(table.db.name('mlmon_tick'));
  await table.db.run(`CREATE TEMP TABLE ${bounds} (w INTEGER, a BIGINT, b BIGINT)`);
  for (let from = 0; from < spans.length; from += 1_000) {
    const values = spans
      .slice(from, from + 1_000)
      .map(({ start, end }, i) => `(${from + i}, ${start / quantum}, ${end / quantum})`);
    await table.db.run(`INSERT INTO ${bounds} VALUES ${values.join(', ')}`);
  }
  await table.db.run(
    `CREATE TEMP TABLE ${map} AS SELECT unnest(range(a, b)) AS ${tick}, w AS ${column} FROM ${bounds}`,
  );
  await table.db.run(
    `CREATE TEMP VIEW ${relation} AS SELECT * FROM (SELECT *, CAST(floor((${time}) / ${quantum}) AS BIGINT) AS ${tick} FROM ${table.relation}) LEFT JOIN ${map} USING (${tick})`,
  );
  return { relation, column, starts: spans.map(({ start }) => start) };
}

/** What a row of a column is counted as. */
export interface Binning {
  /** SQL of the bin's number; NULL where there is no value to bin. */
  readonly bin: string;
  /** Number of bins. */
  readonly bins: number;
}

/** Bin i of a number is [edges[i-1], edges[i]); the outer two are open. */
export function numberBinning(column: TableColumn, edges: readonly number[], binOf?: readonly number[]): Binning {
  const x = numberSql(column);
  const group = (bin: number): number => binOf?.[bin] ?? bin;
  const tree = (from: number, to: number): string => {
    if (group(from) === group(to)) return String(group(from));
    // Halve the edges, so that a row is compared with a few of many.
    const middle = (from + to) >>> 1;
    return `CASE WHEN ${x} < ${double(edges[middle] as number)} THEN ${tree(from, middle)} ELSE ${tree(middle + 1, to)} END`;
  };
  return {
    bin: `CASE WHEN isfinite(${x}) THEN ${tree(0, edges.length)} END`,
    bins: group(edges.length) + 1,
  };
}

export interface CategoryBinning extends Binning {
  /** To be put after the relation. */
  readonly join: string;
  /** Column of the join that is NULL for categories that are not listed. */
  readonly known: string;
}

/** Each category's number; all others are `rest`, or without a bin when there is none. */
export async function categoryBinning(
  table: Table,
  column: TableColumn,
  categories: readonly string[],
  binOf: readonly number[],
  rest: number | null,
): Promise<CategoryBinning> {
  const lookup = identifier(table.db.name('categories'));
  const category = identifier(table.db.name('mlmon_category'));
  const known = identifier(table.db.name('mlmon_bin'));
  await table.db.run(`CREATE TEMP TABLE ${lookup} (${category} VARCHAR, ${known} INTEGER)`);
  if (categories.length > 0)
    await table.db.run(
      `INSERT INTO ${lookup} VALUES ${categories.map((category, i) => `(${literal(category)}, ${binOf[i]})`).join(', ')}`,
    );
  return {
    known,
    join: `LEFT JOIN ${lookup} ON ${category} = ${textSql(column)}`,
    bin: rest === null ? known : `CASE WHEN ${textSql(column)} IS NOT NULL THEN coalesce(${known}, ${rest}) END`,
    bins: Math.max(rest ?? -1, ...binOf) + 1,
  };
}

/** Rows by window and bin: one array a window, its bins and, last, what has none. */
export async function countBins(
  windows: WindowMap,
  table: Table,
  binning: Binning & { readonly join?: string },
): Promise<number[][]> {
  const rows = await table.db.rows(
    `SELECT ${windows.column} AS w, ${binning.bin} AS b, count(*) AS n FROM ${windows.relation} ${binning.join ?? ''} WHERE ${windows.column} IS NOT NULL GROUP BY 1, 2`,
  );
  const counts = windows.starts.map(() => new Array<number>(binning.bins + 1).fill(0));
  for (const row of rows) {
    const window = counts[Number(row['w'])];
    if (window !== undefined) window[row['b'] === null ? binning.bins : Number(row['b'])] = Number(row['n']);
  }
  return counts;
}

/** Rows by bin over the whole table: the bins and, last, what has none. */
export async function countAll(table: Table, binning: Binning & { readonly join?: string }): Promise<number[]> {
  const rows = await table.db.rows(
    `SELECT ${binning.bin} AS b, count(*) AS n FROM ${table.relation} ${binning.join ?? ''} GROUP BY 1`,
  );
  const counts = new Array<number>(binning.bins + 1).fill(0);
  for (const row of rows) counts[row['b'] === null ? binning.bins : Number(row['b'])] = Number(row['n']);
  return counts;
}

/** The most frequent categories that are not listed, ties by code point. */
export async function topUnseen(
  table: Table,
  column: TableColumn,
  { join, known }: CategoryBinning,
  limit: number,
): Promise<(readonly [string, number])[]> {
  const value = textSql(column);
  const rows = await table.db.rows(
    `SELECT ${wholeText('v')} AS mlmon_v, n AS mlmon_n FROM (SELECT ${value} AS v, count(*) AS n FROM ${table.relation} ${join} WHERE ${known} IS NULL AND ${value} IS NOT NULL GROUP BY 1) ORDER BY n DESC, v LIMIT ${limit}`,
  );
  return rows.map((row) => [String(row['mlmon_v']), Number(row['mlmon_n'])] as const);
}

/** Rows in each window. */
export async function countRows(windows: WindowMap, table: Table): Promise<number[]> {
  const rows = await table.db.rows(
    `SELECT ${windows.column} AS w, count(*) AS n FROM ${windows.relation} WHERE ${windows.column} IS NOT NULL GROUP BY 1`,
  );
  const counts = new Array<number>(windows.starts.length).fill(0);
  for (const row of rows) counts[Number(row['w'])] = Number(row['n']);
  return counts;
}

/** First and last instant, and rows that have none. */
export async function timeRange(
  table: Table,
  time: string,
): Promise<{ readonly from: number; readonly to: number; readonly absent: number } | null> {
  const [row] = await table.db.rows(
    `SELECT min(t) AS a, max(t) AS b, count(*) - count(t) AS absent FROM (SELECT ${time} AS t FROM ${table.relation})`,
  );
  const from = row?.['a'];
  if (from === null || from === undefined) return null;
  return { from: Number(from), to: Number(row?.['b']), absent: Number(row?.['absent']) };
}
