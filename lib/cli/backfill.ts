/** `mlmon backfill`: history into a platform, judged as if on time. */
import { resolve } from 'node:path';
import type { HealthAnswer } from '../contracts/api.ts';
import type { Baseline } from '../contracts/baseline.ts';
import { durationMs, isDuration } from '../contracts/duration.ts';
import type { InferenceEvent, LabelEvent } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { BackfillTarget } from '../local/backfill.ts';
import { DEFAULT_DATA } from '../local/defaults.ts';
import type { Platform } from '../local/platform.ts';
import { type Command, EXIT, wrongUse } from './command.ts';
import { DATA_HELP, DATA_OPTIONS, Progress, withDuckDb } from './data-files.ts';
import { readOptions } from './options.ts';
import { plain } from './plain.ts';

const help = `mlmon backfill: history into a platform, judged as if on time

Usage: mlmon backfill FILE… --monitor monitor.yaml [--data DIR] [--label-delay 1h]

Plays past predictions into the platform's folder in order of time, with a clock that follows them, so that windows, labels and
episodes come out as they would have. The platform must not be running meanwhile, and the history must begin after what it holds:
bring history in first, then \`mlmon serve\`.

  --monitor FILE       the monitor; published with its baseline (baseline.from) if the platform does not know the model
  --data DIR           the platform's folder; default ${DEFAULT_DATA}
  --model-version V    version of predictions that name none; default 1
  --label-delay D      how long after a prediction its truth arrives, where the data has a truth column; default 1h
  --json               the outcome as JSON on standard output

${DATA_HELP}
`;

const BY = 'mlmon backfill';
const CLOCK_HEADER = 'mlmon-replay-clock';
/** Events of one request. */
const BATCH = 2_000;

export const command: Command = {
  name: 'backfill',
  summary: 'brings history into a platform',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      {
        monitor: { type: 'string', required: true },
        data: { type: 'string' },
        'model-version': { type: 'string' },
        'label-delay': { type: 'string' },
        json: { type: 'boolean' },
        ...DATA_OPTIONS,
      },
      { least: 1, most: 10_000, called: 'FILE' },
    );
    const delay = options.text('label-delay') ?? '1h';
    if (!isDuration(delay))
      throw wrongUse('--label-delay', `is not a duration: ${delay}`, 'write it like 30m, 48h or 7d');
    const { readMonitorFiles } = await import('../local/monitor-file.ts');
    const files = await readMonitorFiles(resolve(io.cwd, options.required('monitor')));
    const [file] = files;
    if (file === undefined || files.length > 1) throw wrongUse('--monitor', 'is not one monitor', 'name one file');
    const { monitor, baselineFile } = file;
    const folder = resolve(io.cwd, options.text('data') ?? DEFAULT_DATA);
    const { refuseDemonstration } = await import('../local/demonstration-folder.ts');
    await refuseDemonstration(folder);
    const progress = new Progress(io);
    const outcome = await withDuckDb(options, async (db) => {
      const [{ openTable }, { readBaselineFile }, { historyOf }, { backfill }, { startPlatform }] = await Promise.all([
        import('../adapters/duckdb/table.ts'),
        import('../local/baseline-file.ts'),
        import('../local/history.ts'),
        import('../local/backfill.ts'),
        import('../local/platform.ts'),
      ]);
      progress.at('reading');
      const table = await openTable(db, { files: options.words, cwd: io.cwd, stdin: io.stdin });
      const baseline = baselineFile === null ? null : await readBaselineFile(db, baselineFile, monitor);
      const version = options.text('model-version') ?? baseline?.version ?? '1';
      const history = await historyOf({
        table,
        monitor,
        baseline: baseline?.columns ?? null,
        version,
        labelDelay: durationMs(delay),
      });
      const platform = await startPlatform({
        folder,
        port: 0,
        replayFrom: history.from,
        onFailure: (what, error) =>
          io.stderr.write(`${what}: ${plain(error instanceof Error ? error.message : String(error))}\n`),
      });
      try {
        refuseOverlap(platform.clock.now(), history.from, folder);
        await publish(platform, { monitor, baseline, version, from: history.from });
        const target = await targetOf(platform, monitor.model);
        return await backfill({ history, monitor, target, signal: io.signal, progress: progress.at });
      } catch (error) {
        if (io.signal.aborted) return null;
        throw error;
      } finally {
        progress.at('stopping');
        await platform.stop();
        progress.end();
      }
    });
    if (outcome === null) {
      io.stderr.write('stopped before the end; what was brought in stays, so begin again in an empty folder\n');
      return EXIT.failure;
    }
    if (options.flag('json')) io.stdout.write(`${JSON.stringify(outcome)}\n`);
    else
      io.stdout.write(
        `${monitor.model}: ${outcome.events.toLocaleString('en')} ${noun(outcome.events, 'event')} and ${outcome.labels.toLocaleString('en')} ${noun(outcome.labels, 'label')} brought in, ${outcome.refused.toLocaleString('en')} refused\n`,
      );
    return EXIT.nothingFound;
  },
};

function refuseOverlap(now: number, from: number, folder: string): void {
  if (now <= from) return;
  throw new ProblemError([
    {
      code: 'not-after',
      path: folder,
      message:
        'the platform holds events already that arrived after this history begins, so it could not be judged as on time',
      got: `history from ${new Date(from).toISOString()}, events until ${new Date(now).toISOString()}`,
      fix: 'bring history in before live events, into a folder of its own (--data), or give only the rows after that time',
    },
  ]);
}

/** Publishes the monitor from the window in which the history begins, and its baseline, for a model that the platform does not know. */
async function publish(
  { registry, actions: { publisher } }: Platform,
  {
    monitor,
    baseline,
    version,
    from,
  }: { readonly monitor: Monitor; readonly baseline: Baseline | null; readonly version: string; readonly from: number },
): Promise<void> {
  await registry.refresh();
  if (registry.models().includes(monitor.model)) return;
  const [{ publishBaseline, publishMonitor }, { WindowRule }] = await Promise.all([
    import('../pipeline/publisher.ts'),
    import('../engine/window.ts'),
  ]);
  if (baseline !== null)
    await publishBaseline(publisher, baseline, {
      model: monitor.model,
      version,
      by: BY,
      approve: true,
      effectiveFrom: 0,
      monitor,
    });
  const { start } = new WindowRule(monitor.window, monitor.drift.scales).windowAt(from);
  await publishMonitor(publisher, monitor, { by: BY, effectiveFrom: start });
  registry.invalidate();
  await registry.refresh();
}

async function targetOf(platform: Platform, model: string): Promise<BackfillTarget> {
  const [{ ReplayClock }, { learningActivity }] = await Promise.all([
    import('../local/replay-clock.ts'),
    import('../pipeline/learning-view.ts'),
  ]);
  const { clock } = platform;
  const ask = async (path: string, init?: RequestInit): Promise<unknown> => {
    const response = await fetch(`${platform.url}${path}`, init);
    if (!response.ok)
      throw new Error(`the platform answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
    return response.json();
  };
  return {
    advanceTo: (ms) => {
      if (clock instanceof ReplayClock) clock.advanceTo(ms);
    },
    health: async () => ((await ask('/api/health')) as HealthAnswer).health,
    learning: () => learningActivity(platform, model, clock.now()),
    async write(events, at) {
      let refused = 0;
      for (let from = 0; from < events.length; from += BATCH) {
        const answer = await ask('/v1/events', {
          method: 'POST',
          headers: { 'content-type': 'application/cloudevents-batch+json', [CLOCK_HEADER]: new Date(at).toISOString() },
          body: JSON.stringify(envelopes(events.slice(from, from + BATCH), `${at}-${from}`)),
        });
        refused += Number((answer as { quarantined?: number }).quarantined ?? 0);
      }
      return refused;
    },
  };
}

function envelopes(events: readonly (InferenceEvent | LabelEvent)[], id: string): object[] {
  const of = (type: 'inference' | 'label', cloudEvent: string): object[] => {
    const data = events.filter((event) => event.type === type);
    return data.length === 0
      ? []
      : [{ specversion: '1.0', id: `${id}-${type}`, source: 'mlmon-backfill', type: cloudEvent, data }];
  };
  return [...of('inference', 'ml.inference.v1'), ...of('label', 'ml.label.v1')];
}
