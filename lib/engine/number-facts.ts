/**
 * What is known of a column of numbers beside its order: how many are finite, whole, the least, the greatest, mean and standard
 * deviation. In one pass over pieces of the column; sums are carried in two doubles, so that the order of the rows makes no difference
 * in the twelve digits that are kept.
 */
import { FEW_VALUES } from './numeric-bins.ts';

/** Slots of a hash table for FEW_VALUES, a power of two, and the bits of a hash above it. */
const FEW_SLOTS = 128;
const FEW_SHIFT = 25;
/** Values that may have to be read again. */
const BLOCK = 2_048;

export interface NumberFacts {
  /** Finite values. */
  readonly count: number;
  /** All of them are whole numbers; true without any. */
  readonly integer: boolean;
  /** `null` without finite values, and where their sum is beyond the doubles. */
  readonly mean: number | null;
  /** Population standard deviation; `null` where it is beyond the doubles. */
  readonly std: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** All distinct values, ascending, with how often each occurs: of whole numbers with at most FEW_VALUES of them. */
  readonly few: readonly (readonly [value: number, count: number])[] | null;
}

export class NumberFactsReader {
  private count = 0;
  private integer = true;
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  /** Sum and what was lost of it. */
  private sum = 0;
  private rest = 0;
  /** Mean, and squares around it, of the pieces so far. */
  private mean = 0;
  private squares = 0;
  private few: FewNumbers | null = new FewNumbers();

  /** Moves the finite values of a piece to its beginning, -0 as 0, and reads them. Returns them: a view of the piece. */
  take(piece: Float64Array): Float64Array {
    const finite = this.read(piece);
    if (finite.length === 0) return finite;
    if (!this.integer) this.few = null;
    if (this.few?.take(finite) === false) this.few = null;
    return finite;
  }

  /** So far all are whole numbers, and few different ones. */
  get areFew(): boolean {
    return this.few !== null;
  }

  /** So far all are whole numbers. */
  get areWhole(): boolean {
    return this.integer;
  }

  /** The least and the greatest so far; the other way round before the first. */
  get ends(): { readonly min: number; readonly max: number } {
    return { min: this.min, max: this.max };
  }

  facts(): NumberFacts {
    const { count, few } = this;
    const some = count > 0;
    const mean = finiteOrNull((this.sum + this.rest) / count);
    return {
      count,
      integer: this.integer,
      mean: some ? mean : null,
      std: some && mean !== null ? finiteOrNull(Math.sqrt(this.squares / count)) : null,
      min: some ? this.min : null,
      max: some ? this.max : null,
      few: few?.all() ?? null,
    };
  }

  /** By blocks: one loop where all is finite, which is seen at the sum; two where the one before was not. */
  private read(piece: Float64Array): Float64Array {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let sum = 0;
    let rest = 0;
    let n = 0;
    let allFinite = true;
    for (let from = 0; from < piece.length; from += BLOCK) {
      const length = Math.min(BLOCK, piece.length - from);
      let at = from;
      if (allFinite) {
        const [least, greatest, total, lost] = [min, max, sum, rest];
        for (let i = 0; i < length; i++) {
          const value = piece[from + i]! + 0;
          piece[n + i] = value;
          // Not by comparing: a branch that is rarely taken would keep the numbers out of registers.
          min = Math.min(min, value);
          max = Math.max(max, value);
          const next = sum + value;
          const added = next - sum;
          rest += sum - (next - added) + (value - added);
          sum = next;
        }
        // A number less itself is 0 unless it is not finite; a sum stays so from the first such value on.
        if (sum - sum === 0) {
          n += length;
          continue;
        }
        [min, max, sum, rest] = [least, greatest, total, lost];
        at = n;
      }
      const begin = n;
      for (let i = at; i < at + length; i++) {
        const value = piece[i]! + 0;
        if (value - value === 0) piece[n++] = value;
      }
      allFinite = n - begin === length;
      for (let i = begin; i < n; i++) {
        const value = piece[i]!;
        min = Math.min(min, value);
        max = Math.max(max, value);
        const next = sum + value;
        const added = next - sum;
        rest += sum - (next - added) + (value - added);
        sum = next;
      }
    }
    const finite = piece.subarray(0, n);
    if (n === 0) return finite;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    this.integer &&= areWhole(finite);
    this.addMoments(finite, sum, rest);
    return finite;
  }

  /** Squares around the piece's own mean, since around zero they would cancel; then both means are brought together. */
  private addMoments(finite: Float64Array, sum: number, rest: number): void {
    const n = finite.length;
    const mean = (sum + rest) / n;
    let squares = 0;
    let lost = 0;
    for (let i = 0; i < n; i++) {
      const distance = finite[i]! - mean;
      const square = distance * distance;
      const next = squares + square;
      const added = next - squares;
      lost += squares - (next - added) + (square - added);
      squares = next;
    }
    const all = this.count + n;
    const apart = mean - this.mean;
    this.squares += squares + lost + (this.count === 0 ? 0 : ((apart * this.count) / all) * apart * n);
    this.mean = this.count === 0 ? mean : this.mean + (apart * n) / all;
    this.count = all;
    const next = this.sum + sum;
    const added = next - this.sum;
    this.rest += this.sum - (next - added) + (sum - added) + rest;
    this.sum = next;
  }
}

/** Counts whole numbers while there are few different ones. */
class FewNumbers {
  private readonly values = new Float64Array(FEW_SLOTS).fill(Number.NaN);
  private readonly counts = new Float64Array(FEW_SLOTS);
  private size = 0;

  /** Whether there are still at most FEW_VALUES. */
  take(piece: Float64Array): boolean {
    const { values, counts } = this;
    for (let i = 0; i < piece.length; i++) {
      const value = piece[i]!;
      let slot = Math.imul(value | 0, 0x9e37_79b1) >>> FEW_SHIFT;
      while (values[slot] !== value && !Number.isNaN(values[slot]!)) slot = (slot + 1) & (FEW_SLOTS - 1);
      if (values[slot] !== value) {
        if (this.size === FEW_VALUES) return false;
        this.size += 1;
        values[slot] = value;
      }
      counts[slot]! += 1;
    }
    return true;
  }

  /** Ascending. */
  all(): (readonly [value: number, count: number])[] {
    const found: (readonly [number, number])[] = [];
    this.values.forEach((value, slot) => {
      if (!Number.isNaN(value)) found.push([value, this.counts[slot]!]);
    });
    return found.sort(([a], [b]) => a - b);
  }
}

/** Ends at the first that is not. */
function areWhole(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Math.floor(values[i]!) !== values[i]) return false;
  return true;
}

function finiteOrNull(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}
