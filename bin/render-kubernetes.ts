/** `mlmon render kubernetes`: the command line knows no charts, so that it needs no cdk8s; here both meet. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, EXIT, wrongUse } from '../lib/cli/command.ts';
import { readOptions } from '../lib/cli/options.ts';
import { writeOutput } from '../lib/cli/output-file.ts';

const help = `mlmon render kubernetes: writes the objects of a cluster as YAML

Usage: mlmon render kubernetes FILE [-o DIR]

  FILE           log, store and monitors: environments/kubernetes/example.yaml shows all of it
  -o, --output   folder to write to; standard output when absent

Apply them with \`kubectl apply --server-side -f DIR\`.
`;

export const command: Command = {
  name: 'render kubernetes',
  summary: 'writes the objects of a cluster as YAML',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      { output: { type: 'string', short: 'o' } },
      { least: 1, most: 1, called: 'FILE' },
    );
    const { readSettings, renderChart, PASSING_FILES } = await charts();
    const files = renderChart(readSettings(options.words[0] ?? ''));
    const output = options.text('output');
    if (output === undefined) io.stdout.write([...files.values()].join('---\n'));
    else {
      for (const [file, text] of files) {
        await writeOutput(io, join(output, file), text);
        io.stderr.write(`wrote ${join(output, file)}\n`);
      }
      // `kubectl apply -f DIR` would go on applying them.
      for (const file of PASSING_FILES)
        if (!files.has(file) && existsSync(join(output, file)))
          io.stderr.write(
            `${join(output, file)} is of an earlier time and not part of this: delete its objects by \`kubectl delete -f\`, then the file\n`,
          );
    }
    return EXIT.nothingFound;
  },
};

interface Charts {
  readonly readSettings: typeof import('../lib/kubernetes/read-settings.ts').readSettings;
  readonly renderChart: typeof import('../lib/kubernetes/render.ts').renderChart;
  readonly PASSING_FILES: readonly string[];
}

/** cdk8s is an optional peer: whoever renders no charts need not have it. */
async function charts(): Promise<Charts> {
  try {
    const [{ readSettings }, { renderChart, PASSING_FILES }] = await Promise.all([
      import('../lib/kubernetes/read-settings.ts'),
      import('../lib/kubernetes/render.ts'),
    ]);
    return { readSettings, renderChart, PASSING_FILES };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw wrongUse('cdk8s', 'cannot be loaded', 'npm install cdk8s cdk8s-plus-28 constructs');
  }
}
