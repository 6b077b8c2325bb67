/** The moving parts of the stream path, as `run.ts` runs them: profiler, evaluator (which also closes hours), clean-up. */
import { cleanUp } from './clean-up.ts';
import { lagOf, type PartitionLag } from './consumer-lag.ts';
import { Evaluator } from './evaluator.ts';
import type { EvaluatorOptions } from './evaluator-options.ts';
import { Grains } from './grains.ts';
import { PackReader } from './pack-reader.ts';
import type { Clock, EventLog, ObjectStore, PartitionOwner, PartitionState } from './ports.ts';
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
  /** Which partitions the profiler reads. @default all */
  readonly owner?: PartitionOwner;
  /** Told after every step of the profiler how far it is behind, in each of its partitions. */
  readonly onLag?: (lags: readonly PartitionLag[]) => void;
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

interface ProfilerSlot {
  readonly profiler: Profiler;
  failures: number;
  notBefore: number;
  error: string | null;
}

/** One profiler for each partition that it owns; each with its own waits, so that a failing one holds up none. */
function profilerPart(options: StreamPartsOptions, grains: Grains): Part {
  const { owner, onLag } = options;
  const profilers = new Map<string, ProfilerSlot>();
  const every = options.commitEveryMs ?? DEFAULT_EVERY_MS;
  let known: { readonly states: readonly PartitionState[]; readonly at: number } | null = null;
  let isBusy = false;

  const makeSlot = (partition: string): ProfilerSlot => {
    const { log, store, registry, records, bytes, onCommit } = options;
    const relieve = (key: string) => grains.relieve(key);
    const profiler = new Profiler({ log, store, registry, partition, records, bytes, onCommit, relieve });
    const slot = { profiler, failures: 0, notBefore: 0, error: null };
    profilers.set(partition, slot);
    return slot;
  };

  /** @returns whether there is more to read at once, and how far it is behind where that is known */
  const stepOf = async (
    state: PartitionState,
    now: number,
  ): Promise<{ readonly more: boolean; readonly lag: PartitionLag | null }> => {
    const slot = profilers.get(state.id) ?? makeSlot(state.id);
    if (now < slot.notBefore) return { more: false, lag: null };
    try {
      const { more, position } = await slot.profiler.step();
      slot.failures = 0;
      slot.error = null;
      owner?.worked?.(state.id, position);
      return { more, lag: onLag === undefined ? null : lagOf(state, position) };
    } catch (error) {
      slot.failures++;
      slot.error = `partition ${state.id}: ${error instanceof Error ? error.message : String(error)}`;
      slot.notBefore = now + Math.min(LONGEST_WAIT_MS, every * 2 ** Math.min(slot.failures, 10));
      return { more: false, lag: null };
    }
  };

  return {
    name: 'profiler',
    async step(): Promise<StepOutcome> {
      const now = performance.now();
      // While it catches up partitions are not asked for at every step: on some logs that takes several requests.
      if (known === null || !isBusy || now - known.at >= every)
        known = { states: await options.log.partitions(), at: now };
      const owned = owner?.owned() ?? null;
      const states = known.states.filter(({ id }) => owned === null || owned.includes(id));
      const mine = new Set(states.map(({ id }) => id));
      for (const id of profilers.keys()) if (!mine.has(id)) profilers.delete(id);
      const steps = await Promise.all(states.map((state) => stepOf(state, now)));
      onLag?.(steps.flatMap(({ lag }) => lag ?? []));
      isBusy = steps.some(({ more }) => more);
      const errors = [...profilers.values()].flatMap(({ error }) => error ?? []);
      return { waitMs: isBusy ? 0 : every, problem: first(errors) ?? owner?.problem ?? null };
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
