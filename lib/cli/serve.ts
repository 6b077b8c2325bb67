/** `mlmon serve`: the platform on one machine for the user's own models, until stopped. */
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { durationMs, isDuration } from '../contracts/duration.ts';
import { noun } from '../contracts/noun.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { readBaselineFile } from '../local/baseline-file.ts';
import { DEFAULT_DATA, DEFAULT_HOST, DEFAULT_PORT } from '../local/defaults.ts';
import { refuseDemonstration } from '../local/demonstration-folder.ts';
import { type MonitorFile, readMonitorFiles } from '../local/monitor-file.ts';
import { type Platform, startPlatform } from '../local/platform.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { type Options, readOptions, wholeNumber } from './options.ts';
import { plain } from './plain.ts';

const help = `mlmon serve: the platform on one machine for your own models, until stopped

Usage:
  mlmon serve --monitors DIR|FILE [--data DIR] [--port N] [--channels FILE] [--host ADDRESS --token-file FILE]
  mlmon serve --store s3://bucket [--port N] [--host ADDRESS --token-file FILE]

  --store ADDRESS   the page, for reading alone, on the objects of a platform deployed on AWS; credentials and region are
                    those of the AWS command line
  --monitors DIR    monitors (*.yaml, *.json) that are published at the start; \`baseline.from\` in each names its baseline,
                    a file made by \`mlmon profile\`, or a data file
  --data DIR        where everything is kept; default ${DEFAULT_DATA}
  --port N          default ${DEFAULT_PORT}; 0 for any that is free
  --keep-events D   how long captured events are kept, e.g. 400d; labels must arrive within it; default for ever
  --channels FILE   channels besides the inbox
  --host ADDRESS    default ${DEFAULT_HOST}: only this machine. Any other address needs --token-file
  --name HOST       name under which it is reached besides, for example that of a proxy; may be given several times
  --token-file FILE tokens, one a line: name scope,scope token (scopes: events:write, labels:write, read, admin)
`;

const BY = 'mlmon serve';

export const command: Command = {
  name: 'serve',
  summary: 'the platform on one machine for your own models',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      monitors: { type: 'string' },
      store: { type: 'string' },
      data: { type: 'string' },
      port: { type: 'string' },
      channels: { type: 'string' },
      'keep-events': { type: 'string' },
      host: { type: 'string' },
      name: { type: 'string', multiple: true },
      'token-file': { type: 'string' },
    });
    const path = (name: string): string | undefined => {
      const value = options.text(name);
      return value === undefined ? undefined : resolve(io.cwd, value);
    };
    const address = options.text('store');
    if (address !== undefined) return serveStore(address, options, io);
    if (options.text('monitors') === undefined)
      throw wrongUse('--monitors', 'is required', 'or --store s3://bucket for a platform on AWS');
    const folder = path('data') ?? join(io.cwd, DEFAULT_DATA);
    const keepEvents = options.text('keep-events');
    if (keepEvents !== undefined && !isDuration(keepEvents))
      throw wrongUse('--keep-events', 'is not a duration', 'a whole number and a unit: 400d');
    // What is wrong with the monitors is said before anything is started.
    const files = await readMonitorFiles(path('monitors') ?? '');
    if (files.length === 0)
      throw wrongUse(options.required('monitors'), 'holds no monitor', 'write one with `mlmon init`');
    await checkBaselines(files);
    await refuseDemonstration(folder);
    const platform = await startPlatform({
      folder,
      host: options.text('host'),
      port: wholeNumber(options.text('port') ?? String(DEFAULT_PORT), '--port', 0, 65_535),
      names: options.list('name'),
      tokenFile: path('token-file') ?? process.env['MLMON_TOKEN_FILE'],
      channelsFile: path('channels'),
      ...(keepEvents === undefined ? {} : { keepEventsMs: durationMs(keepEvents) }),
      onFailure: (what, error) =>
        io.stderr.write(`${what}: ${plain(error instanceof Error ? error.message : String(error))}\n`),
    });
    try {
      for (const file of files) io.stdout.write(`${plain(await publish(platform, file))}\n`);
      io.stdout.write(`open ${platform.url}/ — events to ${platform.url}/v1/events; Ctrl-C stops\n`);
      if (!io.signal.aborted) await once(io.signal, 'abort');
    } finally {
      io.stderr.write('\nstopping …\n');
      await platform.stop();
    }
    return EXIT.nothingFound;
  },
};

/** Reads a deployed platform; events go to its own collector or stream. */
async function serveStore(address: string, options: Options, io: CommandIo): Promise<number> {
  for (const name of ['monitors', 'data', 'channels', 'keep-events'])
    if (options.text(name) !== undefined)
      throw wrongUse(`--${name}`, 'has no meaning with --store', 'the platform on AWS has its own');
  const [{ serveDeployed }, { openStore }, { tokensFor }] = await Promise.all([
    import('../local/deployed-platform.ts'),
    import('../local/deployed-store.ts'),
    import('../local/server/tokens.ts'),
  ]);
  const host = options.text('host') ?? DEFAULT_HOST;
  const file = options.text('token-file');
  const server = await serveDeployed({
    store: await openStore(address),
    host,
    port: wholeNumber(options.text('port') ?? String(DEFAULT_PORT), '--port', 0, 65_535),
    names: options.list('name'),
    tokens: await tokensFor(host, file === undefined ? process.env['MLMON_TOKEN_FILE'] : resolve(io.cwd, file)),
    serves: 'page',
    onFailure: (what, error) =>
      io.stderr.write(`${what}: ${plain(error instanceof Error ? error.message : String(error))}\n`),
  });
  try {
    io.stdout.write(`open ${server.url}/ — reading ${plain(address)}; Ctrl-C stops\n`);
    if (!io.signal.aborted) await once(io.signal, 'abort');
  } finally {
    await server.stop();
  }
  return EXIT.nothingFound;
}

/** Publishes what is new; what is published already stays as it is. */
async function publish({ actions, db }: Platform, { file, monitor, baselineFile }: MonitorFile): Promise<string> {
  let told = 'no baseline yet';
  if (baselineFile !== null) {
    const baseline = await readBaselineFile(db, baselineFile, monitor);
    const version = baseline.version ?? '1';
    const published = await actions.publishBaseline(monitor.model, {
      baseline,
      version,
      approve: true,
      by: BY,
      monitor,
    });
    told = `baseline ${published.n} of version ${version}, ${baseline.rows.toLocaleString('en')} ${noun(baseline.rows, 'row')}`;
  }
  const { n, effectiveFrom } = await actions.applyMonitor(monitor.model, monitor, BY);
  const from = Date.parse(effectiveFrom) <= 0 ? 'the beginning' : effectiveFrom;
  return `${monitor.model}: monitor ${n} from ${file}, in force from ${from}; ${told}`;
}

/** Said before anything is started, all of it at once. */
async function checkBaselines(files: readonly MonitorFile[]): Promise<void> {
  const problems: Problem[] = [];
  for (const { file, baselineFile } of files) {
    if (baselineFile === null || /[*?[]/.test(baselineFile)) continue;
    await access(baselineFile, constants.R_OK).catch((error: NodeJS.ErrnoException) =>
      problems.push({
        code: 'file',
        path: `${file}: baseline.from`,
        message: 'cannot be read',
        got: `${baselineFile} (${error.code})`,
        fix: 'make it with `mlmon profile`, or mend baseline.from',
      }),
    );
  }
  if (problems.length > 0) throw new ProblemError(problems);
}
