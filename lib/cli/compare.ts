/** `mlmon compare`: two-sample tests on standard input, one JSON object a line. */
import { adjustmentNames } from '../engine/adjustments.ts';
import { testNames } from '../engine/named-tests.ts';
import { answerLines } from './answer-lines.ts';
import { type Command, EXIT } from './command.ts';
import { answer } from './compare-answer.ts';
import { readOptions } from './options.ts';

const help = `mlmon compare: two-sample tests on standard input, results on standard output

Usage: mlmon compare < questions.ndjson > answers.ndjson
       mlmon compare --list

In, one JSON object a line:
  {"id":"1","test":"ks","type":"numeric","reference":[…],"current":[…],"options":{}}
  type is numeric, categorical, or counts (of the same bins on both sides); null is missing; "NaN", "Infinity", "-Infinity" are those doubles.
  {"id":"2","test":"benjamini-yekutieli","pValues":[…]} adjusts p-values of many tests.
Out, one a line, in order:
  {"id":"1","test":"ks","status":"ok|drifted|insufficient-data|failed","statistic":…,"pValue":…,"threshold":…,"effect":…,"reason":…}
  a dialect (test@product) adds "score", the number that the product reports, and "drifted", its own decision.
A bad line is answered with its id, or its number, as failed, and the rest go on.

  --list              the names of all tests, one a line; docs/reference/tests.md tells what each is

Options of a test: alpha (0.05), threshold (of the statistic, instead of alpha; of dialects: instead of the product's), bins (10, for numbers in
tests of bins), and those of a product's own: method, alternative, equal_var, correction, lambda_, chunk_number, chunk_size.

Exit codes: 0 all lines were answered, 2 wrong use, 3 an internal failure.
`;

export const command: Command = {
  name: 'compare',
  summary: 'two-sample tests on standard input, one a line',
  help,
  async run(argv, io) {
    const options = readOptions(argv, { list: { type: 'boolean' } });
    if (options.flag('list')) io.stdout.write(`${[...testNames(), ...adjustmentNames()].join('\n')}\n`);
    else await answerLines(io, 'compare', answer);
    return EXIT.nothingFound;
  },
};
