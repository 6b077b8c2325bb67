/**
 * The query port on Athena. A statement is started under a token made of itself, so that whoever asks the same again within the
 * hour (a retry, the next run of a function that was ended while it waited) gets the execution that is under way or its result,
 * and nothing is read and paid for twice. What fails in passing is started again under the next token.
 */
import { createHash } from 'node:crypto';
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { type Clock, type Query, TransientError } from '../../pipeline/ports.ts';
import { portError } from '../aws-error.ts';
import { withCapture } from '../capture-placeholder.ts';
import { type CaptureTables, captureRelation } from './capture-relation.ts';
import { QueryFailedError, QueryUnfinishedError, reasonOf } from './query-failure.ts';
import { type QueryRow, rowsOfPage } from './result-rows.ts';

/** Bytes of one statement, by the service. */
export const STATEMENT_BYTES = 262_144;
/** What a statement may have before the relation takes the place of `{capture}`, with room for the hours of two months. */
export const QUERY_CHARACTERS = 230_000;
const ATTEMPTS = 3;
const HOUR = 3_600_000;
const PAGE = 1_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

export interface AthenaQueryOptions extends CaptureTables {
  readonly client: Pick<AthenaClient, 'send'>;
  /** It decides where results are put and how much a query may read. */
  readonly workgroup: string;
  readonly clock: Clock;
  /** When to stop waiting, milliseconds since 1970; the query runs on. @default never */
  readonly deadline?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
  /** Told what each finished query has read, bytes; of one that was taken up, again. */
  readonly onScanned?: (bytes: number) => void;
}

export class AthenaQuery implements Query {
  private readonly options: AthenaQueryOptions;

  constructor(options: AthenaQueryOptions) {
    this.options = options;
  }

  /**
   * @throws QueryFailedError with Athena's reason; QueryUnfinishedError when the deadline came first: ask the same again;
   * TransientError when Athena did not answer
   */
  async run(sql: string, objects: readonly string[]): Promise<QueryRow[]> {
    const statement = withCapture(sql, captureRelation(objects, this.options));
    const bytes = Buffer.byteLength(statement);
    if (bytes > STATEMENT_BYTES)
      throw new RangeError(
        `a statement of ${bytes} bytes is longer than the ${STATEMENT_BYTES} that Athena takes; ask for fewer windows at once`,
      );
    for (let attempt = 1; ; attempt++) {
      const id = await this.start(statement, attempt);
      const failure = await this.finished(id);
      if (failure === null) {
        const rows = await this.rows(id);
        if (rows !== null) return rows;
      } else if (!failure.again) throw new QueryFailedError(id, this.options.workgroup, failure.reason);
      if (attempt >= ATTEMPTS)
        throw new TransientError(`query ${id}: ${failure?.reason ?? 'its results are gone'}; ${ATTEMPTS} attempts`);
    }
  }

  private async start(statement: string, attempt: number): Promise<string> {
    const { client, workgroup, database, clock } = this.options;
    const hour = Math.floor(clock.now() / HOUR);
    const token = createHash('sha256')
      .update(JSON.stringify([workgroup, database, hour, statement]))
      .digest('hex');
    const { QueryExecutionId } = await passing('start', () =>
      client.send(
        new StartQueryExecutionCommand({
          QueryString: statement,
          ClientRequestToken: `${token}-${attempt}`,
          WorkGroup: workgroup,
          QueryExecutionContext: { Database: database },
        }),
      ),
    );
    if (QueryExecutionId === undefined)
      throw new TransientError('Athena named no execution of a query that it started');
    return QueryExecutionId;
  }

  /** Waits for the end: `null` when it succeeded. */
  private async finished(id: string): Promise<{ readonly reason: string; readonly again: boolean } | null> {
    const { client, clock, deadline = () => Number.POSITIVE_INFINITY, wait = sleep } = this.options;
    for (let ms = FIRST_WAIT_MS; ; ms = Math.min(LONGEST_WAIT_MS, ms * 1.5)) {
      let execution: QueryExecution | undefined;
      try {
        execution = (await passing(id, () => client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))))
          .QueryExecution;
      } catch (error) {
        // The query runs on whoever looks; only the deadline ends the waiting.
        if (!(error instanceof TransientError) || deadline() === Number.POSITIVE_INFINITY) throw error;
      }
      const state = execution?.Status?.State;
      if (state === 'SUCCEEDED') {
        this.options.onScanned?.(execution?.Statistics?.DataScannedInBytes ?? 0);
        return null;
      }
      if (execution !== undefined && (state === 'FAILED' || state === 'CANCELLED')) return reasonOf(execution);
      if (clock.now() + ms > deadline()) throw new QueryUnfinishedError(id);
      await wait(ms);
    }
  }

  /** `null` when the results were removed meanwhile. */
  private async rows(id: string): Promise<QueryRow[] | null> {
    const rows: QueryRow[] = [];
    for (let next: string | undefined; ; ) {
      const token = next;
      let page: {
        readonly NextToken?: string | undefined;
        readonly ResultSet?: Parameters<typeof rowsOfPage>[0] | undefined;
      };
      try {
        page = await passing(id, () =>
          this.options.client.send(
            new GetQueryResultsCommand({
              QueryExecutionId: id,
              MaxResults: PAGE,
              ...(token === undefined ? {} : { NextToken: token }),
            }),
          ),
        );
      } catch (error) {
        if (
          error instanceof Error &&
          /InvalidRequestException.*(?:find results|results.*(?:expired|not found))/i.test(error.message)
        )
          return null;
        throw error;
      }
      for (const row of rowsOfPage(page.ResultSet ?? {}, token === undefined)) rows.push(row);
      next = page.NextToken;
      if (next === undefined) return rows;
    }
  }
}

/** A call of the service: what may pass is a TransientError. */
async function passing<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw portError(`athena ${what}`, error);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
