/**
 * Exact sums for mean and standard deviation, the same in any order: a value x is taken as the whole number
 * q = round((x - center) / unit), kept within ±2^26, and Σq and Σq² are accumulated without rounding.
 *
 * Sums are doubles that move to big integers every 2^12 rows, before they can reach 2^53: q² below 2^40 is added whole, a
 * larger one as two halves of 26 bits.
 * With sampling weights W (whole units of 2^-12, at most 2^26) the sums ΣWq and ΣWq² are kept beside them likewise.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { WEIGHT_UNITS } from './weights.ts';

/** Values farther from the center are counted as clamped. */
export const MOMENT_LIMIT = 2 ** 26;
const HALF = 2 ** 26;
const FLUSH_AFTER = 2 ** 12;
/** Squares that can be added FLUSH_AFTER times without rounding. */
const SMALL_SQUARE = 2 ** 40;
const BIG_HALF = 1n << 26n;
/** Doubles a column: Σq, Σq² in two halves. */
const PLAIN = 3;
/** ΣWq in two halves; ΣWq² = Σ (W·high) in two halves · 2^26 + Σ (W·low) in two halves. */
const WEIGHTED = 6;

export interface Moments {
  readonly mean: number;
  readonly std: number;
}

export class MomentSums {
  readonly columns: number;
  private readonly pending: Float64Array;
  private readonly sums: bigint[];
  private additions = 0;
  private weightedPending: Float64Array | null = null;
  private weightedSums: bigint[] = [];

  constructor(columns: number) {
    this.columns = columns;
    this.pending = new Float64Array(columns * PLAIN);
    this.sums = new Array<bigint>(columns * 2).fill(0n);
  }

  /** To be called once for each row before its values are added. */
  row(): void {
    if (++this.additions === FLUSH_AFTER) this.flush();
  }

  /** `q`: a whole number within ±MOMENT_LIMIT. */
  add(column: number, q: number): void {
    const square = q * q;
    const at = column * PLAIN;
    const { pending } = this;
    pending[at]! += q;
    if (square < SMALL_SQUARE) pending[at + 1]! += square;
    else split(pending, at + 1, square);
  }

  /**
   * Adds the finite values `values[from]` to `values[to - 1]`, at most 2^12 of them, as floor((x - center) * inverse + ½).
   * Returns how many were clamped.
   */
  addValues(column: number, values: Float64Array, from: number, to: number, center: number, inverse: number): number {
    let sum = 0;
    let low = 0;
    let high = 0;
    let clamped = 0;
    for (let i = from; i < to; i++) {
      let q = Math.floor((values[i]! - center) * inverse + 0.5);
      if (q > MOMENT_LIMIT || q < -MOMENT_LIMIT) {
        q = q > 0 ? MOMENT_LIMIT : -MOMENT_LIMIT;
        clamped++;
      }
      sum += q;
      const square = q * q;
      if (square < SMALL_SQUARE) low += square;
      else {
        const half = Math.floor(square / HALF);
        high += half;
        low += square - half * HALF;
      }
    }
    const at = column * PLAIN;
    const { pending } = this;
    pending[at]! += sum;
    pending[at + 1]! += low;
    pending[at + 2]! += high;
    return clamped;
  }

  /** Beside `add`, after `promote`. `weight` in units of 2^-12. */
  addWeighted(column: number, q: number, weight: number): void {
    const pending = this.weightedPending;
    if (pending === null) throw new Error('addWeighted before promote');
    const square = q * q;
    const high = Math.floor(square / HALF);
    const at = column * WEIGHTED;
    split(pending, at, weight * q);
    split(pending, at + 2, weight * high);
    split(pending, at + 4, weight * (square - high * HALF));
  }

  /** From here on weights are kept; what came before had weight 1. */
  promote(): void {
    if (this.weightedPending !== null) return;
    this.flush();
    this.weightedPending = new Float64Array(this.columns * WEIGHTED);
    this.weightedSums = this.sums.map((sum) => sum * BigInt(WEIGHT_UNITS));
  }

  merge(other: MomentSums): void {
    this.flush();
    other.flush();
    if (other.weightedPending !== null) this.promote();
    for (let i = 0; i < this.sums.length; i++) {
      this.sums[i]! += other.sums[i]!;
      if (this.weightedPending === null) continue;
      this.weightedSums[i]! +=
        other.weightedPending === null ? other.sums[i]! * BigInt(WEIGHT_UNITS) : other.weightedSums[i]!;
    }
  }

  /** Mean and population deviation of `count` values in the units of x; `null` without values. */
  of(column: number, count: bigint, center: number, unit: number): Moments | null {
    this.flush();
    return moments(this.sums[column * 2]!, this.sums[column * 2 + 1]!, count, center, unit);
  }

  /** Likewise with weights; `weight` is their sum in units of 2^-12. Without weights it is `of`. */
  weightedOf(column: number, weight: bigint, center: number, unit: number): Moments | null {
    this.flush();
    return moments(this.weightedSums[column * 2]!, this.weightedSums[column * 2 + 1]!, weight, center, unit);
  }

  write(writer: ByteWriter): void {
    this.flush();
    for (const sum of this.sums) writer.signed(sum);
    if (this.weightedPending !== null) for (const sum of this.weightedSums) writer.signed(sum);
  }

  static read(reader: ByteReader, columns: number, weighted: boolean): MomentSums {
    const moments = new MomentSums(columns);
    for (let i = 0; i < moments.sums.length; i++) moments.sums[i] = reader.signed();
    if (weighted) {
      moments.promote();
      for (let i = 0; i < moments.sums.length; i++) moments.weightedSums[i] = reader.signed();
    }
    return moments;
  }

  private flush(): void {
    if (this.additions === 0) return;
    this.additions = 0;
    for (let column = 0; column < this.columns; column++) {
      const at = column * PLAIN;
      this.sums[column * 2]! += BigInt(this.pending[at]!);
      this.sums[column * 2 + 1]! += joined(this.pending, at + 1);
    }
    this.pending.fill(0);
    const weighted = this.weightedPending;
    if (weighted === null) return;
    for (let column = 0; column < this.columns; column++) {
      const at = column * WEIGHTED;
      this.weightedSums[column * 2]! += joined(weighted, at);
      this.weightedSums[column * 2 + 1]! += joined(weighted, at + 2) * BIG_HALF + joined(weighted, at + 4);
    }
    weighted.fill(0);
  }
}

/** Low half at `at`, high half after it. */
function split(pending: Float64Array, at: number, product: number): void {
  const high = Math.floor(product / HALF);
  pending[at]! += product - high * HALF;
  pending[at + 1]! += high;
}

function joined(pending: Float64Array, at: number): bigint {
  return BigInt(pending[at + 1]!) * BIG_HALF + BigInt(pending[at]!);
}

/** mean = center + unit·S1/N; variance = unit²·(N·S2 - S1²)/N², its numerator exact. */
function moments(first: bigint, second: bigint, count: bigint, center: number, unit: number): Moments | null {
  if (count === 0n) return null;
  const spread = count * second - first * first;
  const deviation = spread <= 0n ? 0 : Math.sqrt(Number(spread)) / Number(count);
  return { mean: center + unit * (Number(first) / Number(count)), std: unit * deviation };
}
