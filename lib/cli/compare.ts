/** `mlmon compare`: two-sample tests on standard input, one JSON object a line. */
import { compareSamples, type TwoSampleOptions, testNames } from '../engine/two-sample.ts';
import { type Answer, answerLines, BadLineError, categoriesOf, numbersOf } from './answer-lines.ts';
import { type Command, EXIT } from './command.ts';
import { readOptions } from './options.ts';

const help = `mlmon compare: two-sample tests on standard input, results on standard output

Usage: mlmon compare < questions.ndjson > answers.ndjson
       mlmon compare --list

In, one JSON object a line:
  {"id":"1","test":"ks","type":"numeric","reference":[…],"current":[…],"options":{}}
  type is numeric or categorical; null is missing; "NaN", "Infinity", "-Infinity" are those doubles.
Out, one a line, in order:
  {"id":"1","test":"ks","status":"ok|drifted|insufficient-data|failed","statistic":…,"pValue":…,"threshold":…,"effect":…,"reason":…}
  a dialect (test@product) adds "score", the number that the product reports, and "drifted", its own decision.
A bad line is answered with its id, or its number, as failed, and the rest go on.

  --list              the names of all tests, one a line; docs/reference/tests.md tells what each is

Options of a test: alpha (0.05), bins (10, for numbers in tests of bins), threshold, and those of a product's own:
method, alternative, equal_var, correction, lambda_, chunkNumber, chunkSize.

Exit codes: 0 all lines were answered, 2 wrong use, 3 an internal failure.
`;

export const command: Command = {
  name: 'compare',
  summary: 'two-sample tests on standard input, one a line',
  help,
  async run(argv, io) {
    const options = readOptions(argv, { list: { type: 'boolean' } });
    if (options.flag('list')) io.stdout.write(`${testNames().join('\n')}\n`);
    else await answerLines(io, compared);
    return EXIT.nothingFound;
  },
};

function compared(question: Readonly<Record<string, unknown>>): Answer {
  const { test, type, reference, current, options } = question;
  if (typeof test !== 'string')
    throw new BadLineError('test: expected the name of a test; `mlmon compare --list` has them');
  if (type !== 'numeric' && type !== 'categorical') throw new BadLineError('type: expected numeric or categorical');
  if (options !== undefined && options !== null && (typeof options !== 'object' || Array.isArray(options)))
    throw new BadLineError('options: expected an object');
  const side = type === 'numeric' ? numbersOf : categoriesOf;
  return {
    ...compareSamples({
      test,
      type,
      reference: side(reference, 'reference'),
      current: side(current, 'current'),
      options: (options ?? {}) as TwoSampleOptions,
    }),
  };
}
