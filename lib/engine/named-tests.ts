/**
 * Two-sample tests by name, on raw samples or counts: our own tests, and dialects (`test@product`), which answer with another product's
 * number and decision. Rows are taken as independent. Never throws for data. The verdict, `auto`, is in two-sample.ts, apart: what it
 * stands on takes longer to load than all tests together.
 */
import { nearest } from '../contracts/problem.ts';
import type { Verdict } from '../contracts/result.ts';
import { binnedByReference } from '../stats/bins.ts';
import { type CategoryValue, type DialectAnswer, valueCounts } from '../stats/dialects/answer.ts';
import { type DialectOptions, dialectNames, dialectTypes, runDialect } from '../stats/dialects/index.ts';
import type { BinnedPair, Outcome } from '../stats/outcome.ts';
import { sortedFinite } from '../stats/sample.ts';
import { round12OrNull } from './round.ts';
import { BINNED_TESTS, type BinnedTest, NUMERIC_TESTS } from './two-sample-tests.ts';

export interface TwoSamples {
  readonly test: string;
  readonly type: 'numeric' | 'categorical';
  /** Numbers, or anything printable; `null` is missing. */
  readonly reference: ArrayLike<CategoryValue>;
  readonly current: ArrayLike<CategoryValue>;
  readonly options?: TwoSampleOptions;
}

export interface TwoSampleOptions extends DialectOptions {
  /** Level of a p-value below or at which a test says `drifted`. @default 0.05 */
  readonly alpha?: number;
  /** Of our own tests: the statistic from which on they say `drifted`, instead of `alpha`. */
  readonly threshold?: number;
  /** Bins of a number, of equal share of the reference, for tests of binned samples. @default 10 */
  readonly bins?: number;
}

export interface TwoSampleAnswer {
  readonly test: string;
  readonly status: Extract<Verdict, 'ok' | 'drifted' | 'insufficient-data' | 'failed'>;
  readonly statistic: number | null;
  readonly pValue: number | null;
  /** What the p-value, or the score of a dialect, was compared with. */
  readonly threshold: number | null;
  /** Corrected effect w: sqrt(max(0, D² − E₀[D²])), D² = Σ (p − q)²/π over ten bins or the categories. */
  readonly effect: number | null;
  readonly reason: string | null;
  /** Of dialects only: the number that the product reports, and its own decision. */
  readonly score?: number | null;
  readonly drifted?: boolean | null;
  /** Of a dialect's `default`: the test that it chose. */
  readonly chosen?: string;
}

const LEVEL = 0.05;
const BINS = 10;
export const AUTO = 'auto';
/** Of counts that are written out as rows for another product's definition. */
const MOST_ROWS = 5_000_000;

/** All names, our own first. */
export function testNames(): readonly string[] {
  return [...new Set([...Object.keys(NUMERIC_TESTS), ...Object.keys(BINNED_TESTS), AUTO]), ...dialectNames()];
}

/** The types of columns that a test is for; `null` where there is no such test. */
export function testTypes(test: string): readonly TwoSamples['type'][] | null {
  if (test === AUTO || Object.hasOwn(BINNED_TESTS, test)) return ['numeric', 'categorical'];
  return Object.hasOwn(NUMERIC_TESTS, test) ? ['numeric'] : dialectTypes(test);
}

/** All tests but `auto`. */
export function compareByName(samples: TwoSamples): TwoSampleAnswer {
  const { test, type, reference, current, options = {} } = samples;
  if (test.includes('@')) {
    const answer = runDialect(test, type, reference, current, options);
    if (answer === null) return unknown(test);
    return sound(ofDialect(test, answer, effectOf(pairOf(type, reference, current, BINS)), options));
  }
  const numeric = Object.hasOwn(NUMERIC_TESTS, test) ? NUMERIC_TESTS[test] : undefined;
  const binned = Object.hasOwn(BINNED_TESTS, test) ? BINNED_TESTS[test] : undefined;
  if (numeric === undefined && binned === undefined) return unknown(test);
  if (type === 'categorical') {
    if (binned === undefined) return failed(test, 'for numeric columns only');
    return ofPair(test, binned, valueCounts(reference, current), options);
  }
  // Sorted once: to sort again what ascends costs next to nothing.
  const a = sortedFinite(reference as ArrayLike<number | null>);
  const b = sortedFinite(current as ArrayLike<number | null>);
  const pair = binnedByReference(a, b, BINS);
  if (numeric !== undefined) return sound(ofOutcome(test, numeric(a, b), effectOf(pair), options));
  const { bins = BINS } = options;
  return ofPair(test, binned!, bins === BINS ? pair : binnedByReference(a, b, bins), options, pair);
}

/** Tests of binned samples, on counts: the same bins on both sides. */
export function compareCounts(
  test: string,
  reference: readonly number[],
  current: readonly number[],
  options: TwoSampleOptions = {},
): TwoSampleAnswer {
  const binned = Object.hasOwn(BINNED_TESTS, test) ? BINNED_TESTS[test] : undefined;
  if (binned !== undefined) return ofPair(test, binned, { reference, current }, options);
  if (test === AUTO) return failed(test, 'for rows, not for counts');
  if (!test.includes('@'))
    return Object.hasOwn(NUMERIC_TESTS, test) ? failed(test, 'for numeric columns only') : unknown(test);
  const rows = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  if (rows(reference) + rows(current) > MOST_ROWS)
    return failed(test, `more than ${MOST_ROWS} rows; a test of our own takes counts as they are`);
  const values = (counts: readonly number[]): string[] =>
    counts.flatMap((count, i) => new Array<string>(count).fill(String(i).padStart(9, '0')));
  return compareByName({ test, type: 'categorical', reference: values(reference), current: values(current), options });
}

/** Values near the largest double overflow in squares and sums. */
function sound(answer: TwoSampleAnswer): TwoSampleAnswer {
  if (!Number.isNaN(answer.statistic) && !Number.isNaN(answer.pValue) && !Number.isNaN(answer.score)) return answer;
  return {
    ...answer,
    status: 'failed',
    statistic: null,
    pValue: null,
    ...(answer.score === undefined ? {} : { score: null, drifted: null }),
    reason: 'not a number',
  };
}

function ofPair(
  test: string,
  binned: BinnedTest,
  pair: BinnedPair,
  options: TwoSampleOptions,
  usual: BinnedPair = pair,
): TwoSampleAnswer {
  return sound(ofOutcome(test, binned(pair), effectOf(usual), options));
}

function ofOutcome(
  test: string,
  { statistic, pValue, reason }: Outcome,
  effect: number | null,
  { alpha = LEVEL, threshold }: TwoSampleOptions,
): TwoSampleAnswer {
  const isDecided =
    threshold !== undefined && statistic !== null
      ? statistic >= threshold
      : pValue !== null && reason === undefined
        ? pValue <= alpha
        : null;
  const status = isDecided === null ? (STATUS[reason ?? ''] ?? 'insufficient-data') : isDecided ? 'drifted' : 'ok';
  return { test, status, statistic, pValue, threshold: threshold ?? alpha, effect, reason: reason ?? null };
}

/** Of an answer without a p-value, by its reason. */
const STATUS: Readonly<Record<string, TwoSampleAnswer['status']>> = {
  constant: 'ok',
  infinite: 'drifted',
  'too-many-bins': 'failed',
  'invalid-counts': 'failed',
  'too-many-rows': 'failed',
};

function ofDialect(
  test: string,
  answer: DialectAnswer,
  effect: number | null,
  { alpha = LEVEL }: TwoSampleOptions,
): TwoSampleAnswer {
  const { score, statistic, pValue, threshold, drifted, reason, test: chosen } = answer;
  const missing = /^(?:empty|too-few)/.test(reason ?? '');
  const decided = drifted ?? (pValue === null ? null : pValue < alpha);
  const noThreshold = 'the product has no default threshold; give options.threshold';
  return {
    test,
    status:
      score === null
        ? missing
          ? 'insufficient-data'
          : drifted === false
            ? 'ok'
            : 'failed'
        : decided === true
          ? 'drifted'
          : 'ok',
    statistic,
    pValue,
    threshold: threshold ?? (pValue === null ? null : alpha),
    effect,
    reason: reason ?? (score !== null && decided === null ? noThreshold : null),
    score,
    drifted: decided,
    ...(chosen === undefined ? {} : { chosen }),
  };
}

function pairOf(
  type: TwoSamples['type'],
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  bins: number,
): BinnedPair {
  return type === 'numeric'
    ? binnedByReference(reference as ArrayLike<number | null>, current as ArrayLike<number | null>, bins)
    : valueCounts(reference, current);
}

function effectOf({ reference, current }: BinnedPair): number | null {
  let n = 0;
  let m = 0;
  for (let i = 0; i < reference.length; i++) {
    n += reference[i]!;
    m += current[i]!;
  }
  if (!(n > 0) || !(m > 0)) return null;
  let square = 0;
  let used = 0;
  for (let i = 0; i < reference.length; i++) {
    const pooled = (reference[i]! + current[i]!) / (n + m);
    if (pooled === 0) continue;
    used++;
    square += (reference[i]! / n - current[i]! / m) ** 2 / pooled;
  }
  return round12OrNull(Math.sqrt(Math.max(0, square - (used - 1) * (1 / n + 1 / m))));
}

function unknown(test: string): TwoSampleAnswer {
  const close = nearest(test, testNames());
  return failed(test, `unknown test${close === undefined ? '' : `; did you mean ${close}?`}`);
}

export function failed(test: string, reason: string): TwoSampleAnswer {
  return { test, status: 'failed', statistic: null, pValue: null, threshold: null, effect: null, reason };
}
