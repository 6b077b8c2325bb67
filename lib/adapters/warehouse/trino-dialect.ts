/** Trino, and Athena, whose engine it is. */
import type { Field, SqlDialect } from './dialect.ts';
import { textConstant } from './literal.ts';

const TYPES: Readonly<Record<Field['type'], string>> = { text: 'VARCHAR', double: 'DOUBLE', bigint: 'BIGINT' };

export const TRINO: SqlDialect = {
  name: 'trino',
  text: 'VARCHAR',
  // An expression becomes a method of Java, which has a size: some sixty columns are too many for one.
  together: 16,
  longest: 1_000_000,
  quoted: (name) => `"${name.replaceAll('"', '""')}"`,
  literal: (value) => textConstant(value, (hex) => `from_utf8(from_hex('${hex}'))`),
  isText: (column) => `(typeof(${column}) LIKE 'varchar%' OR typeof(${column}) LIKE 'char%')`,
  isFractional: (column) => `(typeof(${column}) IN ('real', 'double') OR typeof(${column}) LIKE 'decimal%')`,
  matches: (text, pattern) => `regexp_like(${text}, '${pattern}')`,
  // A cast writes 1.5E0.
  fractionText: (column, value) =>
    `CASE WHEN typeof(${column}) LIKE 'decimal%' THEN CAST(${column} AS VARCHAR) ELSE json_format(CAST(${value} AS JSON)) END`,
  hex: (text) => `to_hex(to_utf8(${text}))`,
  // A text has a blank, not a T, before the time of day.
  instant: (_, text) =>
    `date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00 UTC', TRY_CAST(SUBSTR(${text}, 1, 10) || ' ' || SUBSTR(${text}, 12) AS TIMESTAMP(6) WITH TIME ZONE))`,
  // A constant that is looked up, where a list of cases would be too long for a method.
  place(text, listed) {
    const places = this.literal(JSON.stringify(Object.fromEntries(listed)));
    return `element_at(CAST(json_parse(${places}) AS MAP(VARCHAR, BIGINT)), ${text})`;
  },
  unpivot(relation, kept, fields, arms) {
    const cell = (value: string, i: number): string => `CAST(${value} AS ${TYPES[fields[i]?.type ?? 'text']})`;
    // The first arm tells the types of all.
    const rows = arms.map((arm, a) => `ROW(${(a === 0 ? arm.map(cell) : arm).join(', ')})`);
    const names = fields.map(({ name }) => name).join(', ');
    return `SELECT ${[...kept, names].join(', ')} FROM ${relation}
  CROSS JOIN UNNEST(ARRAY[${rows.join(',\n      ')}]) AS cell (${names})`;
  },
};
