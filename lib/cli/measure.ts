/** `mlmon measure`: metrics on standard input, one JSON object a line. */
import { metricNames } from '../engine/measure.ts';
import { answerLines } from './answer-lines.ts';
import { type Command, EXIT } from './command.ts';
import { answer } from './measure-answer.ts';
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

Options of a metric: average (binary, macro, weighted, micro), positive (the positive class), labels, k and ties (ndcg, dcg).
Definitions are scikit-learn's; a share of nothing is 0, a difference between groups of which one has no such rows is undefined.

Exit codes: 0 all lines were answered, 2 wrong use, 3 an internal failure.
`;

export const command: Command = {
  name: 'measure',
  summary: 'metrics on standard input, one a line',
  help,
  async run(argv, io) {
    const options = readOptions(argv, { list: { type: 'boolean' } });
    if (options.flag('list')) io.stdout.write(`${metricNames().join('\n')}\n`);
    else await answerLines(io, 'measure', answer);
    return EXIT.nothingFound;
  },
};
