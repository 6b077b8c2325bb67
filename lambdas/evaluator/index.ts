/** On messages of the dispatcher: judges windows, writes results, keeps episodes, closes hours. */
import { durationMs } from '../../lib/contracts/duration.ts';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { judgeWindow } from '../../lib/engine/verdict.ts';
import { announce } from '../../lib/pipeline/bulletins.ts';
import { Evaluator } from '../../lib/pipeline/evaluator.ts';
import { Grains } from '../../lib/pipeline/grains.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { cursorPositions } from '../cursor-positions.ts';
import { episodeKeeper } from '../episode-keeper.ts';
import { failureFields, logOf } from '../log.ts';
import { bucketStore, streamLog, wallClock } from '../ports.ts';
import { type EvaluatorRun, evaluatorHandler } from './handler.ts';

/** Models judged side by side: most of the time is spent waiting for the store. */
const CONCURRENCY = 8;
/** Windows of a model in one go, so that what is made up for is kept in between. */
const WINDOWS = 50;
/** Hours closed in one go, likewise. */
const HOURS = 4;

const environment = readEnvironment('evaluator', process.env);
const clock = wallClock;
const store = retryingStore(bucketStore(environment.MLMON_BUCKET));
const registry = new Registry({ store, clock });
const reader = new PackReader(store);
const log = logOf('evaluator');
const episodes = episodeKeeper({ store, clock, registry, linkBase: environment.MLMON_LINK_BASE });
const run: EvaluatorRun = { isLate: () => false, verdictDelayMs: null };
const select = (models: readonly string[]): Promise<void> => registry.select(models);

export const handler = evaluatorHandler({
  evaluator: new Evaluator({
    log: streamLog(environment.MLMON_STREAM_ARN, cursorPositions(store)),
    store,
    clock,
    registry,
    reader,
    judge: judgeWindow,
    concurrency: CONCURRENCY,
    windowsPerTick: WINDOWS,
    onResult: async (result) => {
      await episodes.apply(result.model, [result]);
      const end = Date.parse(result.end);
      const monitor = registry.monitorAt(result.model, end - 1)?.monitor;
      if (result.provenance.revision > 0 || monitor === undefined) return;
      const delay = clock.now() - end - durationMs(monitor.window.lateness);
      run.verdictDelayMs = Math.max(run.verdictDelayMs ?? 0, delay);
    },
    onModel: (_model, results) => announce({ store, clock }, results),
  }),
  grains: new Grains({
    store,
    clock,
    registry,
    reader,
    select,
    hoursPerRun: HOURS,
    isLate: () => run.isLate(),
    onProblem: (problem) => log.error('a pack cannot be read; its hour stays open', failureFields(problem)),
  }),
  select,
  run,
  environment: environment.MLMON_ENVIRONMENT,
  clock,
  log,
});
