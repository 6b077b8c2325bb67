/**
 * DuckDB, an optional dependency, loaded where it is used. One `DuckDb` is one database in memory with bounds on memory
 * and threads; what does not fit spills to a temporary folder. It never reaches for the network.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBVector } from '@duckdb/node-api';
import { type Problem, ProblemError } from '../../contracts/problem.ts';

const PACKAGE = '@duckdb/node-api';

/** Whole numbers beyond 2^53 are bigint, times are milliseconds since 1970, anything else is text. */
export type Cell = string | number | bigint | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

export interface DuckDbOptions {
  /** As DuckDB reads it, e.g. `1GB`. @default 1GB */
  readonly memoryLimit?: string;
  /** @default 2 */
  readonly threads?: number;
  /** Where a temporary folder of its own is made. @default the system's */
  readonly temporary?: string;
  /** Brings the package; tests bring their own. */
  readonly load?: () => Promise<typeof import('@duckdb/node-api')>;
}

/** What is missing and what to run, when DuckDB cannot be loaded. */
export function missingDuckDb(error: unknown): Problem {
  const detail = error instanceof Error ? error.message.split('\n')[0] : String(error);
  return {
    code: 'missing-dependency',
    path: PACKAGE,
    message: `the optional package that reads Parquet, CSV and NDJSON cannot be loaded (${detail})`,
    fix: `run \`npm install ${PACKAGE}\`; prebuilt for Linux, macOS and Windows on x64 and arm64 (glibc)`,
  };
}

/**
 * Opens a database in memory.
 * @throws ProblemError when the package is missing
 */
export async function openDuckDb(options: DuckDbOptions = {}): Promise<DuckDb> {
  let api: typeof import('@duckdb/node-api');
  try {
    api = await (options.load ?? (() => import('@duckdb/node-api')))();
  } catch (error) {
    throw new ProblemError([missingDuckDb(error)]);
  }
  const folder = await mkdtemp(join(options.temporary ?? tmpdir(), 'mlmon-duckdb-'));
  const instance = await api.DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit ?? '1GB',
    threads: String(options.threads ?? 2),
    temp_directory: join(folder, 'spill'),
    // A platform reads each captured file a few times and thousands of files in all: the system's own cache serves it, and this
    // one would fill the memory up to its limit.
    enable_external_file_cache: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  return new DuckDb(instance, await instance.connect(), folder);
}

export class DuckDb {
  /** A folder of this database's own, removed by `close`. */
  readonly folder: string;
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;
  private queue: Promise<unknown> = Promise.resolve();
  private names = 0;
  private closed = false;

  constructor(instance: DuckDBInstance, connection: DuckDBConnection, folder: string) {
    this.instance = instance;
    this.connection = connection;
    this.folder = folder;
  }

  /** Runs statements one after another; calls that overlap wait for each other. */
  async run(sql: string): Promise<void> {
    await this.exclusively(async () => {
      await this.connection.run(sql);
    });
  }

  /** All rows of one statement. */
  async rows(sql: string): Promise<Row[]> {
    return this.exclusively(async () => {
      const reader = await this.connection.runAndReadAll(sql);
      const names = reader.columnNames();
      return reader.getRowsJS().map((values) => {
        const row: Record<string, Cell> = {};
        names.forEach((name, i) => {
          define(row, name, cell(values[i]));
        });
        return row;
      });
    });
  }

  /** The first column of one statement's rows, in pieces and in order, for what is too much to be held twice. */
  async eachPiece(sql: string, take: (values: DuckDBVector, rows: number) => void): Promise<void> {
    await this.exclusively(async () => {
      const result = await this.connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        take(chunk.getColumnVector(0), chunk.rowCount);
      }
    });
  }

  /** A name that nothing else in this database has. */
  name(prefix: string): string {
    this.names += 1;
    return `${prefix}_${this.names}`;
  }

  /** Stops what is running and removes the temporary folder. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.connection.interrupt();
    await this.queue.catch(() => undefined);
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }

  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.closed) return Promise.reject(new Error('the database is closed'));
    const next = this.queue.then(work);
    this.queue = next.catch(() => undefined);
    return next;
  }
}

/** An SQL text literal. A statement ends at its first NUL, so that is spelled out. */
export function literal(text: string): string {
  const quoted = (part: string): string => `'${part.replaceAll("'", "''")}'`;
  return text.includes('\u0000') ? `(${text.split('\u0000').map(quoted).join(' || chr(0) || ')})` : quoted(text);
}

/** A quoted SQL name. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A double as SQL that reads back the same bits. Finite. */
export function double(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`a finite number is required, got ${value}`);
  return `CAST('${Object.is(value, -0) ? 0 : value}' AS DOUBLE)`;
}

function cell(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return value instanceof Date ? value.getTime() : String(value);
}

/** Sets a property whatever its name is, `__proto__` included. */
function define(row: Record<string, Cell>, name: string, value: Cell): void {
  if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true, configurable: true });
  else row[name] = value;
}
