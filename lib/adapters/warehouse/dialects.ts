/** The dialects by the names that users give. */
import type { SqlDialect } from './dialect.ts';
import { DUCKDB } from './duckdb-dialect.ts';
import { SPARK } from './spark-dialect.ts';
import { TRINO } from './trino-dialect.ts';

export type DialectName = 'athena' | 'trino' | 'spark' | 'duckdb';

/** By the name that a user gives. Athena's engine is Trino. */
export const DIALECTS: Readonly<Record<DialectName, SqlDialect>> = {
  athena: { ...TRINO, name: 'athena', longest: 262_144 },
  trino: TRINO,
  spark: SPARK,
  duckdb: DUCKDB,
};
