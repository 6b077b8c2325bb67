/** What the collector counts about itself. Plain numbers, since they change with every event; the exporter turns them into metrics. */
import type { QuarantineReason } from '../contracts/event.ts';

/** How events came: one of a closed set, since it is a metric label. */
export type EventFormat = 'cloudevents' | 'json' | 'kserve' | 'sagemaker';

export interface ModelCounters {
  /** By format. */
  readonly inference: Record<EventFormat, number>;
  readonly label: Record<EventFormat, number>;
  readonly rejected: Partial<Record<QuarantineReason, number>>;
}

/** Upper bounds of the duration histograms, seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export class DurationHistogram {
  /** One for each bound and one above them all; not cumulative. */
  readonly counts: number[] = new Array<number>(DURATION_BUCKETS.length + 1).fill(0);
  sum = 0;
  count = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += seconds;
    this.count++;
  }
}

/** Name under which events are counted whose model is not declared: never a name that came from outside. */
export const NO_MODEL = '';

export class CollectorCounters {
  readonly models = new Map<string, ModelCounters>();
  /** Requests turned away unread, by reason. */
  readonly shed: Record<'queue_full', number> = { queue_full: 0 };
  /** Events durable on the log. */
  delivered = 0;
  /** Appends that failed. */
  deliveryFailures = 0;
  /** From the first byte taken in to durable. */
  readonly ingest = new DurationHistogram();
  /** Of one append. */
  readonly delivery = new DurationHistogram();

  of(model: string): ModelCounters {
    let counters = this.models.get(model);
    if (counters === undefined) {
      const zero = (): Record<EventFormat, number> => ({ cloudevents: 0, json: 0, kserve: 0, sagemaker: 0 });
      counters = { inference: zero(), label: zero(), rejected: {} };
      this.models.set(model, counters);
    }
    return counters;
  }

  reject(model: string | null, reason: QuarantineReason): void {
    const { rejected } = this.of(model ?? NO_MODEL);
    rejected[reason] = (rejected[reason] ?? 0) + 1;
  }
}
