/**
 * Columns of numbers of a table, read out of DuckDB in groups and worked on by a thread of their own while reading goes on. What is held
 * does not grow with the table: columns that are counted are read in pieces; those that need several passes are read as a whole, as many
 * as fit into a buffer, and in pieces several times when not even one fits.
 */
import type { DoubleBlock } from '../adapters/duckdb/load.ts';
import { presentRows } from '../adapters/duckdb/summaries.ts';
import { numberSql, type Table, type TableColumn } from '../adapters/duckdb/table.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { CountedNumbers, SummarisedNumbers } from '../engine/number-summary.ts';
import { type ColumnThread, ownThread, sameThread } from './column-thread.ts';
import type { ColumnResult, ColumnTask, PassEnd } from './column-work.ts';

/** Sizes in bytes; tests bring small ones. */
export interface ColumnLimits {
  /** Of a buffer at most, unless a column as a whole needs more. */
  readonly buffer: number;
  /** Columns up to this size are held as a whole, longer ones are read in pieces. */
  readonly held: number;
  /** Of a piece, all its columns together. */
  readonly piece: number;
  /** Fewer bytes are not worth another thread. */
  readonly thread: number;
}

const MEBIBYTE = 2 ** 20;
const LIMITS: ColumnLimits = {
  buffer: 32 * MEBIBYTE,
  held: 128 * MEBIBYTE,
  piece: 4 * MEBIBYTE,
  thread: 16 * MEBIBYTE,
};
/** Columns that are read in pieces together. More take DuckDB more memory, fewer more queries. */
const TOGETHER = 8;
/** One is filled while the other is worked on. */
const BUFFERS = 2;
/** Groups of columns at least, where they are held as a whole: the other thread has nothing to do before the first is read. */
const GROUPS = 4;
/** Rows that DuckDB hands out at once. */
const BLOCK = 2_048;

/** What was found, and the rows without a number: missing, and text that is none. */
export type Answer<Result> = Result & { readonly absent: number };

/** Rows of a column that are counted nowhere: `absent` split by why. */
export interface AbsentNumbers {
  readonly missing: number;
  /** A value that is no number: text in a column taken as a number. */
  readonly invalid: number;
  /** NaN and infinities. */
  readonly nonFinite: number;
}

/** How a table is cut. */
interface Plan {
  readonly columns: number;
  /** Rows of a piece. */
  readonly rows: number;
  /** A piece is the whole. */
  readonly whole: boolean;
  /** One pass is enough. */
  readonly once: boolean;
}

/** Reads columns of numbers. */
export type NumberReader = Pick<NumberColumns, 'summarise' | 'count' | 'absent'>;

export class NumberColumns {
  private readonly threads: number;
  private readonly limits: ColumnLimits;
  private thread: ColumnThread | null = null;
  private groups = 0;
  private buffers: Float64Array[] = [];
  private inUse = 0;
  private readonly waiting: (() => void)[] = [];

  /** With more than one thread, one of them works on columns only, where there are enough of them. */
  constructor(threads: number, limits: Partial<ColumnLimits> = {}) {
    this.threads = threads;
    this.limits = { ...LIMITS, ...limits };
  }

  /** What baselines are made from, a column each. */
  summarise(table: Table, columns: readonly TableColumn[]): Promise<Answer<SummarisedNumbers>[]> {
    return this.read<SummarisedNumbers>(
      table,
      columns,
      columns.map(() => ({ kind: 'summarise' })),
    );
  }

  /** Counts in bins with these edges, a list of them each column. */
  count(
    table: Table,
    columns: readonly TableColumn[],
    edges: readonly (readonly number[])[],
  ): Promise<Answer<CountedNumbers>[]> {
    return this.read<CountedNumbers>(
      table,
      columns,
      edges.map((of) => ({ kind: 'count', edges: of })),
    );
  }

  /** Why rows of the answers have no finite number. */
  async absent(
    table: Table,
    columns: readonly TableColumn[],
    answers: readonly Answer<SummarisedNumbers | CountedNumbers>[],
  ): Promise<AbsentNumbers[]> {
    // A number is either there or not; of anything else both have to be counted.
    const texts = columns.filter(({ kind }) => kind !== 'numeric');
    const present = new Map((await presentRows(table, texts)).map((rows, i) => [texts[i], rows]));
    return columns.map((column, i) => {
      const { absent, facts } = answers[i]!;
      const missing = table.rows - (present.get(column) ?? table.rows - absent);
      return { missing, invalid: absent - missing, nonFinite: table.rows - absent - facts.count };
    });
  }

  async close(): Promise<void> {
    await this.thread?.close();
    this.thread = null;
  }

  private async read<Result extends ColumnResult>(
    table: Table,
    columns: readonly TableColumn[],
    tasks: readonly ColumnTask[],
  ): Promise<Answer<Result>[]> {
    const plan = this.planFor(
      table.rows,
      columns.length,
      tasks.every(({ kind }) => kind === 'count'),
    );
    const bytes = table.rows * columns.length * Float64Array.BYTES_PER_ELEMENT;
    const thread = this.threadFor(bytes);
    const answers = new Map<TableColumn, Answer<Result>>();
    const ends: Promise<void>[] = [];
    for (let from = 0; from < columns.length; from += plan.columns) {
      const group: Group = {
        id: this.groups++,
        columns: columns.slice(from, from + plan.columns),
        tasks: tasks.slice(from, from + plan.columns),
        absent: [],
      };
      for (let places = Array.from(group.columns.keys()); places.length > 0; ) {
        const { ended } = await this.pass(thread, { table, plan, group, places });
        const take = (end: PassEnd): number[] =>
          places.filter((place, i) => {
            const result = end[i] ?? null;
            if (result !== null)
              answers.set(group.columns[place]!, { ...(result as Result), absent: group.absent[place]! });
            return result === null;
          });
        if (plan.once) {
          ends.push(ended.then((end) => void take(end)));
          break;
        }
        places = take(await ended);
      }
    }
    await Promise.all(ends);
    return columns.map((column) => answers.get(column)!);
  }

  /** Reads some columns of a group once. Resolves when they are read, `ended` when they are worked on. */
  private async pass(
    thread: ColumnThread,
    { table, plan, group, places }: Pass,
  ): Promise<{ readonly ended: Promise<PassEnd> }> {
    const columns = places.map((place) => group.columns[place]!);
    const absent = columns.map(() => 0);
    let buffer = await this.acquire(columns.length * plan.rows);
    let filled = 0;
    let read = 0;
    const send = (last: boolean): Promise<PassEnd | null> => {
      const values = buffer;
      const done = thread.take({
        group: group.id,
        tasks: group.tasks,
        values,
        capacity: plan.rows,
        rows: filled,
        columns: places,
        last,
        whole: plan.whole,
      });
      const release = (): void => this.release(values);
      done.then(release, release);
      return done;
    };
    const copy = (block: DoubleBlock): void => {
      for (let i = 0; i < columns.length; i++) absent[i]! += block.copy(i, buffer, i * plan.rows + filled);
      filled += block.rows;
    };
    const values = columns.map((column, i) => `${numberSql(column)} AS mlmon_${i}`);
    await table.db.eachBlockBeside(`SELECT ${values.join(', ')} FROM ${table.relation}`, (block) => {
      read += block.rows;
      if (read > table.rows) throw changed(table, read);
      if (filled + block.rows <= plan.rows) return copy(block);
      send(false).catch(() => undefined);
      return this.acquire(buffer.length).then((next) => {
        buffer = next;
        filled = 0;
        copy(block);
      });
    });
    if (read !== table.rows) throw changed(table, read);
    for (const [i, place] of places.entries()) group.absent[place] = absent[i]!;
    const ended = send(true).then((end) => end ?? []);
    // Awaited when all is read; what fails until then must not end the process.
    ended.catch(() => undefined);
    return { ended };
  }

  private planFor(rows: number, columns: number, onePass: boolean): Plan {
    const column = Math.max(1, rows) * Float64Array.BYTES_PER_ELEMENT;
    if (!onePass && column <= this.limits.held) {
      const { buffer, piece } = this.limits;
      const group = Math.min(buffer, Math.max(piece, (column * columns) / GROUPS));
      return { columns: Math.max(1, Math.floor(group / column)), rows, whole: true, once: true };
    }
    const piece = Math.floor(this.limits.piece / TOGETHER / Float64Array.BYTES_PER_ELEMENT);
    return { columns: TOGETHER, rows: Math.min(rows, Math.max(BLOCK, piece)), whole: false, once: onePass };
  }

  private threadFor(bytes: number): ColumnThread {
    if (this.thread === null || (!this.thread.own && bytes >= this.limits.thread)) {
      const own = this.threads > 1 && bytes >= this.limits.thread;
      this.thread = own ? ownThread() : sameThread();
    }
    return this.thread;
  }

  /** A buffer that nobody uses, of at least so many values. */
  private async acquire(length: number): Promise<Float64Array> {
    while (this.inUse >= BUFFERS) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.inUse += 1;
    const fitting = this.buffers.findIndex((buffer) => buffer.length >= length);
    if (fitting >= 0) return this.buffers.splice(fitting, 1)[0]!;
    this.buffers = [];
    return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
  }

  private release(buffer: Float64Array): void {
    this.inUse -= 1;
    this.buffers.push(buffer);
    this.waiting.shift()?.();
  }
}

interface Group {
  readonly id: number;
  readonly columns: readonly TableColumn[];
  readonly tasks: readonly ColumnTask[];
  /** By column. */
  readonly absent: number[];
}

interface Pass {
  readonly table: Table;
  readonly plan: Plan;
  readonly group: Group;
  /** Which columns of the group are read. */
  readonly places: readonly number[];
}

export function changed(table: Table, read: number): ProblemError {
  return new ProblemError([
    {
      code: 'changed-data',
      path: table.shown,
      message: 'changed while it was read',
      got: `${read} rows`,
      expected: `${table.rows} rows`,
      fix: 'run this again once the file is complete',
    },
  ]);
}
