/**
 * Categories outside the vocabulary: their total is a slot of the counts; beside it each column keeps the 32 with the smallest
 * hash, with exact counts. So a column's memory is bounded whatever is sent, and does not depend on who came first.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { NameCounts } from './name-counts.ts';
import type { Shape } from './shape.ts';

/** Unseen categories of a column with counts of their own. */
export const UNSEEN_KEPT = 32;
/** The same while a baseline is learned, when all categories are. */
export const LEARNED_KEPT = 256;

export class CategorySummaries {
  private readonly shape: Shape;
  private readonly unseen: (NameCounts | null)[];

  constructor(shape: Shape) {
    this.shape = shape;
    this.unseen = shape.columns.map(() => null);
  }

  addUnseen(column: number, category: string): void {
    this.of(column).add(category, 1);
  }

  merge(other: CategorySummaries): void {
    for (const [column, unseen] of other.unseen.entries()) if (unseen !== null) this.of(column).merge(unseen);
  }

  /** Most frequent first. */
  top(column: number): (readonly [category: string, count: number])[] {
    return this.unseen[column]?.top() ?? [];
  }

  write(writer: ByteWriter): void {
    for (const { index, type } of this.shape.columns) {
      if (type !== 'categorical') continue;
      (this.unseen[index] ?? NONE).write(writer);
    }
  }

  /** `counts`: the totals that the kept ones must not exceed. */
  static read(reader: ByteReader, shape: Shape, counts: Float64Array): CategorySummaries {
    const summaries = new CategorySummaries(shape);
    for (const { index, type, offset, bins } of shape.columns) {
      if (type !== 'categorical') continue;
      const unseen = NameCounts.read(reader, keptOf(shape), counts[offset + bins]!);
      summaries.unseen[index] = unseen.size > 0 ? unseen : null;
    }
    return summaries;
  }

  private of(column: number): NameCounts {
    let unseen = this.unseen[column];
    if (unseen === null || unseen === undefined) {
      unseen = new NameCounts(keptOf(this.shape));
      this.unseen[column] = unseen;
    }
    return unseen;
  }
}

const keptOf = ({ learning }: Shape): number => (learning ? LEARNED_KEPT : UNSEEN_KEPT);

const NONE = new NameCounts(UNSEEN_KEPT);
