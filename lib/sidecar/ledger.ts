/** Where every event that was taken is: each is counted once on the left and once on the right. */

/** How events come in. */
export const SOURCES = ['proxy', 'kserve', 'events'] as const;
export type Source = (typeof SOURCES)[number];

/** `sampled`: by the hash of its id; `full`: no room for any. */
export const SHED_REASONS = ['sampled', 'full'] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

/** Why a call was no inference to keep: another status than 200, no body or none that infers, not ended. */
export const IGNORED_REASONS = ['status', 'no-inference', 'aborted'] as const;
export type IgnoredReason = (typeof IGNORED_REASONS)[number];

/** Why something could not be sent: the monitor cannot read it, or the collector refuses it whatever is tried. */
export const REFUSED_REASONS = ['unknown-model', 'payload', 'collector'] as const;
export type RefusedReason = (typeof REFUSED_REASONS)[number];

export class Ledger {
  readonly received: Record<Source, number> = { proxy: 0, kserve: 0, events: 0 };
  /** Found on disk when the process began. */
  recovered = 0;
  /** The collector said that they are durable, on the log or in quarantine. */
  delivered = 0;
  readonly shed: Record<ShedReason, number> = { sampled: 0, full: 0 };
  /** Inferences with a body longer than is copied. */
  cut = 0;
  readonly ignored: Record<IgnoredReason, number> = { status: 0, 'no-inference': 0, aborted: 0 };
  readonly refused: Record<RefusedReason, number> = { 'unknown-model': 0, payload: 0, collector: 0 };
  /** Spooled and not readable any more: damaged on disk. */
  lost = 0;

  /** What came, less everything that has been settled: what must wait in the spool, or be on its way. */
  get unsettled(): number {
    const { received, recovered, delivered, shed, cut, ignored, refused, lost } = this;
    return sum(received) + recovered - delivered - sum(shed) - cut - sum(ignored) - sum(refused) - lost;
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
