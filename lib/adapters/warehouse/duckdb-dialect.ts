/** DuckDB: the reference that the others are compared with. */
import type { SqlDialect } from './dialect.ts';
import { textConstant } from './literal.ts';

export const DUCKDB: SqlDialect = {
  name: 'duckdb',
  text: 'VARCHAR',
  together: null,
  longest: null,
  quoted: (name) => `"${name.replaceAll('"', '""')}"`,
  literal: (value) => textConstant(value, (hex) => `decode(unhex('${hex}'))`),
  isText: (column) => `typeof(${column}) = 'VARCHAR'`,
  isFractional: (column) => `(typeof(${column}) IN ('FLOAT', 'DOUBLE') OR typeof(${column}) LIKE 'DECIMAL%')`,
  matches: (text, pattern) => `regexp_matches(${text}, '${pattern}')`,
  fractionText: (column) => `CAST(${column} AS VARCHAR)`,
  hex: (text) => `hex(${text})`,
  instant: (_, text) => `epoch_ms(TRY_CAST(${text} AS TIMESTAMPTZ))`,
  place(text, listed) {
    const members = new Map<number, string[]>();
    for (const [value, place] of listed) members.set(place, [...(members.get(place) ?? []), this.literal(value)]);
    return `CASE ${[...members].map(([place, values]) => `WHEN ${text} IN (${values.join(', ')}) THEN ${place}`).join(' ')} END`;
  },
  unpivot(relation, kept, fields, arms) {
    const row = (arm: readonly string[]): string =>
      `struct_pack(${fields.map(({ name }, i) => `${name} := ${arm[i]}`).join(', ')})`;
    return `SELECT ${[...kept, ...fields.map(({ name }) => `cell.${name} AS ${name}`)].join(', ')}
  FROM (SELECT ${[...kept, ''].join(', ')}unnest([${arms.map(row).join(',\n      ')}]) AS cell FROM ${relation}) AS unpivoted`;
  },
};
