/**
 * Two-sample tests by name, on raw samples, the verdict of a report (`auto`) among them. Rows are taken as independent. Never throws for data.
 */
import { EFFECTS } from '../contracts/monitor.ts';
import type { CategoryValue } from '../stats/dialects/answer.ts';
import { reportLevelOf } from './budget.ts';
import { judgeColumn } from './column-verdict.ts';
import { AUTO, compareByName, type TwoSampleAnswer, type TwoSampleOptions, type TwoSamples } from './named-tests.ts';
import { categoricalColumnOf, countsOfSample, numericColumnOf } from './sample-columns.ts';
import { LEAST_ROWS } from './score-judge.ts';

export {
  type TwoSampleAnswer,
  type TwoSampleOptions,
  type TwoSamples,
  testNames,
  testTypes,
} from './named-tests.ts';

export function compareSamples(samples: TwoSamples): TwoSampleAnswer {
  const { test, type, reference, current, options = {} } = samples;
  return test === AUTO ? verdictOf(type, reference, current, options) : compareByName(samples);
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
