/**
 * Order statistics of more numbers than can be held: the values at given ranks, each with how often it occurs and how many lie below it.
 * Exact, whatever the order in which the numbers come.
 *
 * The numbers are given as often as asked for. What is counted are the bits of a double, which ascend with its value once those of
 * negative numbers are turned over: first by the upper 18 bits, then, in the cells that hold a rank, by eight bits more each time. A
 * cell of one value is done; one of few values is collected and sorted. Most numbers take three passes, none more than eight.
 * Memory: 1 MB, and at most 40 KB a rank. The tables of a pass are small, since it is the caches that decide how long it takes.
 */
import { sortDoubles } from './sort-doubles.ts';

/** A value, how often it occurs, and how many are smaller. */
export interface RankedValue {
  readonly value: number;
  readonly count: number;
  readonly before: number;
}

const ROOT_BITS = 18;
const ROOT_SHIFT = 32 - ROOT_BITS;
const PART_BITS = 8;
const PARTS = 1 << PART_BITS;
/** Splits after which all 64 bits are used: 18 + 8 + 8 + 8 + 8 + 8 + 6. */
const DEEPEST = 6;
/** Values of a cell that are collected rather than split: a share of all, within bounds. */
const FEW_SHARE = 1 / 8_192;
const FEW_LEAST = 32;
const FEW_MOST = 4_096;

const [LOW, HIGH] = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];
const SIGN = -0x8000_0000;

/** What becomes of a value in a cell; together with the cell's place it is what tables hold, 0 standing for no cell. */
const SPLIT = 1;
const COLLECT = 2;
/** Split, and watched for a second value. */
const WATCH = 3;
/** Was split: its parts tell more. */
const INNER = 4;
const KIND_BITS = 3;
const KIND = (1 << KIND_BITS) - 1;

interface Cell {
  readonly kind: typeof SPLIT | typeof COLLECT | typeof WATCH;
  /** Among the tables of parts, or among the cells that are collected. */
  readonly place: number;
  /** Times it was split before, and 1. */
  readonly depth: number;
  readonly count: number;
  readonly before: number;
  /** The table that has it, and where. */
  readonly of: Uint32Array;
  readonly at: number;
}

export class RankSearch {
  /** Of the upper bits: first how many values there are, then the cell. */
  private readonly root = new Uint32Array(1 << ROOT_BITS);
  private ranksOf: (n: number) => ArrayLike<number> = () => [];
  private ranks: ArrayLike<number> = [];
  private passes = 0;
  private total = 0;
  /** Cells of the pass at hand. */
  private cells: Cell[] = [];
  /** Tables, PARTS long: first how many values each part has, then the cell. The first is of no cell. */
  private parts: Uint32Array = new Uint32Array(0);
  private tables = 1;
  /** A bit for each part: whether it holds a cell. */
  private wanted: Uint32Array = new Uint32Array(0);
  /** By table: a value of the cell, NaN before the first, and whether there is another. */
  private some: Float64Array = new Float64Array(0);
  private varied: Uint8Array = new Uint8Array(0);
  /** Values of collected cells one cell after another, and where the next of each goes. */
  private collected: Float64Array = new Float64Array(0);
  private next: Uint32Array = new Uint32Array(0);
  private found: RankedValue[] = [];

  /** Begins anew. `ranksOf` gives the ranks, from 1, ascending and distinct, once it is known how many values there are. */
  begin(ranksOf: (n: number) => ArrayLike<number>): this {
    this.root.fill(0);
    this.ranksOf = ranksOf;
    this.passes = 0;
    this.total = 0;
    this.cells = [];
    this.parts = new Uint32Array(PARTS);
    this.tables = 1;
    this.collected = new Float64Array(0);
    this.found = [];
    return this;
  }

  /** Takes some of the values: finite or infinite, no NaN, no -0. The same ones in every pass, in any order and pieces. */
  take(values: Float64Array): void {
    const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    if (this.passes === 0) this.countAll(words);
    else if (this.passes === 1) this.countFirst(values, words);
    else this.countDeep(values, words);
  }

  /** Ends a pass. Whether the values have to be given once more. */
  again(): boolean {
    const cells = this.passes === 0 ? this.firstCells() : this.cells.flatMap((cell) => this.settle(cell));
    this.passes += 1;
    this.cells = cells;
    if (cells.length > 0) this.prepare();
    else this.found.sort((a, b) => a.before - b.before);
    return cells.length > 0;
  }

  /** After the last pass: the values that hold a rank, ascending, each once. */
  get values(): readonly RankedValue[] {
    return this.found;
  }

  private countAll(words: Int32Array): void {
    const { root } = this;
    this.total += words.length / 2;
    for (let at = HIGH; at < words.length; at += 2) {
      const upper = words[at]!;
      root[(upper ^ ((upper >> 31) | SIGN)) >>> ROOT_SHIFT]!++;
    }
  }

  /** The second pass, in which no cell is split yet and most values are in one: nothing but what it takes. */
  private countFirst(values: Float64Array, words: Int32Array): void {
    const { root, parts, collected, next } = this;
    const high = HIGH;
    for (let i = 0; i < values.length; i++) {
      const upper = words[2 * i + high]!;
      const key = upper ^ ((upper >> 31) | SIGN);
      const cell = root[key >>> ROOT_SHIFT]!;
      // Those of no cell are counted as well, in the table that nobody reads: about every second value is one, which no processor foresees.
      if ((cell & KIND) === COLLECT) collected[next[cell >>> KIND_BITS]!++] = values[i]!;
      else parts[((cell >>> KIND_BITS) << PART_BITS) + ((key >>> 6) & (PARTS - 1))]!++;
    }
  }

  private countDeep(values: Float64Array, words: Int32Array): void {
    const { root, parts, wanted, some, varied, collected, next } = this;
    const [low, high] = [LOW, HIGH];
    for (let i = 0; i < values.length; i++) {
      const upper = words[2 * i + high]!;
      const sign = upper >> 31;
      const key = upper ^ (sign | SIGN);
      let cell = root[key >>> ROOT_SHIFT]!;
      let digit = (key >>> 6) & (PARTS - 1);
      // By now a cell of the upper bits is split or none, and most values end here, at a bit that the nearest cache has.
      const part = ((cell >>> KIND_BITS) << PART_BITS) + digit;
      if (((wanted[part >>> 5]! >>> (part & 31)) & 1) === 0) continue;
      for (let depth = 1; (cell & KIND) === INNER; depth++) {
        cell = parts[((cell >>> KIND_BITS) << PART_BITS) + digit]!;
        if (cell === 0) break;
        const lower = words[2 * i + low]! ^ sign;
        if (depth === 1) digit = ((key & 63) << 2) | (lower >>> 30);
        else if (depth < 5) digit = (lower >>> (38 - 8 * depth)) & (PARTS - 1);
        else digit = depth === 5 ? lower & 63 : 0;
      }
      if (cell === 0) continue;
      const place = cell >>> KIND_BITS;
      if ((cell & KIND) === COLLECT) {
        collected[next[place]!++] = values[i]!;
        continue;
      }
      parts[(place << PART_BITS) + digit]!++;
      if ((cell & KIND) === WATCH) {
        const known = some[place]!;
        if (Number.isNaN(known)) some[place] = values[i]!;
        else if (values[i] !== known) varied[place] = 1;
      }
    }
  }

  private firstCells(): Cell[] {
    const { root } = this;
    this.ranks = this.ranksOf(this.total);
    return this.cellsOf(root, 0, root.length, { before: 0, count: Number.NaN, depth: 0 });
  }

  /** Takes what a pass has told of a cell: the values searched for, or the cells that go on. */
  private settle(cell: Cell): Cell[] {
    const { kind, place, count, before } = cell;
    if (kind === COLLECT) {
      const to = this.next[place]!;
      this.findIn(sortDoubles(this.collected.subarray(to - count, to)), before);
    } else if (kind === WATCH && this.varied[place] === 0) this.found.push({ value: this.some[place]!, count, before });
    else {
      cell.of[cell.at] = (place << KIND_BITS) | INNER;
      return this.cellsOf(this.parts, place << PART_BITS, (place + 1) << PART_BITS, cell);
    }
    cell.of[cell.at] = 0;
    return [];
  }

  /** Makes cells of those counts that hold a rank, and clears all counts. */
  private cellsOf(
    counts: Uint32Array,
    from: number,
    to: number,
    parent: { readonly before: number; readonly count: number; readonly depth: number },
  ): Cell[] {
    const { ranks } = this;
    const few = Math.min(FEW_MOST, Math.max(FEW_LEAST, this.total * FEW_SHARE));
    const depth = parent.depth + 1;
    const cells: Cell[] = [];
    let { before } = parent;
    let rank = firstAbove(ranks, before);
    for (let at = from; at < to; at++) {
      const count = counts[at]!;
      if (count === 0) continue;
      counts[at] = 0;
      const through = before + count;
      if (rank < ranks.length && ranks[rank]! <= through) {
        // All in one part: perhaps all of one value.
        const kind = count <= few ? COLLECT : count === parent.count || depth > DEEPEST ? WATCH : SPLIT;
        cells.push({ kind, place: 0, depth, count, before, of: counts, at });
        while (rank < ranks.length && ranks[rank]! <= through) rank++;
      }
      before = through;
    }
    return cells;
  }

  /** The values of a cell that hold a rank. */
  private findIn(sorted: Float64Array, below: number): void {
    const { ranks } = this;
    let rank = firstAbove(ranks, below);
    for (let from = 0; from < sorted.length; ) {
      const value = sorted[from]!;
      let to = from + 1;
      while (to < sorted.length && sorted[to] === value) to++;
      if (rank < ranks.length && ranks[rank]! <= below + to) {
        this.found.push({ value, count: to - from, before: below + from });
        while (rank < ranks.length && ranks[rank]! <= below + to) rank++;
      }
      from = to;
    }
  }

  /** Room for what the next pass counts and collects; from here on tables hold cells instead of counts. */
  private prepare(): void {
    const split = this.cells.filter(({ kind }) => kind !== COLLECT).length;
    const grown = new Uint32Array((this.tables + split) * PARTS);
    grown.set(this.parts);
    grown.fill(0, 0, PARTS);
    const next: number[] = [];
    let values = 0;
    this.cells = this.cells.map((cell) => {
      const place = cell.kind === COLLECT ? next.length : this.tables++;
      const of = cell.of === this.root ? this.root : grown;
      of[cell.at] = (place << KIND_BITS) | cell.kind;
      if (cell.kind === COLLECT) {
        next.push(values);
        values += cell.count;
      }
      return { ...cell, place, of };
    });
    this.parts = grown;
    if (this.passes > 1) this.wanted = bitsOf(grown);
    this.collected = new Float64Array(values);
    this.next = Uint32Array.from(next);
    this.some = new Float64Array(this.tables).fill(Number.NaN);
    this.varied = new Uint8Array(this.tables);
  }
}

/** A bit for each of the numbers: whether it is not 0. */
function bitsOf(numbers: Uint32Array): Uint32Array {
  const bits = new Uint32Array(numbers.length >>> 5);
  for (let i = 0; i < numbers.length; i++) if (numbers[i] !== 0) bits[i >>> 5]! |= 1 << (i & 31);
  return bits;
}

/** Place of the first rank above `below`. */
function firstAbove(ranks: ArrayLike<number>, below: number): number {
  let low = 0;
  let high = ranks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranks[middle]! <= below) low = middle + 1;
    else high = middle;
  }
  return low;
}
