/** What an evaluator is made of, and what it saw at the beginning of a tick. */
import type { WindowResult } from '../contracts/result.ts';
import type { OpenPacks } from './grain-sources.ts';
import type { PackReader } from './pack-reader.ts';
import type { Clock, EventLog, ObjectStore } from './ports.ts';
import type { PartitionProgress } from './progress.ts';
import type { Registry } from './registry.ts';
import type { Judge } from './window-judge.ts';

export interface EvaluatorOptions {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly reader: PackReader;
  readonly judge: Judge;
  /** Told of every result at least once, after it is stored and before the evaluator's own progress is. */
  readonly onResult?: (result: WindowResult) => Promise<void> | void;
  /** Between the append time that a record carries and the moment it can be read, milliseconds. @default 10 s */
  readonly settleMs?: number;
  /** How long a window waits, after its lateness, for partitions that do not move; then it is `stale`. @default 1 h */
  readonly stalledAfterMs?: number;
  /** Most windows of one model in one tick. @default 200 */
  readonly windowsPerTick?: number;
  /**
   * Told of every model of which something was judged, with what it was, after the last result is handed on and before the evaluator's own
   * progress is kept: at least once.
   */
  readonly onModel?: (model: string, results: readonly WindowResult[]) => Promise<void> | void;
  /** Models judged at the same time. @default 1 */
  readonly concurrency?: number;
  /** Told of what kept one model from being judged; the others go on. Without it the tick throws. */
  readonly onProblem?: (model: string, error: Error) => void;
}

/** The log and the cursors as they were at one moment. */
export interface Tick {
  readonly now: number;
  readonly progress: readonly PartitionProgress[];
  readonly through: number;
  readonly open: OpenPacks;
  /** Model → versions with rows in open packs, each with the hours they lie in. */
  readonly openVersions: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<number>>>;
}

export const EVALUATOR_DEFAULTS = {
  settleMs: 10_000,
  stalledAfterMs: 3_600_000,
  windowsPerTick: 200,
  concurrency: 1,
} as const;
