/** `mlmon render`: writes what is generated from the sources. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { renderRunbook } from '../alerts/runbook.ts';
import { renderMetricReference } from '../contracts/metric-reference.ts';
import { monitorJsonSchema } from '../contracts/monitor.ts';
import { type Command, EXIT, wrongUse } from './command.ts';
import { readOptions } from './options.ts';

const ARTEFACTS: Readonly<Record<string, { readonly file: string; render(): string }>> = {
  runbook: { file: 'runbook.md', render: renderRunbook },
  metrics: { file: 'metrics.md', render: renderMetricReference },
  schema: { file: 'monitor.schema.json', render: () => `${JSON.stringify(monitorJsonSchema(), null, 2)}\n` },
};

const help = `mlmon render: writes generated artefacts

Usage: mlmon render runbook|metrics|schema [-o DIR]

  runbook        the runbook of all alerts, Markdown
  metrics        the reference of all metrics, Markdown
  schema         the JSON Schema of a monitor, for editors
  -o, --output   folder to write to; standard output when absent
`;

export const command: Command = {
  name: 'render',
  summary: 'writes generated artefacts',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      { output: { type: 'string', short: 'o' } },
      { least: 1, most: 1, called: 'what' },
    );
    const what = options.words[0] ?? '';
    const artefact = Object.hasOwn(ARTEFACTS, what) ? ARTEFACTS[what] : undefined;
    if (artefact === undefined)
      throw wrongUse(what, 'cannot be rendered', `expected one of ${Object.keys(ARTEFACTS).join(', ')}`);
    const output = options.text('output');
    if (output === undefined) io.stdout.write(artefact.render());
    else {
      const folder = resolve(io.cwd, output);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, artefact.file), artefact.render());
      io.stderr.write(`wrote ${join(output, artefact.file)}\n`);
    }
    return EXIT.nothingFound;
  },
};
