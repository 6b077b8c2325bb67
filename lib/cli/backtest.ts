/** `mlmon backtest`: replays history through a monitor. */
import { resolve } from 'node:path';
import type { Table } from '../adapters/duckdb/table.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { ReplayedHistory } from '../local/backtest.ts';
import { backtestText } from './backtest-text.ts';
import { readBaseline } from './baseline-option.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { DATA_HELP, DATA_OPTIONS, Progress, withDuckDb, writeFindings } from './data-files.ts';
import { readMonitorFile } from './monitor-option.ts';
import { type Options, readOptions } from './options.ts';
import { refuseUnwritable, writeOutput } from './output-file.ts';
import { plain } from './plain.ts';
import { NO_PAINT, TERMINAL_PAINT } from './report-text.ts';

const help = `mlmon backtest: replays history through a monitor

Usage: mlmon backtest --reference FILE… --data FILE… --time COLUMN [options]

Cuts the data into windows, judges each with the verdict, the budget and the M of N of the platform, and shows which alerts would have
been opened, when, and what they would have named; and how many false ones a month are to be expected.

  --reference FILE    data that is as it should be, or a baseline made by \`mlmon profile\`; may be given several times
  --data FILE         the history; may be given several times, and may be the reference itself
  --time COLUMN       when each row happened; may be left out when the monitor names it (columns.time)
  --monitor FILE      features, budget, window, scales, severities; all common columns and the defaults without one
  --window W          a duration (15m, 1h, 1d) or a number of rows (1000), instead of the monitor's; without a monitor 1d, 1h or 15m:
                      the longest that the reference has two weeks' worth of
  --format FORMAT     text (default), json, or html: one page without outside addresses
  --json              the same as --format json
  -o, --output FILE   where to write; standard output when absent
  --fail-on WHAT      never (default), or alert: exit with 1 when an alert would have been opened

${DATA_HELP}

Exit codes: 0 replayed, 1 an alert and --fail-on alert, 2 wrong use or bad input, 3 an internal failure.
`;

export const command: Command = {
  name: 'backtest',
  summary: 'replays history through a monitor',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      reference: { type: 'string', multiple: true, required: true },
      data: { type: 'string', multiple: true, required: true },
      time: { type: 'string' },
      monitor: { type: 'string' },
      window: { type: 'string' },
      format: { type: 'string', values: ['text', 'json', 'html'] },
      json: { type: 'boolean' },
      output: { type: 'string', short: 'o' },
      'fail-on': { type: 'string', values: ['never', 'alert'] },
      ...DATA_OPTIONS,
    });
    const { readWindowChoice } = await import('../local/window-choice.ts');
    const [references, histories] = [options.list('reference'), options.list('data')];
    const problems: Problem[] = [];
    if ([...references, ...histories].filter((file) => file === '-').length > 1)
      problems.push(...wrongUse('-', 'standard input can be one of the two sides only').problems);
    const asked = options.text('window');
    const choice = asked === undefined ? null : readWindowChoice(asked);
    if (choice !== null && 'code' in choice) problems.push(choice);
    const path = options.text('monitor');
    if (path === undefined && options.text('time') === undefined)
      problems.push({
        code: 'missing-option',
        path: '--time',
        message: 'is required where no monitor names the time column',
      });
    const monitor = path === undefined ? null : await collected(problems, readMonitorFile(resolve(io.cwd, path)));
    await collected(problems, refuseUnwritable(io, options.text('output')));
    if (problems.length > 0) throw new ProblemError(problems);
    const progress = new Progress(io);
    const history = await withDuckDb(options, async (db) => {
      const [{ openTable }, { backtestTables }] = await Promise.all([
        import('../adapters/duckdb/table.ts'),
        import('../local/backtest.ts'),
      ]);
      const open = (files: readonly string[]): Promise<Table> => openTable(db, { files, cwd: io.cwd, stdin: io.stdin });
      try {
        progress.at('reading');
        const reference = (await readBaseline(references, io.cwd)) ?? (await collected(problems, open(references)));
        const data = await collected(problems, open(histories));
        if (reference === null || data === null) throw new ProblemError(problems);
        return await backtestTables({
          reference,
          data,
          monitor,
          time: options.text('time') ?? null,
          window: choice === null || 'code' in choice ? null : choice,
          progress: progress.at,
        });
      } finally {
        progress.end();
      }
    });
    await write(history, options, io);
    return options.text('fail-on') === 'alert' && history.episodes.length > 0 ? EXIT.found : EXIT.nothingFound;
  },
};

/** The value, or `null` when it is a problem of the user's, which is kept to be told with the others. */
async function collected<T>(problems: Problem[], work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    problems.push(...error.problems);
    return null;
  }
}

async function write(history: ReplayedHistory, options: Options, io: CommandIo): Promise<void> {
  const output = options.text('output');
  const json = options.text('format') === 'json' || (options.text('format') === undefined && options.flag('json'));
  const [references, histories] = [options.list('reference'), options.list('data')];
  const coloured = output === undefined && io.terminal && !process.env['NO_COLOR'];
  const names = { reference: references.join(' '), data: histories.join(' ') };
  const text = json
    ? `${JSON.stringify(history.backtest, null, 2)}\n`
    : options.text('format') === 'html'
      ? (await import('./backtest-html.ts')).backtestHtml(history, names)
      : backtestText(history, names, coloured ? TERMINAL_PAINT : NO_PAINT);
  await writeOutput(io, output, text);
  const same = histories.filter((file) => references.some((other) => resolve(io.cwd, other) === resolve(io.cwd, file)));
  if (same.length > 0)
    io.stderr.write(
      `note: ${plain(same.join(' '))} is reference and data at once: the windows are judged by what was learned from them, so expect fewer alerts here than on new data\n`,
    );
  if (!json) writeFindings(io, history.findings);
}
