/**
 * DuckDB, an optional dependency, loaded where it is used. One `DuckDb` is one database in memory with bounds on memory
 * and threads; what does not fit spills to a temporary folder. It never reaches for the network.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBVector } from '@duckdb/node-api';
import type duckdb from '@duckdb/node-bindings';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import { collectYoung } from './collect-garbage.ts';

/** Bytes of blocks that may lie about. */
const MOST_WASTE = 4 * 2 ** 20;
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
    api = await (options.load ?? loadPackage)();
  } catch (error) {
    throw new ProblemError([missingDuckDb(error)]);
  }
  const folder = await mkdtemp(join(options.temporary ?? tmpdir(), 'mlmon-duckdb-'));
  const threads = options.threads ?? 2;
  const instance = await api.DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit ?? '1GB',
    threads: String(threads),
    temp_directory: join(folder, 'spill'),
    // A platform reads each captured file a few times and thousands of files in all: the system's own cache serves it, and this
    // one would fill the memory up to its limit.
    enable_external_file_cache: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  return new DuckDb(instance, await instance.connect(), { folder, threads });
}

async function loadPackage(): Promise<typeof import('@duckdb/node-api')> {
  const loaded = await import('@duckdb/node-api');
  // A bundler brings a CommonJS module as the default export alone.
  return 'DuckDBInstance' in loaded ? loaded : (loaded as { readonly default: typeof loaded }).default;
}

export class DuckDb {
  /** A folder of this database's own, removed by `close`. */
  readonly folder: string;
  /** Threads that work at once. */
  readonly threads: number;
  private readonly instance: DuckDBInstance;
  private readonly statements: Lane;
  /** For blocks that are read beside other statements. */
  private beside: Promise<Lane> | null = null;
  private names = 0;
  private closed = false;

  constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    { folder, threads }: { readonly folder: string; readonly threads: number },
  ) {
    this.instance = instance;
    this.statements = new Lane(connection);
    this.folder = folder;
    this.threads = threads;
  }

  /** Runs statements one after another; calls that overlap wait for each other. */
  async run(sql: string): Promise<void> {
    await this.exclusively(async (connection) => {
      await connection.run(sql);
    });
  }

  /** All rows of one statement. */
  async rows(sql: string): Promise<Row[]> {
    return this.exclusively(async (connection) => {
      const reader = await connection.runAndReadAll(sql);
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
    await this.exclusively(async (connection) => {
      const result = await connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        take(chunk.getColumnVector(0), chunk.rowCount);
      }
    });
  }

  /**
   * The rows of one statement whose columns are all doubles, in order, a few thousand at a time. A block is good until `take` is done
   * with it.
   */
  async eachBlock(sql: string, take: TakeBlock): Promise<void> {
    await this.exclusively((connection) => blocksOf(connection, sql, take));
  }

  /** As `eachBlock`, while other statements run: over a connection of its own, which sees no temporary tables and views. */
  async eachBlockBeside(sql: string, take: TakeBlock): Promise<void> {
    this.refuseClosed();
    this.beside ??= this.instance.connect().then((connection) => new Lane(connection));
    const lane = await this.beside;
    await lane.exclusively((connection) => blocksOf(connection, sql, take));
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
    const beside = await this.beside?.catch(() => null);
    await Promise.all([this.statements.close(), beside?.close()]);
    this.instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async exclusively<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    this.refuseClosed();
    return this.statements.exclusively(work);
  }

  private refuseClosed(): void {
    if (this.closed) throw new Error('the database is closed');
  }
}

type TakeBlock = (block: DoubleBlock) => void | Promise<void>;

/** A connection whose statements run one after another. */
class Lane {
  private readonly connection: DuckDBConnection;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(connection: DuckDBConnection) {
    this.connection = connection;
  }

  exclusively<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const next = this.queue.then(() => work(this.connection));
    this.queue = next.catch(() => undefined);
    return next;
  }

  /** Stops what is running. */
  async close(): Promise<void> {
    this.connection.interrupt();
    await this.queue.catch(() => undefined);
    this.connection.closeSync();
  }
}

async function blocksOf(connection: DuckDBConnection, sql: string, take: TakeBlock): Promise<void> {
  const bindings = (await import('@duckdb/node-bindings')).default;
  const result = await connection.stream(sql);
  const fetch = (): ReturnType<typeof result.fetchChunk> => {
    const chunk = result.fetchChunk();
    // Awaited later: what fails until then must not end the process.
    chunk.catch(() => undefined);
    return chunk;
  };
  let waste = 0;
  let next = fetch();
  try {
    for (;;) {
      const chunk = await next;
      if (chunk === null || chunk.rowCount === 0) return;
      // Made ready while this one is taken.
      next = fetch();
      const pending = take(new DoubleBlock(bindings, chunk.chunk, chunk.rowCount));
      if (pending !== undefined) await pending;
      waste += chunk.rowCount * chunk.columnCount * Float64Array.BYTES_PER_ELEMENT;
      if (waste < MOST_WASTE) continue;
      waste = 0;
      collectYoung();
    }
  } finally {
    // The connection is free for another statement when nothing of this one is under way.
    await next.catch(() => undefined);
  }
}

/** Some rows of doubles, read without a call a value. */
export class DoubleBlock {
  readonly rows: number;
  private readonly bindings: typeof duckdb;
  private readonly chunk: duckdb.DataChunk;

  constructor(bindings: typeof duckdb, chunk: duckdb.DataChunk, rows: number) {
    this.bindings = bindings;
    this.chunk = chunk;
    this.rows = rows;
  }

  /** Copies a column to `into` from `at`, NaN where there is no value. Returns how many there are of those. */
  copy(column: number, into: Float64Array, at: number): number {
    const vector = this.bindings.data_chunk_get_vector(this.chunk, column);
    const data = this.bindings.vector_get_data(vector, this.rows * Float64Array.BYTES_PER_ELEMENT);
    into.set(new Float64Array(data.buffer, data.byteOffset, this.rows), at);
    const valid = this.bindings.vector_get_validity(vector, Math.ceil(this.rows / 64) * 8) as Uint8Array | null;
    if (valid === null) return 0;
    let missing = 0;
    for (let row = 0; row < this.rows; row++) {
      if ((valid[row >> 3]! >> (row & 7)) & 1) continue;
      into[at + row] = Number.NaN;
      missing += 1;
    }
    return missing;
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

/**
 * SQL of a text that comes out as it is: the package takes a byte order mark at the beginning of every text for none of it, so that
 * two categories, or a column and none, would have one name.
 */
export function wholeText(sql: string): string {
  return `(chr(65279) || ${sql})`;
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
