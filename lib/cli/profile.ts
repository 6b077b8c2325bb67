/** `mlmon profile`: makes a baseline from data. */
import { resolve } from 'node:path';
import type { Baseline } from '../contracts/baseline.ts';
import { noun } from '../contracts/noun.ts';
import { type Command, EXIT, wrongUse } from './command.ts';
import { DATA_HELP, DATA_OPTIONS, Progress, withDuckDb, writeFindings } from './data-files.ts';
import { readMonitorFile } from './monitor-option.ts';
import { readOptions } from './options.ts';
import { refuseUnwritable, writeOutput } from './output-file.ts';
import { plain } from './plain.ts';
import { profileSql, SQL_USAGE } from './profile-sql.ts';

const help = `mlmon profile: makes a baseline from reference data

Usage:
  mlmon profile FILE… --monitor monitor.yaml [-o baseline.json] [--model-version V]
  mlmon profile --counts FILE… --monitor monitor.yaml [-o baseline.json] [--model-version V]
  ${SQL_USAGE}

  -o, --output FILE   where to write the baseline; standard output when absent
  --monitor FILE      the monitor; its columns say which column is the time, the truth, the prediction
  --model-version V   version of the model that made the predictions
  --json              only JSON on standard output, no summary
  --counts FILE       results of the statements of \`profile sql\`, instead of data; may be given several times

  sql prints what makes the same baseline where the rows lie, in a warehouse: first one statement, then, with its result as --counts,
  the one that counts by window. --table is a name or a query in parentheses.

With a time column (columns.time) verdicts are calibrated on the reference's own windows; without one rows are taken as independent.

${DATA_HELP}
`;

export const command: Command = {
  name: 'profile',
  summary: 'makes a baseline from data',
  help,
  async run(argv, io) {
    if (argv[0] === 'sql') return profileSql(argv.slice(1), io);
    const options = readOptions(
      argv,
      {
        monitor: { type: 'string', required: true },
        output: { type: 'string', short: 'o' },
        'model-version': { type: 'string' },
        json: { type: 'boolean' },
        counts: { type: 'string', multiple: true },
        ...DATA_OPTIONS,
      },
      { least: argv.some((word) => /^--counts(?:=|$)/.test(word)) ? 0 : 1, most: 10_000, called: 'FILE' },
    );
    const monitor = await readMonitorFile(resolve(io.cwd, options.required('monitor')));
    const counts = options.list('counts');
    if (counts.length > 0 && options.words.length > 0)
      throw wrongUse('--counts', 'stands instead of data files', 'name each file of counts with --counts');
    const output = options.text('output');
    await refuseUnwritable(io, output);
    const progress = new Progress(io);
    const baseline = await withDuckDb(options, async (db) => {
      const [{ openTable }, { baselineFromTable }, { baselineFromCounts }] = await Promise.all([
        import('../adapters/duckdb/table.ts'),
        import('../local/baseline-from-table.ts'),
        import('../local/baseline-from-counts.ts'),
      ]);
      try {
        progress.at('reading');
        const files = counts.length > 0 ? counts : options.words;
        const table = await openTable(db, { files, cwd: io.cwd, stdin: io.stdin });
        const version = options.text('model-version') ?? null;
        if (counts.length > 0) return await baselineFromCounts({ table, monitor, version });
        return await baselineFromTable({
          table,
          monitor,
          version,
          progress: progress.at,
        });
      } finally {
        progress.end();
      }
    });
    const text = `${JSON.stringify(baseline)}\n`;
    await writeOutput(io, output, text);
    if (!options.flag('json')) {
      io.stderr.write(summary(baseline, output));
      writeFindings(io, baseline.findings);
    }
    return EXIT.nothingFound;
  },
};

function summary(baseline: Baseline, output: string | undefined): string {
  const lines = [
    `${output ?? 'baseline'}: ${baseline.rows.toLocaleString('en')} ${noun(baseline.rows, 'row')} of ${plain(baseline.source.name)}, ${baseline.columns.length} ${noun(baseline.columns.length, 'column')}`,
  ];
  if (baseline.window === null)
    lines.push('no time column: rows are taken as independent, verdicts are not calibrated');
  else {
    const { every, timezone, count } = baseline.window;
    lines.push(
      `${count} ${noun(count, 'window')} of ${every} (${timezone}), ${baseline.source.from} to ${baseline.source.to}`,
    );
    const provisional = baseline.columns
      .filter(({ calibration }) => calibration?.provisional)
      .map(({ name }) => plain(name));
    if (provisional.length > 0)
      lines.push(`provisional for want of windows (14 effective ones are needed): ${provisional.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}
