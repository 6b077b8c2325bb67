/** `mlmon measure`: metrics on standard input, one JSON object a line. */
import { type MeasureQuestion, measure, metricNames } from '../engine/measure.ts';
import { type Answer, answerLines, BadLineError, categoriesOf } from './answer-lines.ts';
import { type Command, EXIT } from './command.ts';
import { readOptions } from './options.ts';

const help = `mlmon measure: performance, ranking and fairness metrics on standard input, results on standard output

Usage: mlmon measure < questions.ndjson > answers.ndjson
       mlmon measure --list

In, one JSON object a line, with the arrays that the metric reads:
  {"id":"1","metric":"roc-auc","truth":[…],"score":[…],"predicted":[…],"group":[…],"options":{}}
  null is missing: such rows are left out. For several classes score has an array a row, in the order of options.labels.
Out, one a line, in order:
  {"id":"1","metric":"roc-auc","status":"ok|failed","value":…,"interval":[…,…]|null,"reason":…}
A bad line is answered with its id, or its number, as failed, and the rest go on.

  --list              the names of all metrics, one a line

Options of a metric: average (binary, macro, weighted, micro), positive (the positive class), labels, k and ties (ndcg).
Definitions are scikit-learn's; a share of nothing is 0, a difference between groups of which one has no such rows is undefined.

Exit codes: 0 all lines were answered, 2 wrong use, 3 an internal failure.
`;

const AVERAGES = ['binary', 'macro', 'weighted', 'micro'];

export const command: Command = {
  name: 'measure',
  summary: 'metrics on standard input, one a line',
  help,
  async run(argv, io) {
    const options = readOptions(argv, { list: { type: 'boolean' } });
    if (options.flag('list')) io.stdout.write(`${metricNames().join('\n')}\n`);
    else await answerLines(io, measured);
    return EXIT.nothingFound;
  },
};

function measured(question: Readonly<Record<string, unknown>>): Answer {
  const { metric, options } = question;
  if (typeof metric !== 'string')
    throw new BadLineError('metric: expected the name of a metric; `mlmon measure --list` has them');
  if (options !== undefined && options !== null && (typeof options !== 'object' || Array.isArray(options)))
    throw new BadLineError('options: expected an object');
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  if (given['average'] !== undefined && !AVERAGES.includes(String(given['average'])))
    throw new BadLineError(`options.average: expected ${AVERAGES.join(', ')}`);
  if (given['labels'] !== undefined && !Array.isArray(given['labels']))
    throw new BadLineError('options.labels: expected an array of classes');
  const side = (name: 'truth' | 'predicted' | 'group') =>
    question[name] === undefined || question[name] === null ? undefined : doubles(categoriesOf(question[name], name));
  return {
    ...measure({
      metric,
      truth: side('truth'),
      predicted: side('predicted'),
      group: side('group'),
      score: scoreOf(question['score']),
      options: given as MeasureQuestion['options'],
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
