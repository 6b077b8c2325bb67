/** `mlmon init`: writes a commented monitor inferred from data. */
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Monitor } from '../contracts/monitor.ts';
import { type Command, EXIT } from './command.ts';
import { DATA_HELP, DATA_OPTIONS, Progress, withDuckDb, writeFindings } from './data-files.ts';
import { readOptions } from './options.ts';
import { refuseUnwritable, writeOutput } from './output-file.ts';

const ROLES = [
  'id',
  'time',
  'prediction',
  'score',
  'truth',
  'latency',
  'weight',
  'version',
] as const satisfies readonly (keyof Monitor['columns'])[];

const help = `mlmon init: writes a commented monitor inferred from data

Usage: mlmon init --reference FILE --model NAME [-o monitor.yaml] [--time C] [--prediction C] [--score C] [--truth C] …

  --reference FILE    data as it should be; becomes the baseline
  --model NAME        lower-case letters, digits and inner hyphens
  -o, --output FILE   where to write; standard output when absent. An existing file is kept unless --force
${ROLES.map((role) => `  --${role} COLUMN`).join('\n')}
                      which column is what; guessed from its name when absent

Next: look at the file, then \`mlmon serve --monitors FILE\`.

${DATA_HELP}
`;

export const command: Command = {
  name: 'init',
  summary: 'writes a commented monitor inferred from data',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      reference: { type: 'string', required: true },
      model: { type: 'string', required: true },
      output: { type: 'string', short: 'o' },
      force: { type: 'boolean' },
      ...Object.fromEntries(ROLES.map((role) => [role, { type: 'string' as const }])),
      ...DATA_OPTIONS,
    });
    const reference = options.required('reference');
    const output = options.text('output');
    const folder = output === undefined ? io.cwd : dirname(resolve(io.cwd, output));
    const keep = !options.flag('force');
    await refuseUnwritable(io, output, keep);
    const progress = new Progress(io);
    const { yaml, findings } = await withDuckDb(options, async (db) => {
      const [{ openTable }, { inferMonitor }] = await Promise.all([
        import('../adapters/duckdb/table.ts'),
        import('../local/infer-monitor.ts'),
      ]);
      try {
        progress.at('reading');
        return await inferMonitor({
          table: await openTable(db, { files: [reference], cwd: io.cwd, stdin: io.stdin }),
          model: options.required('model'),
          named: Object.fromEntries(
            ROLES.flatMap((role) => {
              const column = options.text(role);
              return column === undefined ? [] : [[role, column]];
            }),
          ),
          baselineFrom: baselinePath(reference, folder, io.cwd),
        });
      } finally {
        progress.end();
      }
    });
    await writeOutput(io, output, yaml, keep);
    if (output !== undefined) io.stderr.write(`${output}: written; next: mlmon serve --monitors ${output}\n`);
    writeFindings(io, findings);
    return EXIT.nothingFound;
  },
};

/** The reference as seen from the monitor's folder; one file can be a baseline, a glob or standard input must be profiled first. */
function baselinePath(reference: string, folder: string, cwd: string): string {
  if (reference === '-' || /[*?[]/.test(reference)) return 'baseline.json';
  const path = isAbsolute(reference) ? reference : resolve(cwd, reference);
  const near = relative(folder, path);
  return near.startsWith('..') && near.split('..').length > 4 ? path : near.startsWith('.') ? near : join('.', near);
}
