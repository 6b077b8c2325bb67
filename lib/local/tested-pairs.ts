/** A test on the raw values of both sides of a column, and beside it what the verdict needs of them: both want them sorted. */
import { type NumberFacts, NumberFactsReader } from '../engine/number-facts.ts';
import { type CountedNumbers, type SummarisedNumbers, stepsOf } from '../engine/number-summary.ts';
import { baselineRanks, binValues, type ValueStep } from '../engine/numeric-bins.ts';
import { compareSamples, type TwoSampleAnswer } from '../engine/two-sample.ts';
import { countsIn } from '../stats/bins.ts';
import { sortDoubles } from '../stats/sort-doubles.ts';

export interface PairTask {
  readonly test: string;
  /** The test wants the rows in their order. */
  readonly ordered: boolean;
  /** As `binValues` takes it. */
  readonly leastRows: number;
}

/** Columns of both sides, each side one column after another; NaN where there is no number. They are changed. */
export interface Pairs {
  readonly tasks: readonly PairTask[];
  readonly reference: Float64Array;
  readonly current: Float64Array;
  /** Rows of a column. */
  readonly rows: { readonly reference: number; readonly current: number };
}

export interface TestedPair {
  readonly answer: TwoSampleAnswer;
  readonly reference: SummarisedNumbers;
  /** Of the bins that the reference makes, and the counts in them. */
  readonly edges: readonly number[];
  readonly current: CountedNumbers;
}

export function testPairs({ tasks, reference, current, rows }: Pairs): TestedPair[] {
  return tasks.map(({ test, ordered, leastRows }, i) => {
    const a = reference.subarray(i * rows.reference, (i + 1) * rows.reference);
    const b = current.subarray(i * rows.current, (i + 1) * rows.current);
    const samples = ordered ? { reference: a.slice(), current: b.slice() } : null;
    const [one, other] = [sorted(a), sorted(b)];
    // Tests may count what is missing.
    a.fill(Number.NaN, one.values.length);
    b.fill(Number.NaN, other.values.length);
    const { few } = one.facts;
    const steps = few === null ? rankedSteps(one.values) : stepsOf(few);
    const { edges } = binValues(steps, one.values.length, few !== null, leastRows).bins;
    return {
      answer: compareSamples({
        test,
        type: 'numeric',
        ...(samples ?? { reference: a, current: b }),
      }),
      reference: { facts: one.facts, steps },
      edges,
      current: { facts: other.facts, bins: Array.from(countsIn(other.values, edges)) },
    };
  });
}

function sorted(column: Float64Array): { readonly facts: NumberFacts; readonly values: Float64Array } {
  const reader = new NumberFactsReader();
  const values = sortDoubles(reader.take(column));
  return { facts: reader.facts(), values };
}

/** The values at the ranks that a baseline is made from. */
function rankedSteps(values: Float64Array): ValueStep[] {
  const steps: ValueStep[] = [];
  let through = 0;
  for (const rank of baselineRanks(values.length)) {
    if (rank <= through) continue;
    const value = values[rank - 1]!;
    const before = lastOfRun(values, rank - 1, -1);
    through = lastOfRun(values, rank - 1, 1) + 1;
    steps.push({ value, count: through - before, before });
  }
  return steps;
}

/** The last place, going one way from a place, that holds the same value. */
function lastOfRun(values: Float64Array, from: number, way: 1 | -1): number {
  const value = values[from]!;
  let near = from;
  let stride = 1;
  while (values[near + way * stride] === value) {
    near += way * stride;
    stride *= 2;
  }
  for (; stride >= 1; stride = Math.floor(stride / 2)) if (values[near + way * stride] === value) near += way * stride;
  return near;
}
