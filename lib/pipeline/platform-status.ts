/** The platform's own health, from the log, the cursors and the parts that run here. */
import type { Health } from '../contracts/api.ts';
import { noun } from '../contracts/noun.ts';
import { keys } from '../contracts/object-keys.ts';
import { formatProblem } from '../contracts/problem.ts';
import { addTotals, type Cursor, EMPTY_TOTALS, type LedgerTotals, readCursors } from './cursor.ts';
import { readJson } from './json-object.ts';
import {
  type Clock,
  comparePositions,
  type EventLog,
  type ObjectStore,
  type PartitionState,
  type Position,
} from './ports.ts';
import type { Registry } from './registry.ts';
import type { PartState } from './run.ts';

export interface PlatformStatusOptions {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
  /** States of the parts in this process. */
  readonly parts: () => readonly PartState[];
  /** When something was last judged, by the platform's clock. */
  readonly lastEvaluation: () => number | null;
  /** Real time, milliseconds, monotonic. @default performance.now */
  readonly elapsed?: () => number;
}

/** What the archiver says of a partition. */
interface Archived {
  readonly position: Position | null;
  readonly appendTime?: number | null;
  readonly captured?: number;
}

export class PlatformStatus {
  readonly #options: PlatformStatusOptions;
  readonly #elapsed: () => number;
  readonly #startedAt: number;
  #sample: { readonly at: number; readonly received: number } | null = null;
  #rate = 0;

  constructor(options: PlatformStatusOptions) {
    this.#options = options;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#startedAt = this.#elapsed();
  }

  async health(): Promise<Health> {
    const { log, store, clock, registry, parts, lastEvaluation } = this.#options;
    const identity = await log.identity();
    const partitions = await log.partitions();
    const cursors = await readCursors(store);
    const byKey = new Map(cursors.map(({ key, cursor }) => [key, cursor]));
    const totals = cursors.reduce((sum, { cursor }) => addTotals(sum, cursor.totals), EMPTY_TOTALS);
    const rows = await Promise.all(
      partitions.map(async (partition) => {
        const archived = await readJson<Archived>(store, keys.archive(identity, partition.id));
        return {
          row: rowOf(partition, byKey.get(keys.cursor(identity, partition.id)), archived?.value ?? null),
          captured: archived?.value.captured ?? 0,
        };
      }),
    );
    const states = parts();
    const failing = states.filter(({ state }) => state === 'failing');
    const problems = [
      ...failing.map(({ name, error }) => `${name}: ${error ?? 'failing'}`),
      ...registry.problems().map(formatProblem),
      ...(totals.lost > 0
        ? [`${totals.lost} ${noun(totals.lost, 'record was', 'records were')} lost to retention before they were read`]
        : []),
      ...quarantineProblems(totals),
    ];
    const evaluated = lastEvaluation();
    return {
      status: failing.length > 0 ? 'failing' : problems.length > 0 ? 'degraded' : 'ok',
      problems,
      uptimeSeconds: Math.round((this.#elapsed() - this.#startedAt) / 1_000),
      memoryBytes: process.memoryUsage().rss,
      eventsPerSecond: this.#rateOf(totals.received),
      partitions: rows.map(({ row }) => row),
      counts: {
        received: totals.received,
        profiled: totals.profiled,
        captured: rows.reduce((sum, { captured }) => sum + captured, 0),
        beyond: totals.beyond,
        labels: totals.labels,
        quarantined: { ...totals.quarantined } as Record<string, number>,
        lost: totals.lost,
      },
      lastEvaluation: evaluated === null ? null : new Date(Math.min(evaluated, clock.now())).toISOString(),
      parts: states.map(({ name, state, error }) => ({ name, state, error })),
    };
  }

  /** Events profiled a second of real time, over the last second or more. */
  #rateOf(received: number): number {
    const at = this.#elapsed();
    const last = this.#sample;
    if (last === null || received < last.received) this.#sample = { at, received };
    else if (at - last.at >= 1_000) {
      this.#rate = Math.round((1_000 * (received - last.received)) / (at - last.at));
      this.#sample = { at, received };
    }
    return this.#rate;
  }
}

function rowOf(
  { id, head, headAppendTime, closed, first }: PartitionState,
  cursor: Cursor | undefined,
  archived: Archived | null,
): Health['partitions'][number] {
  const profiled = cursor?.position ?? null;
  return {
    id,
    head,
    profiled,
    archived: archived?.position ?? null,
    headAppendTime: headAppendTime === null ? null : new Date(headAppendTime).toISOString(),
    profiledThrough: cursor?.appendTime == null ? null : new Date(cursor.appendTime).toISOString(),
    archivedThrough: archived?.appendTime == null ? null : new Date(archived.appendTime).toISOString(),
    lag: lagOf(head, profiled, first),
    archiveLag: lagOf(head, archived?.position ?? null, first),
    closed,
  };
}

/** Records between the cursor and the head; exact where positions are contiguous, else only whether there are any. */
function lagOf(head: Position | null, profiled: Position | null, first: Position | null): number {
  if (head === null || (profiled !== null && comparePositions(profiled, head) >= 0)) return 0;
  const behind = profiled === null ? BigInt(head) - BigInt(first ?? head) + 1n : BigInt(head) - BigInt(profiled);
  return behind > 1n << 40n ? 1 : Number(behind);
}

function quarantineProblems({ quarantined }: LedgerTotals): string[] {
  const policy = quarantined.policy ?? 0;
  return policy > 0
    ? [
        `${policy} ${noun(policy, 'event')} broke the field policy of ${noun(policy, 'its', 'their')} monitor and ${noun(policy, 'is', 'are')} in quarantine`,
      ]
    : [];
}
