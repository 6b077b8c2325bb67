/**
 * Two-sample tests by name, on raw samples: our own tests, and dialects (`test@product`), which answer with another product's number and
 * decision. Rows are taken as independent. Never throws for data.
 */

import { EFFECTS } from '../contracts/monitor.ts';
import { nearest } from '../contracts/problem.ts';
import type { Verdict } from '../contracts/result.ts';
import { binnedByReference } from '../stats/bins.ts';
import { type CategoryValue, type DialectAnswer, valueCounts } from '../stats/dialects/answer.ts';
import { type DialectOptions, dialectNames, dialectTypes, runDialect } from '../stats/dialects/index.ts';
import type { BinnedPair, Outcome } from '../stats/outcome.ts';
import { reportLevelOf } from './budget.ts';
import { judgeColumn } from './column-verdict.ts';
import { round12OrNull } from './round.ts';
import { categoricalColumnOf, countsOfSample, numericColumnOf } from './sample-columns.ts';
import { LEAST_ROWS } from './score-judge.ts';
import { BINNED_TESTS, NUMERIC_TESTS } from './two-sample-tests.ts';

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
const AUTO = 'auto';

/** All names, our own first. */
export function testNames(): readonly string[] {
  return [...new Set([...Object.keys(NUMERIC_TESTS), ...Object.keys(BINNED_TESTS), AUTO]), ...dialectNames()];
}

/** The types of columns that a test is for; `null` where there is no such test. */
export function testTypes(test: string): readonly TwoSamples['type'][] | null {
  if (test === AUTO || Object.hasOwn(BINNED_TESTS, test)) return ['numeric', 'categorical'];
  return Object.hasOwn(NUMERIC_TESTS, test) ? ['numeric'] : dialectTypes(test);
}

export function compareSamples(samples: TwoSamples): TwoSampleAnswer {
  const answer = compared(samples);
  // Values near the largest double overflow in squares and sums.
  const isBroken = [answer.statistic, answer.pValue, answer.score].some((value) => Number.isNaN(value));
  return isBroken
    ? {
        ...answer,
        status: 'failed',
        statistic: null,
        pValue: null,
        ...(answer.score === undefined ? {} : { score: null, drifted: null }),
        reason: 'not a number',
      }
    : answer;
}

function compared({ test, type, reference, current, options = {} }: TwoSamples): TwoSampleAnswer {
  if (test === AUTO) return verdictOf(type, reference, current, options);
  const effect = effectOf(type, reference, current);
  if (test.includes('@')) {
    const answer = runDialect(test, type, reference, current, options);
    return answer === null ? unknown(test) : ofDialect(test, answer, effect, options);
  }
  const numeric = type === 'numeric' ? NUMERIC_TESTS[test] : undefined;
  const binned = BINNED_TESTS[test];
  if (numeric !== undefined)
    return ofOutcome(
      test,
      numeric(reference as ArrayLike<number | null>, current as ArrayLike<number | null>),
      effect,
      options,
    );
  if (binned !== undefined)
    return ofOutcome(test, binned(pairOf(type, reference, current, options.bins ?? BINS)), effect, options);
  if (test in NUMERIC_TESTS) return failed(test, 'for numeric columns only');
  return unknown(test);
}

function ofOutcome(
  test: string,
  outcome: Outcome,
  effect: number | null,
  { alpha = LEVEL }: TwoSampleOptions,
): TwoSampleAnswer {
  const { statistic, pValue, reason } = outcome;
  const status =
    pValue !== null && reason === undefined
      ? pValue <= alpha
        ? 'drifted'
        : 'ok'
      : reason === 'constant'
        ? 'ok'
        : reason === 'infinite'
          ? 'drifted'
          : reason === 'too-many-bins' || reason === 'invalid-counts'
            ? 'failed'
            : 'insufficient-data';
  return { test, status, statistic, pValue, threshold: alpha, effect, reason: reason ?? null };
}

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

/** The verdict of a report, on one column: rows independent, the budget of a single comparison. */
function verdictOf(
  type: TwoSamples['type'],
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  { alpha }: TwoSampleOptions,
): TwoSampleAnswer {
  const text = (values: ArrayLike<CategoryValue>) =>
    Array.from(values, (value) => (value === null || value === undefined ? null : String(value)));
  const [a, b] = type === 'numeric' ? [reference, current] : [text(reference), text(current)];
  const column =
    type === 'numeric'
      ? numericColumnOf(a as ArrayLike<number | null>)
      : categoricalColumnOf(a as ArrayLike<string | null>);
  const level = alpha ?? reportLevelOf(1);
  const { status, statistic, pValue, threshold, effect, reason } = judgeColumn(
    column,
    countsOfSample(column, b as ArrayLike<string | null>),
    {
      level,
      smallestEffect: EFFECTS.tiny,
      minimumRows: LEAST_ROWS,
      span: null,
      confirmation: { m: 1, n: 1 },
      others: 'none',
    },
  );
  const known = status === 'ok' || status === 'drifted' || status === 'failed' ? status : 'insufficient-data';
  return { test: AUTO, status: known, statistic, pValue, threshold, effect, reason: reason ?? null };
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

function effectOf(
  type: TwoSamples['type'],
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
): number | null {
  const pair = pairOf(type, reference, current, BINS);
  let n = 0;
  let m = 0;
  for (let i = 0; i < pair.reference.length; i++) {
    n += pair.reference[i]!;
    m += pair.current[i]!;
  }
  if (n === 0 || m === 0) return null;
  let square = 0;
  let used = 0;
  for (let i = 0; i < pair.reference.length; i++) {
    const pooled = (pair.reference[i]! + pair.current[i]!) / (n + m);
    if (pooled === 0) continue;
    used++;
    square += (pair.reference[i]! / n - pair.current[i]! / m) ** 2 / pooled;
  }
  return round12OrNull(Math.sqrt(Math.max(0, square - (used - 1) * (1 / n + 1 / m))));
}

function unknown(test: string): TwoSampleAnswer {
  const close = nearest(test, testNames());
  return failed(test, `unknown test${close === undefined ? '' : `; did you mean ${close}?`}`);
}

function failed(test: string, reason: string): TwoSampleAnswer {
  return { test, status: 'failed', statistic: null, pValue: null, threshold: null, effect: null, reason };
}
