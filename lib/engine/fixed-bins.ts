/**
 * Bins of numbers that need no data: the sign, the exponent and the first five bits of the mantissa of the double, so each is at most
 * 1/32 of its values wide. What is counted while a baseline is learned. Only what occurs takes memory: a page of 32 counts a sign and
 * exponent; at most 4,096 pages. Both zeros are one value.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';

const MANTISSA_BITS = 5;
const PAGE = 2 ** MANTISSA_BITS;
/** Sign and exponent. */
const PAGES = 4_096;
const SIGN = 2_048;
/** Exponents of numbers that are not finite. */
const NOT_FINITE = 2_047;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

export interface FixedBin {
  /** Ascends with the values of the bin; that of the bin [0, 2^-1027) is 0. */
  readonly bin: number;
  readonly count: number;
}

export class FixedBins {
  private readonly pages = new Map<number, Float64Array>();

  /** A finite value. */
  add(value: number): void {
    double[0] = value + 0;
    const high = words[HIGH_WORD]!;
    this.page(high >>> 20)[(high >>> (20 - MANTISSA_BITS)) & (PAGE - 1)]! += 1;
  }

  /** The values `values[from]` to `values[to - 1]`, all finite. */
  addAll(values: Float64Array, from: number, to: number): void {
    for (let i = from; i < to; i++) this.add(values[i]!);
  }

  merge(other: FixedBins): void {
    for (const [key, counts] of other.pages) {
      const page = this.page(key);
      for (let i = 0; i < PAGE; i++) page[i]! += counts[i]!;
    }
  }

  get total(): number {
    let total = 0;
    for (const page of this.pages.values()) for (const count of page) total += count;
    return total;
  }

  /** Those with values, ascending by value. */
  bins(): FixedBin[] {
    const found: FixedBin[] = [];
    for (const [key, page] of this.pages)
      page.forEach((count, i) => {
        if (count > 0) found.push({ bin: binOf(key, i), count });
      });
    return found.sort((a, b) => a.bin - b.bin);
  }

  /** Canonical. */
  write(writer: ByteWriter): void {
    const ascending = [...this.pages].sort(([a], [b]) => a - b);
    writer.varint(ascending.length);
    let next = 0;
    for (const [key, page] of ascending) {
      writer.varint(key - next);
      writer.counts(page);
      next = key + 1;
    }
  }

  /** `total`: the values of the column. */
  static read(reader: ByteReader, total: number): FixedBins {
    const fixed = new FixedBins();
    const size = reader.varint();
    let next = 0;
    for (let i = 0; i < size; i++) {
      const key = next + reader.varint();
      if (key >= PAGES || key % SIGN === NOT_FINITE) throw reader.corrupt('a fixed bin beyond the last');
      const page = fixed.page(key);
      reader.counts(page);
      if (page.every((count) => count === 0)) throw reader.corrupt('a page of fixed bins without values');
      next = key + 1;
    }
    if (fixed.total !== total) throw reader.corrupt('fixed bins do not add up');
    return fixed;
  }

  private page(key: number): Float64Array {
    let page = this.pages.get(key);
    if (page === undefined) {
      page = new Float64Array(PAGE);
      this.pages.set(key, page);
    }
    return page;
  }
}

/** Negative numbers have the sign bit and descend. */
function binOf(key: number, place: number): number {
  return key < SIGN ? key * PAGE + place : -1 - ((key - SIGN) * PAGE + place);
}

/** The bound below a bin: its least value; of negative numbers the value just below it, which belongs to the bin before. */
export function fixedBinEdge(bin: number): number {
  const magnitude = bin < 0 ? -bin : bin;
  double[0] = 0;
  words[HIGH_WORD] = magnitude << (20 - MANTISSA_BITS);
  return bin < 0 ? -double[0] : double[0];
}
