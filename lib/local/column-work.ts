/**
 * What is done with columns of numbers once they are in memory: by this thread, or by another (column-worker.ts). A group of columns is
 * given in pieces, a piece being some rows of all columns that are still read, column after column.
 */
import {
  type ColumnReader,
  type CountedNumbers,
  NumberCount,
  NumberSummary,
  type SummarisedNumbers,
} from '../engine/number-summary.ts';
import { RankSearch } from '../stats/rank-search.ts';

export type ColumnTask =
  | { readonly kind: 'summarise' }
  /** In the bins of a baseline. */
  | { readonly kind: 'count'; readonly edges: readonly number[] };

export type ColumnResult = SummarisedNumbers | CountedNumbers;

export interface Piece {
  readonly group: number;
  /** Of all columns of the group; read from the first piece of the first pass. */
  readonly tasks: readonly ColumnTask[];
  /** Column i of `columns` has the rows from i · capacity. */
  readonly values: Float64Array;
  readonly capacity: number;
  readonly rows: number;
  /** Which columns of the group these are. */
  readonly columns: readonly number[];
  /** Last of its pass; the columns are in it as a whole if it is the only one. */
  readonly last: boolean;
  readonly whole: boolean;
}

/** By column of the piece: its result, or `null` where another pass is needed. */
export type PassEnd = readonly (ColumnResult | null)[];

export class ColumnWork {
  private readonly groups = new Map<number, Map<number, ColumnReader<ColumnResult>>>();
  /** Each takes a megabyte to set up. */
  private readonly searches: RankSearch[] = [];
  private readonly lent = new Map<ColumnReader<ColumnResult>, RankSearch>();

  /** `null` before the end of a pass. */
  take(piece: Piece): PassEnd | null {
    let readers = this.groups.get(piece.group);
    if (readers === undefined) {
      readers = new Map();
      this.groups.set(piece.group, readers);
    }
    const ends: (ColumnResult | null)[] = [];
    for (const [at, column] of piece.columns.entries()) {
      let reader = readers.get(column);
      if (reader === undefined) {
        reader = this.readerFor(piece.tasks[column]);
        readers.set(column, reader);
      }
      const values = piece.values.subarray(at * piece.capacity, at * piece.capacity + piece.rows);
      if (piece.whole) reader.takeAll(values);
      else reader.take(values);
      if (!piece.last) continue;
      const again = !piece.whole && reader.again();
      ends.push(again ? null : reader.result());
      if (again) continue;
      readers.delete(column);
      this.giveBack(reader);
    }
    if (readers.size === 0) this.groups.delete(piece.group);
    return piece.last ? ends : null;
  }

  private readerFor(task: ColumnTask | undefined): ColumnReader<ColumnResult> {
    if (task === undefined) throw new RangeError('a column without a task');
    if (task.kind === 'count') return new NumberCount(task.edges);
    const search = this.searches.pop() ?? new RankSearch();
    const reader = new NumberSummary(search);
    this.lent.set(reader, search);
    return reader;
  }

  private giveBack(reader: ColumnReader<ColumnResult>): void {
    const search = this.lent.get(reader);
    this.lent.delete(reader);
    if (search !== undefined) this.searches.push(search);
  }
}
