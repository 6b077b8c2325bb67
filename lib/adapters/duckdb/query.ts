/** The query port over Parquet files on this machine. */
import { CAPTURE_COLUMNS, type CaptureColumn } from '../../contracts/capture.ts';
import type { Query } from '../../pipeline/ports.ts';
import { withCapture } from '../capture-placeholder.ts';
import { type DuckDb, identifier, literal } from './load.ts';
import { plainPath } from './table-files.ts';

/** The type of each capture column. */
export const CAPTURE_TYPES: Readonly<Record<CaptureColumn, string>> = {
  id: 'VARCHAR',
  type: 'VARCHAR',
  source: 'VARCHAR',
  model: 'VARCHAR',
  version: 'VARCHAR',
  time: 'TIMESTAMP',
  arrival: 'TIMESTAMP',
  segment: 'MAP(VARCHAR, VARCHAR)',
  numeric: 'MAP(VARCHAR, DOUBLE)',
  categorical: 'MAP(VARCHAR, VARCHAR)',
  invalid: 'MAP(VARCHAR, VARCHAR)',
  score: 'DOUBLE',
  predicted: 'VARCHAR',
  latency_ms: 'DOUBLE',
  weight: 'DOUBLE',
  truth: 'VARCHAR',
  policy_key: 'VARCHAR',
};

export class DuckDbQuery implements Query {
  private readonly db: DuckDb;
  private readonly path: (key: string) => string;

  /** `path` gives the file of an object key. */
  constructor(db: DuckDb, path: (key: string) => string) {
    this.db = db;
    this.path = path;
  }

  async run(
    sql: string,
    objects: readonly string[],
  ): Promise<Readonly<Record<string, string | number | bigint | null>>[]> {
    const relation = captureRelation(objects.map(this.path));
    const rows = await this.db.rows(withCapture(sql, relation));
    for (const row of rows)
      for (const [name, value] of Object.entries(row))
        if (typeof value === 'boolean' || (typeof value === 'number' && !Number.isInteger(value)))
          throw new TypeError(`column ${name}: the query port returns integers and text only, got ${String(value)}`);
    return rows as Readonly<Record<string, string | number | bigint | null>>[];
  }
}

/** A relation in parentheses with the capture columns over these files; without files it has no rows. */
function captureRelation(paths: readonly string[]): string {
  if (paths.length === 0) {
    const columns = CAPTURE_COLUMNS.map((name) => `CAST(NULL AS ${CAPTURE_TYPES[name]}) AS ${identifier(name)}`);
    return `(SELECT ${columns.join(', ')} WHERE false)`;
  }
  return `(SELECT ${CAPTURE_COLUMNS.map(identifier).join(', ')} FROM read_parquet([${paths.map((path) => literal(plainPath(path))).join(', ')}], hive_partitioning = false))`;
}
