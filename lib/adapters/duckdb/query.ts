/** The query port over Parquet objects, as files on this machine. */
import { CAPTURE_COLUMNS, type CaptureColumn } from '../../contracts/capture.ts';
import type { Query } from '../../pipeline/ports.ts';
import { withCapture } from '../capture-placeholder.ts';
import { type DuckDb, identifier, literal } from './load.ts';
import { filesInPlace, type ObjectFiles, type PathOf } from './object-files.ts';
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
  private readonly files: ObjectFiles;

  /** `files` brings objects; a function tells where each lies as a file already. */
  constructor(db: DuckDb, files: ObjectFiles | PathOf) {
    this.db = db;
    this.files = typeof files === 'function' ? filesInPlace(files) : files;
  }

  async run(
    sql: string,
    objects: readonly string[],
  ): Promise<Readonly<Record<string, string | number | bigint | null>>[]> {
    const rows = await this.files.hold(objects, (path) =>
      this.db.rows(withCapture(sql, captureRelation(objects.map(path)))),
    );
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
