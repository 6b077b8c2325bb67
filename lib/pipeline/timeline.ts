/**
 * What was published about one model, by the event time from which it applies. The latest decision wins: of those in force at a
 * moment the one with the highest number. Events before the first monitor belong to the first monitor.
 */
import type { PublishedBaseline } from '../contracts/baseline.ts';
import type { PublishedMonitor } from '../contracts/monitor.ts';

export interface BaselineChoice {
  readonly published: PublishedBaseline;
  /** It was made from another version, which stands in. */
  readonly fallback: boolean;
}

export class Timeline {
  readonly model: string;
  /** By number, ascending. */
  readonly monitors: readonly PublishedMonitor[];
  /** By version; each by number, ascending. */
  readonly baselines: ReadonlyMap<string, readonly PublishedBaseline[]>;
  /** Moments at which something changes, ascending. */
  readonly changes: readonly number[];
  /** As long as `monitors`, milliseconds. */
  readonly #effective: readonly number[];

  constructor(model: string, monitors: readonly PublishedMonitor[], baselines: readonly PublishedBaseline[]) {
    this.model = model;
    this.monitors = [...monitors].sort((a, b) => a.n - b.n);
    this.#effective = this.monitors.map(({ effectiveFrom }) => Date.parse(effectiveFrom));
    const byVersion = new Map<string, PublishedBaseline[]>();
    for (const baseline of [...baselines].sort((a, b) => a.n - b.n)) {
      const list = byVersion.get(baseline.version);
      if (list === undefined) byVersion.set(baseline.version, [baseline]);
      else list.push(baseline);
    }
    this.baselines = byVersion;
    const moments = new Set<number>(this.#effective);
    for (const { effectiveFrom } of baselines) if (effectiveFrom !== null) moments.add(Date.parse(effectiveFrom));
    this.changes = [...moments].sort((a, b) => a - b);
  }

  /** When the first monitor takes effect; `null` when there is none. */
  get firstEffective(): number | null {
    return this.monitors.length === 0 ? null : Math.min(...this.#effective);
  }

  /** Milliseconds of the next change after `t`; `Infinity` when there is none. */
  nextChange(t: number): number {
    return this.changes.find((moment) => moment > t) ?? Number.POSITIVE_INFINITY;
  }

  /** Milliseconds of the next change of the monitor after `t`; `Infinity` when there is none. */
  nextMonitorChange(t: number): number {
    return this.#effective.filter((moment) => moment > t).reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  }

  /** The monitor for events at `t`, a removed one included; `null` when none was ever published. */
  monitorAt(t: number): PublishedMonitor | null {
    for (let i = this.monitors.length - 1; i >= 0; i--)
      if ((this.#effective[i] as number) <= t) return this.monitors[i] ?? null;
    return this.monitors.find(({ removed }) => !removed) ?? null;
  }

  /** The approved (or provisional) baseline for events of `version` at `t`; another version's when it has none and the monitor allows that. */
  baselineAt(version: string, t: number, allowFallback: boolean): BaselineChoice | null {
    const own = newest(this.baselines.get(version), t);
    if (own !== null) return { published: own, fallback: false };
    if (!allowFallback) return null;
    let best: PublishedBaseline | null = null;
    for (const list of this.baselines.values()) {
      const candidate = newest(list, t);
      if (candidate !== null && (best === null || isLater(candidate, best))) best = candidate;
    }
    return best === null ? null : { published: best, fallback: true };
  }
}

function newest(list: readonly PublishedBaseline[] | undefined, t: number): PublishedBaseline | null {
  return list?.findLast((one) => isInForce(one) && Date.parse(one.effectiveFrom ?? '') <= t) ?? null;
}

/** It applies from some moment on: it is approved, or provisional. */
export function isInForce({ effectiveFrom, approved, provisional }: PublishedBaseline): boolean {
  return effectiveFrom !== null && (approved !== null || provisional === true);
}

/** The last approved: by the moment from which it applies, then by approval, then by name so that all platforms agree. */
function isLater(a: PublishedBaseline, b: PublishedBaseline): boolean {
  const order =
    Date.parse(a.effectiveFrom ?? '') - Date.parse(b.effectiveFrom ?? '') ||
    Date.parse(a.approved?.at ?? '') - Date.parse(b.approved?.at ?? '') ||
    (a.version < b.version ? -1 : 1);
  return order > 0;
}
