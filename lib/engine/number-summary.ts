/** A column of numbers, read in pieces and passes: what its baseline is made from, or its counts in the bins of a baseline. */
import { RankSearch } from '../stats/rank-search.ts';
import { BinCounter } from './bin-counter.ts';
import { type NumberFacts, NumberFactsReader } from './number-facts.ts';
import { baselineRanks, type ValueStep } from './numeric-bins.ts';
import { stepsAt, WholeCounts } from './whole-counts.ts';

export interface SummarisedNumbers {
  readonly facts: NumberFacts;
  /** As `binValues` wants them; all distinct values where there are few whole numbers. */
  readonly steps: readonly ValueStep[];
}

export interface CountedNumbers {
  readonly facts: NumberFacts;
  /** One more than there are edges. */
  readonly bins: readonly number[];
}

/** Reads a column in one pass or several. Pieces are changed: their finite values are moved to the beginning. */
export interface ColumnReader<Result> {
  /** A piece of the first pass, or of a later one. NaN stands for every value that is no finite number. */
  take(piece: Float64Array): void;
  /** As `take`, of a piece that is the whole column: all passes at once. */
  takeAll(column: Float64Array): void;
  /** Ends a pass: whether the column has to be given once more. */
  again(): boolean;
  result(): Result;
}

/** What a baseline is made from. */
export class NumberSummary implements ColumnReader<SummarisedNumbers> {
  private readonly facts = new NumberFactsReader();
  private readonly search: RankSearch;
  private whole: WholeCounts | null = null;
  private passes = 0;

  /** `search` is this column's until the result is taken. */
  constructor(search = new RankSearch()) {
    this.search = search.begin(baselineRanks);
  }

  take(piece: Float64Array): void {
    this.search.take(this.passes === 0 ? this.facts.take(piece) : finiteOf(piece));
  }

  takeAll(column: Float64Array): void {
    const { facts } = this;
    const finite = facts.take(column);
    if (facts.areFew) return;
    this.whole = takenAsWhole(new WholeCounts(), facts, finite);
    if (this.whole !== null) return;
    do this.search.take(finite);
    while (this.search.again());
  }

  again(): boolean {
    this.passes += 1;
    return !this.facts.areFew && this.search.again();
  }

  result(): SummarisedNumbers {
    const facts = this.facts.facts();
    if (facts.few !== null) return { facts, steps: stepsOf(facts.few) };
    const { whole } = this;
    return {
      facts,
      steps: whole === null ? this.search.values : stepsAt(whole.steps(), baselineRanks(facts.count)),
    };
  }
}

/** Counts in the bins of a baseline: bin i is [edges[i-1], edges[i]). */
export class NumberCount implements ColumnReader<CountedNumbers> {
  private readonly facts = new NumberFactsReader();
  private readonly edges: readonly number[];
  private counter: BinCounter | null = null;
  /** While there is nothing but whole numbers near each other; their bins are looked up at the end. */
  private whole: WholeCounts | null = new WholeCounts();

  constructor(edges: readonly number[]) {
    this.edges = edges;
  }

  take(piece: Float64Array): void {
    const finite = this.facts.take(piece);
    const { whole } = this;
    if (whole !== null) {
      this.whole = takenAsWhole(whole, this.facts, finite);
      if (this.whole !== null) return;
      this.look(whole);
    }
    this.counted().add(finite);
  }

  takeAll(column: Float64Array): void {
    this.take(column);
  }

  again(): boolean {
    return false;
  }

  result(): CountedNumbers {
    if (this.whole !== null) this.look(this.whole);
    this.whole = null;
    return { facts: this.facts.facts(), bins: Array.from(this.counted().counts) };
  }

  private counted(): BinCounter {
    this.counter ??= new BinCounter(this.edges);
    return this.counter;
  }

  private look(whole: WholeCounts): void {
    for (const { value, count } of whole.steps()) this.counted().addSome(value, count);
  }
}

/** `null` where these numbers cannot be counted as whole ones. */
function takenAsWhole(whole: WholeCounts, facts: NumberFactsReader, finite: Float64Array): WholeCounts | null {
  if (!facts.areWhole) return null;
  const { min, max } = facts.ends;
  return whole.take(finite, min, max) ? whole : null;
}

/** Steps of all distinct values, ascending. */
export function stepsOf(few: NonNullable<NumberFacts['few']>): ValueStep[] {
  let before = 0;
  return few.map(([value, count]) => {
    const step = { value, count, before };
    before += count;
    return step;
  });
}

/** As `NumberFactsReader.take` moves them. */
function finiteOf(piece: Float64Array): Float64Array {
  let n = 0;
  for (let i = 0; i < piece.length; i++) {
    const value = piece[i]! + 0;
    if (value - value === 0) piece[n++] = value;
  }
  return piece.subarray(0, n);
}
