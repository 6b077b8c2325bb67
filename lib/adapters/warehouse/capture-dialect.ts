/**
 * Trino over the captured events (pipeline/baseline-query.ts), for the query port: all columns are text and the time is milliseconds since
 * 1970, so types need not be asked for. What is left Athena says as Trino does; the columns are turned into rows by a join, which other
 * engines say alike.
 */
import type { Field, SqlDialect } from './dialect.ts';
import { TRINO } from './trino-dialect.ts';

const TYPES: Readonly<Record<Field['type'], string>> = { text: 'VARCHAR', double: 'DOUBLE', bigint: 'BIGINT' };

/** @param longest characters of a statement: its relation and what the query port puts into it need room besides */
export function captureDialect(longest: number): SqlDialect {
  return {
    ...TRINO,
    name: 'capture',
    longest,
    isText: () => '1 = 1',
    isFractional: () => '1 = 0',
    fractionText: (column) => column,
    instant: () => 'CAST(NULL AS BIGINT)',
    unpivot(relation, kept, fields, arms) {
      const cells = fields.map(
        ({ name, type }, i) =>
          `CASE arm.place ${arms.map((arm, a) => `WHEN ${a} THEN CAST(${arm[i]} AS ${TYPES[type]})`).join(' ')} END AS ${name}`,
      );
      return `SELECT ${[...kept, ...cells].join(',\n    ')} FROM ${relation}
  CROSS JOIN (VALUES ${arms.map((_, a) => `(${a})`).join(', ')}) AS arm (place)`;
    },
  };
}
