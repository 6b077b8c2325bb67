/**
 * The first statement of a profile: from every column what its bins are made of, which is exact: the steps that hold the quantiles,
 * the ends and the heavy values of a number, the most frequent categories of a text, and how many cells are neither. One pass over
 * the table groups equal cells; what follows works on the groups.
 *
 * Rows of the answer, by `part`:
 * - the label itself: one a group that is kept, of column `col` and what it counts as, `kind` (KIND). `val` the number or `cat` the
 *   category, `n` its rows, `below` the rows of smaller values (of more frequent categories); of all groups of that kind `uniq` their
 *   number, `fractions` those that are no whole numbers, `mean`, and `squares` the sum of squares around it
 * - the label and ` rows`: one, `n` rows, `timed` those with a time, `earliest` and `latest`, milliseconds since 1970; `cat` what the data is called
 *
 * Categories are written as x and the hexadecimal of their UTF-8, so that no format of results harms them.
 */
import { categoryCell, finite, inGroups, KIND, numberCell, timeCell } from './cells.ts';
import type { SqlDialect } from './dialect.ts';
import { hexOf } from './literal.ts';

export interface ProfileColumn {
  /** In the table. */
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
}

export interface ProfileSource {
  /** SQL: a quoted name, or a query in parentheses. */
  readonly relation: string;
  /** What the data is to be called. */
  readonly called: string;
  readonly columns: readonly ProfileColumn[];
  /** Column of the time; `null` without one. */
  readonly time: string | null;
}

/** Which values become steps. */
export interface SummaryRule {
  /** Steps hold so many quantiles of equal depth, and every value heavier than one part. */
  readonly parts: number;
  /** And these quantiles, in thousandths. */
  readonly thousandths: readonly number[];
  /** All values are steps when there are at most so many. */
  readonly few: number;
  /** Categories kept by name. */
  readonly categories: number;
}

const FIELDS = [
  { name: 'col', type: 'bigint' },
  { name: 'kind', type: 'bigint' },
  { name: 'val', type: 'double' },
  { name: 'cat', type: 'text' },
] as const;

/**
 * @param label what its rows are marked with
 * @param from first and last index of the columns that this statement is about, the last not included
 */
export function summaryStatement(
  dialect: SqlDialect,
  source: ProfileSource,
  rule: SummaryRule,
  label: string,
  [from, to]: readonly [number, number] = [0, source.columns.length],
): string {
  const columns = source.columns.map((column, i) => ({ ...column, i })).slice(from, to);
  const { relation, time } = source;
  const instant = from === 0 && time !== null ? timeCell(dialect, dialect.quoted(time)) : 'CAST(NULL AS BIGINT)';
  const ordered = `OVER (PARTITION BY col, kind ORDER BY val, CASE WHEN kind = ${KIND.category} THEN -n END, cat`;
  const all = 'OVER (PARTITION BY col, kind)';
  return `WITH cells AS (
  ${inGroups(dialect, columns)
    .map((group) => groupSql(dialect, relation, group))
    .join('\n  UNION ALL\n  ')}
),
grouped AS (SELECT col, kind, val, cat, COUNT(*) AS n FROM cells GROUP BY col, kind, val, cat),
placed AS (
  SELECT col, kind, val, cat, n,
    CAST(SUM(n) ${all} AS BIGINT) AS total,
    COUNT(*) ${all} AS uniq,
    SUM(CASE WHEN MOD(val, 1E0) <> 0E0 THEN 1 ELSE 0 END) ${all} AS fractions,
    SUM(n * val) ${all} / SUM(n) ${all} AS mean,
    CAST(SUM(n) ${ordered} ROWS UNBOUNDED PRECEDING) AS BIGINT) AS through,
    ROW_NUMBER() ${ordered}) AS place
  FROM grouped
),
spread AS (SELECT col, kind, val, cat, n, total, uniq, fractions, mean, through, place, SUM(n * (val - mean) * (val - mean)) ${all} AS squares FROM placed)
SELECT '${label}' AS part, col, kind, val, 'x' || ${dialect.hex('cat')} AS cat, n, through - n AS below, uniq, CAST(fractions AS BIGINT) AS fractions, mean, squares,
  CAST(NULL AS BIGINT) AS timed, CAST(NULL AS BIGINT) AS earliest, CAST(NULL AS BIGINT) AS latest
FROM spread
WHERE kind > ${KIND.category} OR (kind = ${KIND.category} AND place <= ${rule.categories})
  OR (kind = ${KIND.number} AND (${stepCondition(rule)}))${
    from > 0
      ? ''
      : `
UNION ALL
SELECT '${label} rows', NULL, NULL, NULL, 'x${hexOf(source.called)}', COUNT(*), NULL, NULL, NULL, NULL, NULL, COUNT(instant), MIN(instant), MAX(instant)
FROM (SELECT ${instant} AS instant FROM ${relation} AS profiled) AS times`
  }`;
}

/** One row a row and column of the group. */
function groupSql(
  dialect: SqlDialect,
  relation: string,
  columns: readonly (ProfileColumn & { readonly i: number })[],
): string {
  const cells = columns.flatMap(({ name, type, i }) => {
    const column = dialect.quoted(name);
    return type === 'numeric'
      ? [`${numberCell(dialect, column)} AS x${i}`, `CASE WHEN ${column} IS NULL THEN 0 ELSE 1 END AS p${i}`]
      : [`${categoryCell(dialect, column)} AS c${i}`];
  });
  const arms = columns.map(({ type, i }) => {
    if (type === 'categorical')
      return [
        String(i),
        `CASE WHEN c${i} IS NULL THEN ${KIND.missing} ELSE ${KIND.category} END`,
        'CAST(NULL AS DOUBLE)',
        `c${i}`,
      ];
    const kind = `CASE WHEN p${i} = 0 THEN ${KIND.missing} WHEN x${i} IS NULL THEN ${KIND.wrongType} WHEN ${finite(`x${i}`)} THEN ${KIND.number} ELSE ${KIND.notFinite} END`;
    // Zero has two doubles.
    const value = `CASE WHEN ${finite(`x${i}`)} THEN x${i} + 0E0 END`;
    return [String(i), kind, value, `CAST(NULL AS ${dialect.text})`];
  });
  return dialect.unpivot(
    `(
    SELECT ${cells.join(',\n      ')}
    FROM ${relation} AS profiled
  ) AS read_cells`,
    [],
    FIELDS,
    arms,
  );
}

/** In whole numbers: b < t/u is b·u < t, and two numbers have a multiple of m between them when the remainder of the larger is less than their distance. */
function stepCondition({ parts, thousandths, few }: SummaryRule): string {
  const holds = thousandths.map(
    (quantile) => `(1000 * (through - n) < ${quantile} * total AND ${quantile} * total <= 1000 * through)`,
  );
  return [
    `uniq <= ${few}`,
    'through = n',
    'through = total',
    `n * ${parts} > total`,
    `MOD(through * ${parts}, total) < n * ${parts}`,
    ...holds,
  ].join('\n    OR ');
}
