/** `mlmon start`: the platform on one machine with the demonstration, until stopped. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openTable } from '../adapters/duckdb/table.ts';
import type { Demonstration } from '../contracts/api.ts';
import { ProblemError } from '../contracts/problem.ts';
import { baselineFromTable } from '../local/baseline-from-table.ts';
import { DEFAULT_DATA, DEFAULT_PORT, DEMONSTRATION_PACE } from '../local/defaults.ts';
import { demonstrate, describeProducer } from '../local/demonstration.ts';
import { markFolder, resetFolder } from '../local/demonstration-folder.ts';
import { startPlatform } from '../local/platform.ts';
import { publishBaseline, publishMonitor } from '../pipeline/publisher.ts';
import { type Command, type CommandIo, EXIT } from './command.ts';
import { readOptions, wholeNumber } from './options.ts';

const help = `mlmon start: the platform on one machine with the demonstration, until stopped

Usage: mlmon start [--port N] [--data DIR] [--speed N] [--until TIME] [--reset] [--channels FILE]

Trains a model on a month of real flights and replays the next five through the public HTTP interface. Prints the page's
address. Stopped and started again it goes on where it stopped.

  --port N          default ${DEFAULT_PORT}; 0 for any that is free
  --data DIR        where everything is kept; default ${DEFAULT_DATA}/demonstration
  --speed N         simulated days a second, at most; default about ${(1000 / DEMONSTRATION_PACE).toFixed(1)}; 0 for as fast as it goes
  --until TIME      simulated time at which the replay pauses, e.g. 2001-03-16T00:00:00Z; default the end of the data.
                    The platform goes on; started again without it, so does the replay
  --reset           starts over: removes what earlier runs of the demonstration left in the folder
  --channels FILE   also alert these channels
`;

const SCRIPT = resolve(import.meta.dirname, '../../examples/flight-delay/main.ts');

export const command: Command = {
  name: 'start',
  summary: 'the platform on one machine with the demonstration',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      port: { type: 'string' },
      data: { type: 'string' },
      speed: { type: 'string' },
      until: { type: 'string' },
      reset: { type: 'boolean' },
      channels: { type: 'string' },
    });
    const pace = paceOf(options.text('speed'));
    const until = untilOf(options.text('until'));
    const folder = resolve(io.cwd, options.text('data') ?? join(DEFAULT_DATA, 'demonstration'));
    const port = wholeNumber(options.text('port') ?? String(DEFAULT_PORT), '--port', 0, 65_535);
    const channels = options.text('channels');
    const description = await describeProducer(SCRIPT);
    if (options.flag('reset')) await resetFolder(folder);
    await markFolder(folder);
    // Nothing is waited for between the address being known and the page being told what is under way.
    const model = (await readFile(description.monitor, 'utf8')).match(/^model:\s*(\S+)/m)?.[1] ?? '';
    const platform = await startPlatform({
      folder,
      port,
      channelsFile: channels === undefined ? undefined : resolve(io.cwd, channels),
      replayFrom: Date.parse(description.start),
      // A replay can be made again, so it need not wait for the disk.
      durability: 'os',
      onFailure: (what, error) =>
        io.stderr.write(`${what}: ${error instanceof Error ? error.message : String(error)}\n`),
    });
    io.stdout.write(
      `${description.title}\nopen ${platform.url}/ — Ctrl-C stops, starting again goes on, --reset starts over\n`,
    );
    const show = progress(io);
    try {
      await demonstrate(description, {
        script: SCRIPT,
        folder: join(folder, 'producer'),
        platform: platform.url,
        pace,
        until,
        signal: io.signal,
        isPublished: async () => {
          await platform.registry.refresh();
          return platform.registry.models().includes(model);
        },
        makeBaseline: async (file, monitor) =>
          baselineFromTable({
            table: await openTable(platform.db, { files: [file], cwd: folder }),
            monitor,
            version: description.version,
            name: 'January 2001',
          }),
        publish: async ({ monitor, baseline, version, from }) => {
          const { publisher } = platform.actions;
          const by = 'demonstration';
          await publishBaseline(publisher, baseline, {
            monitor,
            model: monitor.model,
            version,
            by,
            approve: true,
            effectiveFrom: 0,
          });
          await publishMonitor(publisher, monitor, { by, effectiveFrom: from });
          platform.registry.invalidate();
          await platform.registry.refresh();
        },
        say: (state) => {
          platform.tell(state);
          show(state);
        },
      });
      if (!io.signal.aborted) await once(io.signal, 'abort');
    } finally {
      io.stderr.write('\nstopping …\n');
      await platform.stop();
    }
    return EXIT.nothingFound;
  },
};

/** Least real time of a simulated day, milliseconds. */
function paceOf(speed: string | undefined): number {
  if (speed === undefined) return DEMONSTRATION_PACE;
  const days = Number(speed);
  if (!(Number.isFinite(days) && days >= 0))
    throw new ProblemError([
      {
        code: 'wrong-value',
        path: '--speed',
        message: 'is not a speed',
        got: speed,
        expected: 'simulated days a second, 0 for as fast as it goes',
      },
    ]);
  return days === 0 ? 0 : 1_000 / days;
}

/** Simulated time, milliseconds. */
function untilOf(time: string | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = Date.parse(time);
  if (Number.isFinite(ms)) return ms;
  throw new ProblemError([
    { code: 'wrong-value', path: '--until', message: 'is not a time', got: time, expected: '2001-03-16T00:00:00Z' },
  ]);
}

/** One line that renews itself on a terminal; a line for each step elsewhere. */
function progress(io: CommandIo): (state: Demonstration) => void {
  let last = '';
  return ({ state, message, progress: done }) => {
    const text = state === 'replaying' ? `${(100 * done).toFixed(0).padStart(3)} %  ${message}` : message;
    if (io.terminal) io.stderr.write(`\r\u001b[2K${text}`);
    else if (state !== 'replaying' && text !== last) io.stderr.write(`${text}\n`);
    last = text;
  };
}
