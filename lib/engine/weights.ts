/**
 * Exact sums of sampling weights and of their squares, the same in any order. A weight w is taken as the whole number
 * round(w·2^12), its square as round(w²·2^8), both at least 1. A slot is anything that is counted; it holds
 * low < 2^52 and how often 2^52 was carried, so every sum is exact whatever the traffic.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Units of a weight of 1. */
export const WEIGHT_UNITS = 4_096;
/** Units of the square of a weight of 1. */
export const SQUARE_UNITS = 256;
const CARRY = 2 ** 52;
const BIG_CARRY = 1n << 52n;

export function weightUnits(weight: number): number {
  return Math.max(1, Math.round(weight * WEIGHT_UNITS));
}

/** `units` as from `weightUnits`. */
export function squareUnits(units: number): number {
  return Math.max(1, Math.round((units * units) / (WEIGHT_UNITS * (WEIGHT_UNITS / SQUARE_UNITS))));
}

export class WeightSums {
  readonly slots: number;
  /** First all sums of weights, then all sums of squares. */
  private readonly low: Float64Array;
  private readonly carried = new Map<number, bigint>();

  constructor(slots: number) {
    this.slots = slots;
    this.low = new Float64Array(slots * 2);
  }

  /** The sums of rows that all had weight 1. */
  static ofCounts(counts: Float64Array): WeightSums {
    const sums = new WeightSums(counts.length);
    for (let slot = 0; slot < counts.length; slot++) {
      if (counts[slot] === 0) continue;
      sums.set(slot, BigInt(counts[slot]!) * BigInt(WEIGHT_UNITS));
      sums.set(sums.slots + slot, BigInt(counts[slot]!) * BigInt(SQUARE_UNITS));
    }
    return sums;
  }

  /** `weight` and `square` as from `weightUnits` and `squareUnits`. */
  add(slot: number, weight: number, square: number): void {
    this.addLow(slot, weight);
    this.addLow(this.slots + slot, square);
  }

  merge(other: WeightSums): void {
    for (let i = 0; i < this.low.length; i++) {
      this.addLow(i, other.low[i]!);
      const carried = other.carried.get(i);
      if (carried !== undefined) this.carried.set(i, (this.carried.get(i) ?? 0n) + carried);
    }
  }

  /** Adds slot `from` of `other` to `slot`. */
  addFrom(slot: number, other: WeightSums, from: number): void {
    this.set(slot, this.weight(slot) + other.weight(from));
    this.set(this.slots + slot, this.square(slot) + other.square(from));
  }

  /** `other` holds part of what this holds. */
  subtract(other: WeightSums): void {
    for (let i = 0; i < this.low.length; i++) this.set(i, this.exact(i) - other.exact(i));
  }

  /** Σw in units of 2^-12. */
  weight(slot: number): bigint {
    return this.exact(slot);
  }

  /** Σw² in units of 2^-8. */
  square(slot: number): bigint {
    return this.exact(this.slots + slot);
  }

  /** Writes the slots whose count is above zero; all others are zero. */
  write(writer: ByteWriter, counts: Float64Array): void {
    for (let slot = 0; slot < this.slots; slot++) {
      if (counts[slot] === 0) continue;
      writer.big(this.weight(slot));
      writer.big(this.square(slot));
    }
  }

  static read(reader: ByteReader, counts: Float64Array): WeightSums {
    const sums = new WeightSums(counts.length);
    for (let slot = 0; slot < counts.length; slot++) {
      if (counts[slot] === 0) continue;
      const weight = reader.big();
      const square = reader.big();
      const least = BigInt(counts[slot]!);
      if (weight < least || square < least) throw reader.corrupt('weights below their count');
      sums.set(slot, weight);
      sums.set(sums.slots + slot, square);
    }
    return sums;
  }

  private addLow(at: number, value: number): void {
    const sum = this.low[at]! + value;
    if (sum < CARRY) {
      this.low[at] = sum;
      return;
    }
    this.low[at] = sum - CARRY;
    this.carried.set(at, (this.carried.get(at) ?? 0n) + 1n);
  }

  private exact(at: number): bigint {
    return BigInt(this.low[at]!) + (this.carried.get(at) ?? 0n) * BIG_CARRY;
  }

  private set(at: number, value: bigint): void {
    const carried = value / BIG_CARRY;
    this.low[at] = Number(value % BIG_CARRY);
    if (carried > 0n) this.carried.set(at, carried);
    else this.carried.delete(at);
  }
}

/** Σw as a double. */
export function asWeight(units: bigint): number {
  return Number(units) / WEIGHT_UNITS;
}

/** Σw² as a double. */
export function asSquare(units: bigint): number {
  return Number(units) / SQUARE_UNITS;
}
