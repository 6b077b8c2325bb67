/**
 * A user's data as one relation, whatever files it lies in. Parquet is read in place; CSV and NDJSON are read once into a
 * temporary Parquet file, so that each pass reads only the columns it needs. Nothing is held in memory.
 */
import type { Readable } from 'node:stream';
import { ProblemError } from '../../contracts/problem.ts';
import { type DuckDb, identifier, literal, wholeText } from './load.ts';
import { findFiles, plainPath, type TableFile } from './table-files.ts';
import { readText } from './text-files.ts';

/** `other`: nested, binary and times of day, which are no features. */
export type ColumnKind = 'numeric' | 'categorical' | 'time' | 'other';

export interface TableColumn {
  readonly name: string;
  /** As DuckDB calls it. */
  readonly sqlType: string;
  readonly kind: ColumnKind;
}

export interface TableSource {
  /** Paths, globs, or `-`. */
  readonly files: readonly string[];
  readonly cwd: string;
  readonly stdin?: Readable;
}

/**
 * Opens files as one table.
 * @throws ProblemError naming the file and what is expected
 */
export async function openTable(db: DuckDb, source: TableSource): Promise<Table> {
  const files = await findFiles(db, source.files, source);
  const shown = files.length === 1 ? (files[0]?.shown ?? '') : `${source.files.join(' ')} (${files.length} files)`;
  const relation = identifier(db.name('table'));
  try {
    // Not temporary, since that is what its own connection alone sees; the database itself is in memory.
    await db.run(`CREATE VIEW ${relation} AS SELECT * FROM ${await reader(db, files)}`);
    const described = await db.rows(
      `SELECT ${wholeText('column_name')} AS column_name, column_type FROM (DESCRIBE ${relation})`,
    );
    const [count] = await db.rows(`SELECT count(*) AS n FROM ${relation}`);
    const columns = described.map((row) => {
      const sqlType = String(row['column_type']);
      return { name: String(row['column_name']), sqlType, kind: kindOf(sqlType) };
    });
    return new Table(db, shown, relation, columns, Number(count?.['n'] ?? 0));
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    if (error instanceof Error && error.message.startsWith('Out of Memory'))
      throw new ProblemError([
        {
          code: 'out-of-memory',
          path: shown,
          message: 'needs more memory to be read than is allowed',
          got: reason(error, db, files),
          fix: 'allow more, e.g. --memory 4GB',
        },
      ]);
    throw new ProblemError([
      {
        code: 'unreadable-data',
        path: shown,
        message: 'cannot be read',
        got: reason(error, db, files),
        expected: `well-formed ${files[0]?.format === 'csv' ? 'CSV with a header line' : files[0]?.format === 'ndjson' ? 'NDJSON: one JSON object a line' : 'Parquet'}`,
      },
    ]);
  }
}

export class Table {
  readonly db: DuckDb;
  /** For messages. */
  readonly shown: string;
  /** Quoted: goes into SQL as it is. */
  readonly relation: string;
  readonly columns: readonly TableColumn[];
  readonly rows: number;

  constructor(db: DuckDb, shown: string, relation: string, columns: readonly TableColumn[], rows: number) {
    this.db = db;
    this.shown = shown;
    this.relation = relation;
    this.columns = columns;
    this.rows = rows;
  }

  /** `undefined` when there is none. DuckDB tells names apart without regard to case; the table's spelling counts. */
  column(name: string): TableColumn | undefined {
    return this.columns.find((column) => column.name === name);
  }
}

/** A value as a double: NULL when missing; text that is no number is NULL too (see `isWrongNumber`). */
export function numberSql(column: TableColumn): string {
  const name = identifier(column.name);
  if (column.kind === 'numeric') return `CAST(${name} AS DOUBLE)`;
  if (column.sqlType === 'BOOLEAN') return `CAST(CAST(${name} AS INTEGER) AS DOUBLE)`;
  return column.kind === 'categorical' ? `TRY_CAST(${textSql(column)} AS DOUBLE)` : 'CAST(NULL AS DOUBLE)';
}

/** A value as a category. Whole numbers lose their `.0`, since the sender's language decides about that. */
export function textSql(column: TableColumn): string {
  const name = identifier(column.name);
  if (column.sqlType === 'JSON') return `(${name} ->> '$')`;
  if (column.kind === 'numeric' && /^(?:FLOAT|DOUBLE|DECIMAL)/.test(column.sqlType))
    return `CASE WHEN ${name} = floor(${name}) AND abs(${name}) < 1e15 THEN CAST(CAST(${name} AS BIGINT) AS VARCHAR) ELSE CAST(${name} AS VARCHAR) END`;
  return `CAST(${name} AS VARCHAR)`;
}

/** Whether there is a value. */
export function presentSql(column: TableColumn): string {
  return column.sqlType === 'JSON' ? `${textSql(column)} IS NOT NULL` : `${identifier(column.name)} IS NOT NULL`;
}

/**
 * An instant as milliseconds since 1970; NULL when it is none. Times without a zone are UTC; numbers are seconds,
 * milliseconds, microseconds or nanoseconds, told by the size of the largest.
 */
export async function timeSql(table: Table, column: TableColumn): Promise<string> {
  const name = identifier(column.name);
  if (column.kind === 'time')
    return column.sqlType === 'TIMESTAMP WITH TIME ZONE'
      ? `CASE WHEN isfinite(${name}) THEN epoch_ms(${name}) END`
      : `CASE WHEN isfinite(CAST(${name} AS TIMESTAMP)) THEN epoch_ms(CAST(${name} AS TIMESTAMP)) END`;
  if (column.kind === 'categorical') {
    const instant = `TRY_CAST(${textSql(column)} AS TIMESTAMPTZ)`;
    return `CASE WHEN isfinite(${instant}) THEN epoch_ms(${instant}) END`;
  }
  if (column.kind === 'other') return 'CAST(NULL AS BIGINT)';
  const value = numberSql(column);
  const [row] = await table.db.rows(
    `SELECT max(abs(${value})) FILTER (WHERE isfinite(${value})) AS largest FROM ${table.relation}`,
  );
  const largest = Number(row?.['largest'] ?? 0);
  const perSecond = largest < 1e11 ? 1 : largest < 1e14 ? 1e3 : largest < 1e17 ? 1e6 : 1e9;
  return `CASE WHEN isfinite(${value}) AND abs(${value}) < 9e18 THEN CAST(floor(${value} * 1000 / ${perSecond}) AS BIGINT) END`;
}

async function reader(db: DuckDb, files: readonly TableFile[]): Promise<string> {
  if (files[0]?.format !== 'parquet') return readText(db, files);
  const paths = files.map(({ path }) => literal(plainPath(path))).join(', ');
  return `read_parquet([${paths}], union_by_name = ${files.length > 1}, hive_partitioning = false)`;
}

function kindOf(sqlType: string): ColumnKind {
  if (/^(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\([^)]*\)|BIGNUM)$/.test(sqlType))
    return 'numeric';
  if (/^(?:VARCHAR|BOOLEAN|UUID|JSON|ENUM\(.*\))$/s.test(sqlType)) return 'categorical';
  if (/^(?:DATE|TIMESTAMP(?:_S|_MS|_NS| WITH TIME ZONE)?)$/.test(sqlType)) return 'time';
  return 'other';
}

/** The first line of DuckDB's message, without its temporary names and SQL. */
function reason(error: unknown, db: DuckDb, files: readonly TableFile[]): string {
  let text = (error instanceof Error ? error.message : String(error)).split(/\n\s*\n|\nLINE /)[0] ?? '';
  for (const { path, shown } of files) text = text.replaceAll(plainPath(path), shown).replaceAll(path, shown);
  return text.replaceAll(db.folder, '').replace(/\s+/g, ' ').trim().slice(0, 300);
}
