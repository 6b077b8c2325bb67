/** A row's cell of a column, read by what the column is watched as, whatever type the warehouse gave it. */
import type { SqlDialect } from './dialect.ts';

/** What a cell is counted as. Numbers, since they go through results of every engine unharmed. */
export const KIND = { number: 0, category: 1, missing: 2, notFinite: 3, wrongType: 4 } as const;

const LARGEST = '1.7976931348623157E308';
const NUMBER = '^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *$';
const NOT_FINITE = '^ *[+-]?(inf|infinity|nan) *$';

/** A double as SQL that every engine reads as the same bits: with an exponent it is no decimal. Finite. */
export function double(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`a finite number is required, got ${value}`);
  const text = (Object.is(value, -0) ? 0 : value).toExponential().replace('e+', 'E').replace('e', 'E');
  return value < 0 ? `(${text})` : text;
}

/** Whether a double is a number: not NULL, not NaN, not infinite. NaN is either larger than all numbers or equal to none. */
export function finite(value: string): string {
  return `ABS(${value}) <= ${LARGEST}`;
}

/** A cell as a double; NULL when it is missing or no number (text; see `KIND.wrongType`). */
export function numberCell(dialect: SqlDialect, column: string): string {
  const text = `CAST(${column} AS ${dialect.text})`;
  return `CASE WHEN ${dialect.isText(column)} THEN
      CASE WHEN ${dialect.matches(text, NUMBER)} THEN TRY_CAST(TRIM(${text}) AS DOUBLE)
        WHEN ${dialect.matches(`LOWER(${text})`, NOT_FINITE)} THEN CAST('NaN' AS DOUBLE) END
    ELSE TRY_CAST(${column} AS DOUBLE) END`;
}

/** A cell as a category. Whole numbers lose their `.0`, since the sender's language decides about that. */
export function categoryCell(dialect: SqlDialect, column: string): string {
  const text = `CAST(${column} AS ${dialect.text})`;
  const value = `TRY_CAST(${text} AS DOUBLE)`;
  const infinite = `ABS(${value}) > ${LARGEST}`;
  return `CASE WHEN NOT ${dialect.isFractional(column)} THEN ${text}
      WHEN LOWER(${text}) = 'nan' THEN 'nan' WHEN ${infinite} AND ${value} < 0E0 THEN '-inf' WHEN ${infinite} THEN 'inf'
      WHEN ABS(${value}) < 1E15 AND MOD(${value}, 1E0) = 0E0 THEN CAST(CAST(${value} AS BIGINT) AS ${dialect.text})
      ELSE ${dialect.fractionText(column, value)} END`;
}

/**
 * A cell as milliseconds since 1970; NULL when it is no time. Times without a zone are UTC; numbers are seconds, milliseconds,
 * microseconds or nanoseconds, told by their size.
 */
export function timeCell(dialect: SqlDialect, column: string): string {
  const text = `CAST(${column} AS ${dialect.text})`;
  const value = `TRY_CAST(${text} AS DOUBLE)`;
  const size = `ABS(${value})`;
  const unit = `CASE WHEN ${size} < 1E11 THEN 1E0 WHEN ${size} < 1E14 THEN 1E3 WHEN ${size} < 1E17 THEN 1E6 ELSE 1E9 END`;
  const zoned = `CASE WHEN LENGTH(${text}) = 10 THEN ${text} || ' 00:00:00 UTC'
      WHEN ${dialect.matches(text, '^.{10}.*[0-9] ?([A-Za-z]|[+-])')} THEN ${text} ELSE ${text} || ' UTC' END`;
  return `CASE WHEN ${dialect.matches(text, NUMBER)}
      THEN CASE WHEN ${size} < 9E18 THEN CAST(FLOOR(${value} * 1E3 / ${unit}) AS BIGINT) END
    ELSE ${dialect.instant(column, `(${zoned})`)} END`;
}

/** Columns in the groups that one go takes. */
export function inGroups<T>(dialect: SqlDialect, columns: readonly T[]): T[][] {
  const size = dialect.together ?? columns.length;
  const groups: T[][] = [];
  for (let from = 0; from < columns.length; from += size) groups.push(columns.slice(from, from + size));
  return groups;
}
