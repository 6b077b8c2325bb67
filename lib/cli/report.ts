/** `mlmon report`: compares two data sets. */
import { resolve } from 'node:path';
import type { Table } from '../adapters/duckdb/table.ts';
import type { TestChoice } from '../local/chosen-tests.ts';
import type { Comparison } from '../local/report.ts';
import { readBaseline } from './baseline-option.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { DATA_HELP, DATA_OPTIONS, Progress, withDuckDb, writeFindings } from './data-files.ts';
import { readMonitorFile } from './monitor-option.ts';
import { readOptions } from './options.ts';
import { refuseUnwritable, writeOutput } from './output-file.ts';
import { NO_PAINT, reportText, TERMINAL_PAINT } from './report-text.ts';
import type { Names } from './report-words.ts';

const FAIL_ON = ['drift', 'quality', 'performance', 'never'] as const;

const help = `mlmon report: compares two data sets

Usage: mlmon report --reference FILE… --current FILE… [options]

  --reference FILE    data that is as it should be, or a baseline made by \`mlmon profile\`; may be given several times
  --current FILE      data to compare with it; may be given several times
  --monitor FILE      says which columns are features, prediction, score and truth; all common columns are compared without one
  --time COLUMN       calibrates on the reference's own windows: how much it moves when nothing is wrong
  --test NAME         a test on the raw values decides instead of the calibrated verdict: any of \`mlmon compare --list\`, dialects
                      too; for all columns of its type, or for one as COLUMN=NAME; may be given several times
  --format FORMAT     text (default), json, junit or html (one page that needs nothing else)
  --json              the same as --format json
  -o, --output FILE   where to write; standard output when absent
  --fail-on WHAT      drift (default): exit with 1 when anything is found; quality: when quality or performance is; performance: when
                      performance is; never

${DATA_HELP}

Exit codes: 0 nothing found, 1 something found at or above --fail-on, 2 wrong use or bad input, 3 an internal failure.
`;

export const command: Command = {
  name: 'report',
  summary: 'compares two data sets',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      reference: { type: 'string', multiple: true, required: true },
      current: { type: 'string', multiple: true, required: true },
      monitor: { type: 'string' },
      time: { type: 'string' },
      test: { type: 'string', multiple: true },
      format: { type: 'string', values: ['text', 'json', 'junit', 'html'] },
      json: { type: 'boolean' },
      output: { type: 'string', short: 'o' },
      'fail-on': { type: 'string', values: FAIL_ON },
      ...DATA_OPTIONS,
    });
    const format = options.text('format') ?? (options.flag('json') ? 'json' : 'text');
    const tests = await testChoices(options.list('test'));
    const references = options.list('reference');
    const currents = options.list('current');
    if ([...references, ...currents].filter((file) => file === '-').length > 1)
      throw wrongUse('-', 'standard input can be one of the two sides only');
    const path = options.text('monitor');
    const monitor = path === undefined ? null : await readMonitorFile(resolve(io.cwd, path));
    await refuseUnwritable(io, options.text('output'));
    const progress = new Progress(io);
    const comparison = await withDuckDb(options, async (db) => {
      const [{ openTable }, { compareTables }] = await Promise.all([
        import('../adapters/duckdb/table.ts'),
        import('../local/report.ts'),
      ]);
      const open = (files: readonly string[]): Promise<Table> => openTable(db, { files, cwd: io.cwd, stdin: io.stdin });
      try {
        progress.at('reading');
        return await compareTables({
          reference: (await readBaseline(references, io.cwd)) ?? (await open(references)),
          current: await open(currents),
          monitor,
          time: options.text('time') ?? null,
          tests,
          // Only the page shows them, and they take longer than the verdict.
          others: format === 'html' ? 'all' : 'none',
          progress: progress.at,
        });
      } finally {
        progress.end();
      }
    });
    await write(
      comparison,
      {
        format,
        output: options.text('output'),
        names: { reference: references.join(' '), current: currents.join(' ') },
      },
      io,
    );
    return found(comparison, (options.text('fail-on') ?? 'drift') as (typeof FAIL_ON)[number])
      ? EXIT.found
      : EXIT.nothingFound;
  },
};

interface Output {
  readonly format: string;
  readonly output: string | undefined;
  readonly names: Names;
}

async function write(comparison: Comparison, { format, output, names }: Output, io: CommandIo): Promise<void> {
  const coloured = output === undefined && io.terminal && !process.env['NO_COLOR'];
  const text = await rendered(comparison, format, names, coloured);
  await writeOutput(io, output, text);
  if (format !== 'json') writeFindings(io, comparison.findings);
}

/** Renderers that are seldom asked for are loaded on demand. */
async function rendered(comparison: Comparison, format: string, names: Names, coloured: boolean): Promise<string> {
  switch (format) {
    case 'json':
      return `${JSON.stringify(comparison.report, null, 2)}\n`;
    case 'junit':
      return (await import('./report-junit.ts')).reportJunit(comparison, names);
    case 'html':
      return (await import('./report-html.ts')).reportHtml(comparison, names);
    default:
      return reportText(comparison, names, coloured ? TERMINAL_PAINT : NO_PAINT);
  }
}

/** `drift` is the least of the three: whatever is found counts. */
function found({ report, quality }: Comparison, failOn: (typeof FAIL_ON)[number]): boolean {
  const performance = report.performance?.status === 'drifted';
  const broken = quality.some(({ breach, status }) => breach && status === 'drifted');
  if (failOn === 'never') return false;
  if (failOn === 'performance') return performance;
  return failOn === 'quality' ? performance || broken : performance || broken || report.drift.drifted;
}

/** Loaded on demand: the tests are most of what a report without them does not need. */
async function testChoices(texts: readonly string[]): Promise<readonly TestChoice[]> {
  return texts.length === 0 ? [] : (await import('../local/chosen-tests.ts')).readTestChoices(texts);
}
