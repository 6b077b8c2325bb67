/** `mlmon monitor`: publishes, lists and removes the monitors of a running platform. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ModelsAnswer } from '../contracts/api.ts';
import type { PublishedMonitor } from '../contracts/monitor.ts';
import { readMonitorFiles } from '../local/monitor-file.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { type Options, readOptions } from './options.ts';
import { plain } from './plain.ts';
import { decider, PLATFORM_HELP, PLATFORM_OPTIONS, PlatformClient } from './platform-client.ts';

const help = `mlmon monitor: publishes, lists and removes monitors

Usage:
  mlmon monitor apply FILE|DIR [--baseline baseline.json] [--version V] [--by NAME]
  mlmon monitor list
  mlmon monitor remove MODEL [--by NAME]

  apply checks as \`mlmon validate\` does; it takes effect at the next boundary of a window. A baseline made by
  \`mlmon profile\` may come along; \`baseline.from\` of the monitor names one too.

${PLATFORM_HELP}
`;

type Action = (options: Options, client: PlatformClient, io: CommandIo) => Promise<number>;

const apply: Action = async (options, client, io) => {
  const path = options.words[1];
  if (path === undefined) throw wrongUse('FILE', 'is missing');
  const files = await readMonitorFiles(resolve(io.cwd, path));
  const given = options.text('baseline');
  if (given !== undefined && files.length > 1)
    throw wrongUse('--baseline', 'fits one monitor only', 'name the baselines in the monitors: baseline.from');
  for (const { monitor, baselineFile } of files) {
    const file = given === undefined ? baselineFile : resolve(io.cwd, given);
    if (file !== null) {
      const baseline = JSON.parse(await readFile(file, 'utf8')) as { schema?: string; version?: string | null };
      if (baseline.schema !== 'mlmon.baseline/v1')
        throw wrongUse(
          file,
          'is not a baseline',
          `make one with \`mlmon profile ${file} --monitor ${path} -o baseline.json\``,
        );
      const version = options.text('version') ?? baseline.version ?? '1';
      await client.send('POST', `/api/models/${monitor.model}/baselines`, {
        baseline,
        version,
        approve: true,
        monitor,
        by: decider(options),
      });
    }
    const published = await client.send<PublishedMonitor>('PUT', `/api/monitors/${monitor.model}`, {
      monitor,
      by: decider(options),
    });
    io.stdout.write(
      options.flag('json')
        ? `${JSON.stringify(published)}\n`
        : `${monitor.model}: number ${published.n}, in force from ${published.effectiveFrom}\n`,
    );
  }
  return EXIT.nothingFound;
};

const list: Action = async (options, client, io) => {
  const answer = await client.get<ModelsAnswer>('/api/models');
  if (options.flag('json')) io.stdout.write(`${JSON.stringify(answer.models, null, 2)}\n`);
  else if (answer.models.length === 0) io.stdout.write('no monitors\n');
  else
    for (const { model, owner, task, state, removed } of answer.models)
      io.stdout.write(`${plain(`${model}  ${owner}  ${task}  ${removed ? 'removed' : state}`)}\n`);
  return EXIT.nothingFound;
};

const remove: Action = async (options, client, io) => {
  const model = options.words[1];
  if (model === undefined) throw wrongUse('MODEL', 'is missing', '`mlmon monitor list` shows them');
  const published = await client.send<PublishedMonitor>('DELETE', `/api/monitors/${encodeURIComponent(model)}`, {
    by: decider(options),
  });
  io.stdout.write(
    options.flag('json') ? `${JSON.stringify(published)}\n` : `${model}: ends at ${published.effectiveFrom}\n`,
  );
  return EXIT.nothingFound;
};

const ACTIONS: Readonly<Record<string, Action>> = { apply, list, remove };

export const command: Command = {
  name: 'monitor',
  summary: 'publishes, lists and removes monitors',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      { ...PLATFORM_OPTIONS, baseline: { type: 'string' }, version: { type: 'string' }, by: { type: 'string' } },
      { least: 1, most: 2, called: 'action' },
    );
    const action = Object.hasOwn(ACTIONS, options.words[0] ?? '') ? ACTIONS[options.words[0] ?? ''] : undefined;
    if (action === undefined)
      throw wrongUse(options.words[0] ?? '', 'is no action', `one of ${Object.keys(ACTIONS).join(', ')}`);
    return PlatformClient.using(options, (client) => action(options, client, io));
  },
};
