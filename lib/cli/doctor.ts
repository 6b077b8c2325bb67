/** `mlmon doctor`: checks an installation and names what is wrong and how to mend it. */
import { access, constants, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { MemoryStore } from '../adapters/memory/memory-store.ts';
import type { ModelsAnswer } from '../contracts/api.ts';
import type { LearningView } from '../contracts/learning.ts';
import { formatProblem, ProblemError } from '../contracts/problem.ts';
import { readChannels } from '../local/channels.ts';
import { makeDataFolder } from '../local/data-folder.ts';
import { DEFAULT_DATA, DEFAULT_HOST, DEFAULT_PORT } from '../local/defaults.ts';
import { readMonitorFiles } from '../local/monitor-file.ts';
import { type Command, EXIT } from './command.ts';
import { readOptions, wholeNumber } from './options.ts';

const help = `mlmon doctor: checks an installation

Usage: mlmon doctor [--data DIR] [--monitors DIR] [--channels FILE] [--port N] [--json]

Checks Node.js, DuckDB, the data folder and its free space, the port, the monitors and the channels, and of a platform that
runs at the port the baselines that are being learned, and says for each finding what to do.

  --data DIR        default ${DEFAULT_DATA}
  --monitors DIR    monitors to check
  --channels FILE   channels to check; nothing is sent (that is \`mlmon alert test\`)
  --port N          default ${DEFAULT_PORT}

Exit code 0 when all is well, 1 otherwise.
`;

interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** What was found, and what to do. */
  readonly detail: string;
}

/** Below this a running log would soon be full. */
const LEAST_FREE_BYTES = 1_000_000_000;

export const command: Command = {
  name: 'doctor',
  summary: 'checks an installation and says how to mend it',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      data: { type: 'string' },
      monitors: { type: 'string' },
      channels: { type: 'string' },
      port: { type: 'string' },
      json: { type: 'boolean' },
    });
    const port = wholeNumber(options.text('port') ?? String(DEFAULT_PORT), '--port', 1, 65_535);
    const [monitors, channels] = [options.text('monitors'), options.text('channels')];
    const checks = [
      node(),
      await duckdb(),
      await folder(resolve(io.cwd, options.text('data') ?? DEFAULT_DATA)),
      await portFree(port),
      ...(await learningOf(port)),
      ...(monitors === undefined ? [] : [await monitorsOf(resolve(io.cwd, monitors))]),
      ...(channels === undefined ? [] : [await channelsOf(resolve(io.cwd, channels))]),
    ];
    if (options.flag('json')) io.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
    else
      for (const { what, ok, detail } of checks) io.stdout.write(`${ok ? 'ok     ' : 'wrong  '} ${what}: ${detail}\n`);
    return checks.every(({ ok }) => ok) ? EXIT.nothingFound : EXIT.found;
  },
};

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 12);
  return {
    what: 'Node.js',
    ok,
    detail: ok ? process.versions.node : `${process.versions.node} is too old; install 20.12 or newer`,
  };
}

async function duckdb(): Promise<Check> {
  try {
    const { DuckDBInstance, version } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run('SELECT 1');
    connection.closeSync();
    return { what: 'DuckDB', ok: true, detail: version() };
  } catch (error) {
    return {
      what: 'DuckDB',
      ok: false,
      detail: `does not load (${reason(error)}); install it: npm install @duckdb/node-api; capture, labels and reports need it`,
    };
  }
}

async function folder(path: string): Promise<Check> {
  const what = `data folder ${path}`;
  const probe = join(path, `.doctor-${process.pid}`);
  try {
    await makeDataFolder(path);
    await writeFile(probe, 'x');
    await rm(probe);
    const { bavail, bsize } = await statfs(path);
    const free = bavail * bsize;
    const gigabytes = `${(free / 1e9).toFixed(1)} GB free`;
    return {
      what,
      ok: free >= LEAST_FREE_BYTES,
      detail:
        free >= LEAST_FREE_BYTES
          ? `writable, ${gigabytes}`
          : `only ${gigabytes}; make room or choose another with --data`,
    };
  } catch (error) {
    return {
      what,
      ok: false,
      detail: `cannot be written (${reason(error)}); mend its permissions or choose another with --data`,
    };
  }
}

async function portFree(port: number): Promise<Check> {
  const what = `port ${port}`;
  const running = await fetch(`http://${DEFAULT_HOST}:${port}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
    async (answer) => ((await answer.text()).length < 10_000 ? answer.status : null),
    () => null,
  );
  if (running === 200) return { what, ok: true, detail: 'a platform is running there' };
  return new Promise((done) => {
    const server = createServer();
    server.once('error', (error) =>
      done({ what, ok: false, detail: `is taken by something else (${reason(error)}); choose another with --port` }),
    );
    server.listen(port, DEFAULT_HOST, () => server.close(() => done({ what, ok: true, detail: 'free' })));
  });
}

/** Of a platform that runs there: models whose baseline is being learned, and why it takes longer than asked. */
async function learningOf(port: number): Promise<Check[]> {
  try {
    const answer = await fetch(`http://${DEFAULT_HOST}:${port}/api/models`, { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) return [];
    const { models } = (await answer.json()) as ModelsAnswer;
    return models.flatMap(({ model, learning }) => (learning === undefined ? [] : [learningCheck(model, learning)]));
  } catch {
    // None is running, or something else is: the check of the port says so.
    return [];
  }
}

function learningCheck(model: string, { from, due, progress, held }: LearningView): Check {
  const what = `baseline of ${model}`;
  if (held !== null)
    return {
      what,
      ok: false,
      detail: `${held}; let more events come, ask for fewer with window.minimumRows, or make the baseline of data with \`mlmon profile\``,
    };
  return {
    what,
    ok: true,
    detail:
      from === null
        ? 'is learned from the first event on'
        : `is being learned, ${Math.floor(100 * progress)} %, until ${due}`,
  };
}

async function monitorsOf(path: string): Promise<Check> {
  try {
    const files = await readMonitorFiles(path);
    const missing: string[] = [];
    for (const { monitor, baselineFile } of files)
      if (baselineFile !== null)
        await access(baselineFile, constants.R_OK).catch(() =>
          missing.push(
            `${monitor.model}: baseline.from ${baselineFile} cannot be read; make it with \`mlmon profile\``,
          ),
        );
    const models = files.map(({ monitor }) => monitor.model).join(', ');
    if (missing.length > 0) return { what: 'monitors', ok: false, detail: missing.join('; ') };
    return {
      what: 'monitors',
      ok: files.length > 0,
      detail: files.length > 0 ? models : `none in ${path}; write one with \`mlmon init\``,
    };
  } catch (error) {
    return { what: 'monitors', ok: false, detail: reason(error) };
  }
}

async function channelsOf(path: string): Promise<Check> {
  try {
    const channels = await readChannels(path, new MemoryStore());
    return { what: 'channels', ok: true, detail: channels.map(({ name }) => name).join(', ') };
  } catch (error) {
    return { what: 'channels', ok: false, detail: reason(error) };
  }
}

function reason(error: unknown): string {
  if (error instanceof ProblemError) return error.problems.map(formatProblem).join('; ');
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}
