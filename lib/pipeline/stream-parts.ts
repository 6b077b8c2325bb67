/** The moving parts of the stream path, as `run.ts` runs them: profiler, evaluator (which also closes hours), clean-up. */
import { cleanUp } from './clean-up.ts';
import { Evaluator } from './evaluator.ts';
import type { EvaluatorOptions } from './evaluator-options.ts';
import { Grains } from './grains.ts';
import { PackReader } from './pack-reader.ts';
import type { Clock, EventLog, ObjectStore } from './ports.ts';
import { Profiler, type ProfilerOptions } from './profiler.ts';
import type { Registry } from './registry.ts';
import { retryingStore } from './retry.ts';
import type { Part, StepOutcome } from './run.ts';
import type { Judge } from './window-judge.ts';

export interface StreamPartsOptions {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly judge: Judge;
  readonly onResult?: EvaluatorOptions['onResult'];
  readonly onCommit?: ProfilerOptions['onCommit'];
  /** Between two commits of a partition that keeps up, milliseconds of real time. @default 1000 */
  readonly commitEveryMs?: number;
  /** Between two looks at what is due. @default 1000 */
  readonly evaluateEveryMs?: number;
  /** Of a commit. */
  readonly records?: number;
  readonly bytes?: number;
  readonly settleMs?: number;
  readonly stalledAfterMs?: number;
  readonly closeAfterMs?: number;
  /** Log retention and on-failure retention together: unreferenced packs older than that go. Without it they stay. */
  readonly packRetentionMs?: number;
}

const DEFAULT_EVERY_MS = 1_000;
const CLEAN_EVERY_MS = 3_600_000;
const LONGEST_WAIT_MS = 30_000;

export interface StreamParts {
  readonly profiler: Part;
  readonly evaluator: Part;
  readonly cleaner: Part | null;
  /** For health: when something was last judged. */
  lastEvaluation(): number | null;
}

export function streamParts(given: StreamPartsOptions): StreamParts {
  const options = { ...given, store: retryingStore(given.store) };
  const reader = new PackReader(options.store);
  const { store, clock, registry } = options;
  const problems = new Map<string, string>();
  const grains = new Grains({
    store,
    clock,
    registry,
    reader,
    closeAfterMs: options.closeAfterMs,
    onProblem: (error) => problems.set('grains', error.message),
  });
  const evaluator = new Evaluator({
    log: options.log,
    store,
    clock,
    registry,
    reader,
    judge: options.judge,
    onResult: options.onResult,
    settleMs: options.settleMs,
    stalledAfterMs: options.stalledAfterMs,
    onProblem: (model, error) => problems.set(model, `${model}: ${error.message}`),
  });
  return {
    profiler: profilerPart(options, grains),
    evaluator: {
      name: 'evaluator',
      async step() {
        problems.clear();
        const judged = await evaluator.tick();
        const closing = await grains.close();
        const busy = judged.more || closing.more;
        const waitMs = busy ? 0 : (options.evaluateEveryMs ?? DEFAULT_EVERY_MS);
        return { waitMs, problem: first(problems.values()) };
      },
    },
    cleaner: options.packRetentionMs === undefined ? null : cleanerPart(options, reader, options.packRetentionMs),
    lastEvaluation: () => evaluator.lastEvaluation,
  };
}

/** One profiler for each partition that the log has; each with its own waits, so that a failing one holds up none. */
function profilerPart(options: StreamPartsOptions, grains: Grains): Part {
  const profilers = new Map<
    string,
    { profiler: Profiler; failures: number; notBefore: number; error: string | null }
  >();
  const every = options.commitEveryMs ?? DEFAULT_EVERY_MS;
  return {
    name: 'profiler',
    async step(): Promise<StepOutcome> {
      const partitions = (await options.log.partitions()).map(({ id }) => id);
      for (const id of profilers.keys()) if (!partitions.includes(id)) profilers.delete(id);
      const now = performance.now();
      const steps = partitions.map(async (partition) => {
        let slot = profilers.get(partition);
        if (slot === undefined) {
          const { log, store, registry, records, bytes, onCommit } = options;
          const relieve = (key: string) => grains.relieve(key);
          const profiler = new Profiler({ log, store, registry, partition, records, bytes, onCommit, relieve });
          slot = { profiler, failures: 0, notBefore: 0, error: null };
          profilers.set(partition, slot);
        }
        if (now < slot.notBefore) return false;
        try {
          const { more } = await slot.profiler.step();
          slot.failures = 0;
          slot.error = null;
          return more;
        } catch (error) {
          slot.failures++;
          slot.error = `partition ${partition}: ${error instanceof Error ? error.message : String(error)}`;
          slot.notBefore = now + Math.min(LONGEST_WAIT_MS, every * 2 ** Math.min(slot.failures, 10));
          return false;
        }
      });
      const more = (await Promise.all(steps)).some(Boolean);
      const errors = [...profilers.values()].flatMap(({ error }) => error ?? []);
      return { waitMs: more ? 0 : every, problem: first(errors) };
    },
  };
}

function cleanerPart(options: StreamPartsOptions, reader: PackReader, retentionMs: number): Part {
  const { store, clock } = options;
  return {
    name: 'cleaner',
    async step(signal) {
      await cleanUp({ store, clock, reader, retentionMs, signal });
      return { waitMs: CLEAN_EVERY_MS };
    },
  };
}

function first(values: Iterable<string>): string | null {
  for (const value of values) return value;
  return null;
}
