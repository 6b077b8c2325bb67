/** Answers a question of `mlmon measure`. */
import { type MeasureQuestion, measure } from '../engine/measure.ts';
import {
  type Answer,
  BadLineError,
  COUNT,
  categoriesOf,
  type OptionRule,
  optionsOf,
  type Question,
} from './questions.ts';

const CLASS: OptionRule = {
  expected: 'text, a number, true or false',
  is: (value) => ['string', 'number', 'boolean'].includes(typeof value),
};
const OPTIONS: Readonly<Record<string, OptionRule>> = {
  average: ['binary', 'macro', 'weighted', 'micro'],
  positive: CLASS,
  labels: {
    expected: 'an array of classes',
    is: (value) => Array.isArray(value) && value.every((one) => 'is' in CLASS && CLASS.is(one)),
  },
  k: COUNT,
  ties: ['averaged', 'ignored'],
  multiclass: ['ovr', 'ovo'],
};

export function answer(question: Question): Answer {
  const { metric } = question;
  if (typeof metric !== 'string')
    throw new BadLineError('metric: expected the name of a metric; `mlmon measure --list` has them');
  const options = optionsOf(question['options'], OPTIONS, metric.slice(0, 60)) as MeasureQuestion['options'];
  const side = (name: 'truth' | 'predicted' | 'group') =>
    question[name] === undefined || question[name] === null ? undefined : doubles(categoriesOf(question[name], name));
  return {
    ...measure({
      metric,
      truth: side('truth'),
      predicted: side('predicted'),
      group: side('group'),
      score: scoreOf(question['score']),
      options,
    }),
  };
}

const DOUBLES: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };

/** The text of doubles that JSON has no word for, where all else is numbers: categories may be called so. */
function doubles<T extends string | number | boolean | null>(values: readonly T[]): readonly (T | number)[] {
  const isNumeric = values.every(
    (value) => typeof value === 'number' || value === null || (typeof value === 'string' && value in DOUBLES),
  );
  return isNumeric ? values.map((value) => (typeof value === 'string' ? (DOUBLES[value] ?? value) : value)) : values;
}

function scoreOf(value: unknown): MeasureQuestion['score'] {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw new BadLineError('score: expected an array');
  return (value as unknown[]).map((one, i) => {
    if (one === null || typeof one === 'number') return one;
    if (typeof one === 'string' && one in DOUBLES) return DOUBLES[one]!;
    if (Array.isArray(one) && one.every((p) => typeof p === 'number')) return one as number[];
    throw new BadLineError(`score[${i}]: expected a number, null, or an array of numbers`);
  });
}
