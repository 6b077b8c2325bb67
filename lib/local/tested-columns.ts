/**
 * Columns of numbers that tests on raw values decide: both sides are read once and sorted once, for the test and for what the verdict
 * needs of them. A few columns at a time are in memory.
 */
import { numberSql, type Table, type TableColumn } from '../adapters/duckdb/table.ts';
import type { CountedNumbers, SummarisedNumbers } from '../engine/number-summary.ts';
import type { TwoSampleAnswer } from '../engine/two-sample.ts';
import { type ColumnThread, ownThread, sameThread } from './column-thread.ts';
import { type Answer, changed, type NumberReader } from './number-columns.ts';
import type { PairTask, TestedPair } from './tested-pairs.ts';

/** Bytes of a side that are read at once, unless a column as a whole needs more. */
const SIDE = 24 * 2 ** 20;
/** Fewer bytes are not worth other threads. */
const WORTH_THREADS = 32 * 2 ** 20;

export interface TestedColumn extends PairTask {
  readonly reference: TableColumn;
  readonly current: TableColumn;
}

export interface TestedTables {
  readonly reference: Table;
  readonly current: Table;
  readonly progress: (what: string) => void;
}

interface Known {
  readonly summary: Answer<SummarisedNumbers>;
  readonly edges: readonly number[];
  readonly count: Answer<CountedNumbers>;
}

export class TestedColumns implements NumberReader {
  /** By name of the column. */
  readonly answers = new Map<string, TwoSampleAnswer>();
  private readonly others: NumberReader;
  private readonly known = new Map<TableColumn, Known>();

  /** `others`: reads columns that are not tested. */
  constructor(others: NumberReader) {
    this.others = others;
  }

  /** Reads and tests. */
  async test(tables: TestedTables, columns: readonly TestedColumn[]): Promise<void> {
    const { reference, current, progress } = tables;
    const bytes = Float64Array.BYTES_PER_ELEMENT;
    const atOnce = Math.max(1, Math.floor(SIDE / (Math.max(reference.rows, current.rows) * bytes)));
    const { threads } = reference.db;
    const own = threads > 1 && (reference.rows + current.rows) * columns.length * bytes >= WORTH_THREADS;
    const workers = own ? Array.from({ length: threads }, ownThread) : [sameThread()];
    try {
      // Each thread has its buffers, filled again when it is done with them.
      const lanes = workers.map((thread) => new Lane(thread));
      for (let from = 0; from < columns.length; from += atOnce) {
        const group = columns.slice(from, from + atOnce);
        progress(`testing ${group[0]?.reference.name ?? ''}`);
        const lane = await Promise.race(lanes.map((one) => one.free));
        const sides = await lane.read(tables, group);
        lane.start(group, { reference: reference.rows, current: current.rows }, (tested) =>
          group.forEach((column, i) => {
            this.keep(column, tested[i]!, { reference: sides.reference[i]!, current: sides.current[i]! });
          }),
        );
      }
      await Promise.all(lanes.map((lane) => lane.free));
    } finally {
      await Promise.all(workers.map((thread) => thread.close()));
    }
  }

  async summarise(table: Table, columns: readonly TableColumn[]): Promise<Answer<SummarisedNumbers>[]> {
    const rest = columns.filter((column) => this.known.get(column)?.summary === undefined);
    const read = new Map((await this.others.summarise(table, rest)).map((answer, i) => [rest[i], answer]));
    return columns.map((column) => read.get(column) ?? this.known.get(column)!.summary);
  }

  async count(
    table: Table,
    columns: readonly TableColumn[],
    edges: readonly (readonly number[])[],
  ): Promise<Answer<CountedNumbers>[]> {
    const counted = columns.map((column, i) => {
      const known = this.known.get(column);
      return known !== undefined && equal(known.edges, edges[i]!) ? known.count : null;
    });
    const rest = Array.from(columns.keys()).filter((i) => counted[i] === null);
    const read = await this.others.count(
      table,
      rest.map((i) => columns[i]!),
      rest.map((i) => edges[i]!),
    );
    return counted.map((answer, i) => answer ?? read[rest.indexOf(i)]!);
  }

  absent(...of: Parameters<NumberReader['absent']>): ReturnType<NumberReader['absent']> {
    return this.others.absent(...of);
  }

  private keep(
    { reference, current }: TestedColumn,
    tested: TestedPair,
    absent: { readonly reference: number; readonly current: number },
  ): void {
    const known: Known = {
      summary: { ...tested.reference, absent: absent.reference },
      edges: tested.edges,
      count: { ...tested.current, absent: absent.current },
    };
    this.known.set(reference, known);
    this.known.set(current, known);
    this.answers.set(reference.name, tested.answer);
  }
}

/** A thread with its buffers. */
class Lane {
  /** This lane, when its thread has nothing to do. */
  free: Promise<Lane>;
  private readonly thread: ColumnThread;
  private reference: Float64Array = new Float64Array(0);
  private current: Float64Array = new Float64Array(0);

  constructor(thread: ColumnThread) {
    this.thread = thread;
    this.free = Promise.resolve(this);
  }

  /** Fills the buffers. Returns how many rows of each column have no number. */
  async read(
    { reference, current }: TestedTables,
    group: readonly TestedColumn[],
  ): Promise<{ readonly reference: readonly number[]; readonly current: readonly number[] }> {
    this.reference = roomFor(this.reference, group.length * reference.rows);
    this.current = roomFor(this.current, group.length * current.rows);
    return {
      reference: await readWhole(
        reference,
        group.map((column) => column.reference),
        this.reference,
      ),
      current: await readWhole(
        current,
        group.map((column) => column.current),
        this.current,
      ),
    };
  }

  start(
    group: readonly TestedColumn[],
    rows: { readonly reference: number; readonly current: number },
    take: (tested: readonly TestedPair[]) => void,
  ): void {
    const tasks = group.map(({ test, ordered, leastRows }): PairTask => ({ test, ordered, leastRows }));
    const { reference, current } = this;
    this.free = this.thread.test({ tasks, reference, current, rows }).then((tested) => {
      take(tested);
      return this;
    });
    // Awaited with the next group, or at the end.
    this.free.catch(() => undefined);
  }
}

/** Shared with the thread, so that nothing is copied. */
function roomFor(buffer: Float64Array, length: number): Float64Array {
  return buffer.length >= length
    ? buffer
    : new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

async function readWhole(table: Table, columns: readonly TableColumn[], into: Float64Array): Promise<number[]> {
  const absent = columns.map(() => 0);
  let read = 0;
  const values = columns.map((column, i) => `${numberSql(column)} AS mlmon_${i}`);
  await table.db.eachBlockBeside(`SELECT ${values.join(', ')} FROM ${table.relation}`, (block) => {
    if (read + block.rows > table.rows) throw changed(table, read + block.rows);
    for (let i = 0; i < columns.length; i++) absent[i]! += block.copy(i, into, i * table.rows + read);
    read += block.rows;
  });
  if (read !== table.rows) throw changed(table, read);
  return absent;
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
