/** Spark SQL, 3.3 and later, with ANSI mode on or off. */
import type { Field, SqlDialect } from './dialect.ts';
import { textConstant } from './literal.ts';

const TYPES: Readonly<Record<Field['type'], string>> = { text: 'STRING', double: 'DOUBLE', bigint: 'BIGINT' };

export const SPARK: SqlDialect = {
  name: 'spark',
  text: 'STRING',
  together: null,
  longest: null,
  quoted: (name) => `\`${name.replaceAll('`', '``')}\``,
  literal: (value) => textConstant(value, (hex) => `CAST(unhex('${hex}') AS STRING)`),
  isText: (column) => `typeof(${column}) = 'string'`,
  isFractional: (column) => `(typeof(${column}) IN ('float', 'double') OR typeof(${column}) LIKE 'decimal%')`,
  matches: (text, pattern) => `${text} RLIKE '${pattern}'`,
  fractionText: (column) => `CAST(${column} AS STRING)`,
  hex: (text) => `hex(${text})`,
  // Spark writes a time in the session's zone and does not say which, so that one is not taken by its text.
  instant: (column, text) =>
    `unix_millis(CASE WHEN typeof(${column}) = 'timestamp' THEN TRY_CAST(${column} AS TIMESTAMP) ELSE TRY_CAST(${text} AS TIMESTAMP) END)`,
  place(text, listed) {
    const places = this.literal(JSON.stringify(Object.fromEntries(listed)));
    return `element_at(from_json(${places}, 'map<string,bigint>'), ${text})`;
  },
  unpivot(relation, kept, fields, arms) {
    const cell = (value: string, i: number): string => `CAST(${value} AS ${TYPES[fields[i]?.type ?? 'text']})`;
    const rows = arms.map((arm) => arm.map(cell).join(', '));
    const names = fields.map(({ name }) => name).join(', ');
    return `SELECT ${[...kept, ''].join(', ')}stack(${arms.length}, ${rows.join(',\n      ')}) AS (${names}) FROM ${relation}`;
  },
};
