/**
 * Redriving a batch that the log's reader gave up: its records are pushed once more. Those in a committed range are known already,
 * perhaps by a reader that was given up and went on; the rest is committed through the same cursor. So twice is once.
 */

import type { LogRecord } from './ports.ts';
import type { PushedProfiler, PushOutcome } from './pushed-profiler.ts';

/** A log as its cursors name it. */
export interface KnownLog {
  readonly identity: string;
  /** When it was made, milliseconds since 1970. */
  readonly created: number;
}

/**
 * The log that a record of this append time was on: the youngest that was there by then. A batch may lie for two weeks, and its log
 * may have been deleted and made again meanwhile. Without one it is the log as it is now. Pure.
 */
export function logAt(present: string, known: readonly KnownLog[], appendTime: number): string {
  let found: KnownLog | null = null;
  for (const log of known)
    if (log.created <= appendTime && (found === null || log.created > found.created)) found = log;
  return found?.identity ?? present;
}

export interface GivenUp {
  readonly identity: string;
  readonly partition: string;
  readonly records: readonly LogRecord[];
  readonly isLate?: () => boolean;
}

/**
 * Commits what is not committed yet of a batch.
 * @throws what hindered it, or Error when time did not suffice: call it again
 */
export async function redrive(profiler: PushedProfiler, batch: GivenUp): Promise<PushOutcome> {
  const outcome = await profiler.take(batch);
  if (outcome.unprocessed === null) return outcome;
  const left = `${batch.partition}: redriven up to ${outcome.unprocessed}, ${outcome.records} records of ${batch.records.length}`;
  throw new Error(`${left}; ${outcome.failure?.message ?? 'no time was left'}`, {
    cause: outcome.failure ?? undefined,
  });
}
