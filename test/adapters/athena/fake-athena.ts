/** Athena as this machine can have it: the service's calls and states, with DuckDB over the Parquet objects of a store behind it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AthenaClient } from '@aws-sdk/client-athena';
import { type DuckDb, identifier, literal } from '../../../lib/adapters/duckdb/load.ts';
import type { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';
import { CAPTURE_GLUE_COLUMNS, redrivenTable } from '../../../lib/contracts/capture.ts';

interface Execution {
  readonly id: string;
  readonly sql: string;
  polls: number;
  state: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  reason?: string;
  retryable?: boolean;
  rows: readonly (readonly (string | null)[])[];
  columns: readonly { readonly Name: string; readonly Type: string }[];
}

export interface FakeAthenaOptions {
  readonly db: DuckDb;
  readonly store: MemoryStore;
  readonly database?: string;
  readonly table?: string;
  /** Looks at a query before it has ended. @default 0 */
  readonly polls?: number;
  /** Rows of a page, header included. @default 1000 */
  readonly page?: number;
}

/** What DuckDB calls a column, as Athena does. */
const TYPES: Readonly<Record<string, string>> = {
  BIGINT: 'bigint',
  INTEGER: 'integer',
  VARCHAR: 'varchar',
  DOUBLE: 'double',
};

export class FakeAthena {
  readonly database: string;
  readonly table: string;
  /** Every statement that was run, once each. */
  readonly statements: string[] = [];
  readonly calls: string[] = [];
  /** Thrown by the next calls, one each; with a name, by the next call of that name. */
  readonly failures: { readonly call?: string; readonly error: Error }[] = [];
  /** Ends of the next executions instead of their results, one each. */
  readonly ends: { readonly state: 'FAILED' | 'CANCELLED'; readonly reason: string; readonly retryable?: boolean }[] =
    [];
  polls: number;
  readonly #options: FakeAthenaOptions;
  readonly #folder: string;
  readonly #byToken = new Map<string, string>();
  readonly #executions = new Map<string, Execution>();
  readonly #written = new Set<string>();

  constructor(options: FakeAthenaOptions) {
    this.#options = options;
    this.database = options.database ?? 'monitoring';
    this.table = options.table ?? 'capture';
    this.polls = options.polls ?? 0;
    this.#folder = join(options.db.folder, options.db.name('athena'));
  }

  get client(): Pick<AthenaClient, 'send'> {
    return { send: ((command: { constructor: { name: string }; input: unknown }) => this.#send(command)) as never };
  }

  /** Forgets the results of all that ended, as the life cycle of the result prefix does. */
  expire(): void {
    for (const one of this.#executions.values()) if (one.state === 'SUCCEEDED') one.columns = [];
  }

  async #send({
    constructor: { name },
    input: given,
  }: {
    constructor: { name: string };
    input: unknown;
  }): Promise<unknown> {
    const input = given as never;
    this.calls.push(name);
    const next = this.failures[0];
    if (next !== undefined && (next.call ?? name) === name) {
      this.failures.shift();
      throw next.error;
    }
    if (name === 'StartQueryExecutionCommand') return this.#start(input);
    if (name === 'GetQueryExecutionCommand') return this.#look(input);
    if (name === 'GetQueryResultsCommand') return this.#results(input);
    throw new Error(`${name}: this Athena does not know it`);
  }

  async #start({
    QueryString,
    ClientRequestToken,
  }: {
    QueryString: string;
    ClientRequestToken: string;
  }): Promise<unknown> {
    if (ClientRequestToken.length < 32 || ClientRequestToken.length > 128)
      throw new Error('the token has 32 to 128 characters');
    if (Buffer.byteLength(QueryString) > 262_144) throw new Error('the statement is too long');
    const known = this.#byToken.get(ClientRequestToken);
    if (known !== undefined) {
      if (this.#executions.get(known)?.sql !== QueryString) throw new Error('idempotent parameters do not match');
      return { QueryExecutionId: known };
    }
    const id = `execution-${this.#byToken.size + 1}`;
    this.#byToken.set(ClientRequestToken, id);
    const end = this.ends.shift();
    const execution: Execution = { id, sql: QueryString, polls: this.polls, state: 'SUCCEEDED', rows: [], columns: [] };
    this.#executions.set(id, execution);
    if (end !== undefined) Object.assign(execution, end);
    else {
      this.statements.push(QueryString);
      await this.#execute(execution);
    }
    return { QueryExecutionId: id };
  }

  async #execute(execution: Execution): Promise<void> {
    const { db } = this.#options;
    await this.#tables();
    const name = identifier(db.name('result'));
    try {
      await db.run(`CREATE TEMP TABLE ${name} AS ${execution.sql}`);
    } catch (error) {
      execution.state = 'FAILED';
      execution.reason = `SYNTAX_ERROR: ${String(error)}`;
      return;
    }
    const described = await db.rows(`DESCRIBE ${name}`);
    execution.columns = described.map((row) => ({
      Name: String(row['column_name']),
      Type: TYPES[String(row['column_type'])] ?? String(row['column_type']).toLowerCase(),
    }));
    const rows = await db.rows(`SELECT * FROM ${name}`);
    execution.rows = rows.map((row) =>
      execution.columns.map(({ Name }) => (row[Name] === null ? null : String(row[Name]))),
    );
    await db.run(`DROP TABLE ${name}`);
  }

  /** Brings new objects of the store to this machine, and the tables up to date. */
  async #tables(): Promise<void> {
    const { db, store } = this.#options;
    for (const prefix of ['capture/', 'capture-redriven/'])
      for (const key of await store.list(prefix, { limit: 1_000_000 })) {
        if (this.#written.has(key)) continue;
        const file = join(this.#folder, key);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, (await store.get(key))?.body ?? '');
        this.#written.add(key);
      }
    await db.run(`CREATE SCHEMA IF NOT EXISTS ${identifier(this.database)}`);
    // DuckDB's own answers a list.
    await db.run('CREATE OR REPLACE MACRO element_at(m, k) AS map_extract(m, k)[1]');
    const partitioned = 'hive_partitioning = true, hive_types = {dt: VARCHAR, hr: VARCHAR}';
    for (const [name, prefix, reader] of [
      [this.table, 'capture', (glob: string) => `read_parquet(${literal(glob)}, ${partitioned})`],
      [
        redrivenTable(this.table),
        'capture-redriven',
        (glob: string) =>
          `read_json(${literal(glob)}, format = 'newline_delimited', columns = {${JSON_COLUMNS}}, ${partitioned})`,
      ],
    ] as const) {
      const has = [...this.#written].some((key) => key.startsWith(`${prefix}/`));
      const none = [
        ...CAPTURE_GLUE_COLUMNS.map(({ name: column, type }) => `CAST(NULL AS ${duckType(type)}) AS ${column}`),
        'NULL::VARCHAR AS dt',
        'NULL::VARCHAR AS hr',
      ];
      await db.run(
        `CREATE OR REPLACE VIEW ${identifier(this.database)}.${identifier(name)} AS SELECT ${has ? `* FROM ${reader(join(this.#folder, prefix, '*/*/*'))}` : `${none.join(', ')} WHERE false`}`,
      );
    }
  }

  #look({ QueryExecutionId }: { QueryExecutionId: string }): unknown {
    const one = this.#of(QueryExecutionId);
    const runs = one.polls > 0;
    if (runs) one.polls -= 1;
    return {
      QueryExecution: {
        QueryExecutionId,
        Status: {
          State: runs ? 'RUNNING' : one.state,
          StateChangeReason: one.reason,
          ...(one.state === 'FAILED'
            ? { AthenaError: { ErrorMessage: one.reason, Retryable: one.retryable ?? false, ErrorCategory: 2 } }
            : {}),
        },
        Statistics: { DataScannedInBytes: one.sql.length },
      },
    };
  }

  #results({
    QueryExecutionId,
    MaxResults,
    NextToken,
  }: {
    QueryExecutionId: string;
    MaxResults: number;
    NextToken?: string;
  }): unknown {
    const one = this.#of(QueryExecutionId);
    if (one.columns.length === 0)
      throw Object.assign(new Error('Could not find results'), { name: 'InvalidRequestException' });
    const all = [one.columns.map(({ Name }) => Name), ...one.rows];
    const from = Number(NextToken ?? 0);
    const to = from + Math.min(MaxResults, this.#options.page ?? 1_000);
    return {
      ResultSet: {
        ResultSetMetadata: { ColumnInfo: one.columns },
        Rows: all
          .slice(from, to)
          .map((row) => ({ Data: row.map((value) => (value === null ? {} : { VarCharValue: value })) })),
      },
      ...(to < all.length ? { NextToken: String(to) } : {}),
    };
  }

  #of(id: string): Execution {
    const one = this.#executions.get(id);
    if (one === undefined) throw new Error(`no execution ${id}`);
    return one;
  }
}

export function duckType(glue: string): string {
  return glue === 'string' ? 'VARCHAR' : 'MAP(VARCHAR, VARCHAR)';
}

export const JSON_COLUMNS = CAPTURE_GLUE_COLUMNS.map(({ name, type }) => `${name}: ${literal(duckType(type))}`).join(
  ', ',
);
