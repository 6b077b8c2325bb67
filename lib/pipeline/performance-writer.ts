/** Writes performance results, a new revision only when it says something new, and tells who listens of each at least once. */
import type { Baseline } from '../contracts/baseline.ts';
import type { PublishedMonitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import type { PerformanceResult } from '../contracts/result.ts';
import { version as engine } from '../contracts/version.ts';
import { performanceResult } from '../engine/performance.ts';
import type { PerformanceCounts } from '../engine/performance-counts.ts';
import type { Shape } from '../engine/shape.ts';
import { encodeJson, readJson } from './json-object.ts';
import type { LabelWindow } from './label-query.ts';
import { type Clock, ConflictError, type ObjectStore } from './ports.ts';

const ARRIVED_BEFORE = 'capture: arrived before ';

export interface DueWindow extends LabelWindow {
  readonly mature: boolean;
  readonly length: string;
  readonly monitor: PublishedMonitor;
  /** The checkpoint before, when the window was mature and is computed there; `null` otherwise. */
  readonly since: number | null;
}

interface Written {
  readonly revision: number;
  readonly cut: number;
  readonly content: string;
  /** This process has told of it. */
  readonly told: boolean;
}

/** Which shape, monitor and baseline a result of a version is judged with. */
export interface ResultShapes {
  shapeFor(
    model: string,
    version: string,
    eventMs: number,
  ): {
    readonly shape: Shape;
    readonly monitorN: number;
    readonly baseline: { readonly version: string; readonly n: number; readonly fallback: boolean } | null;
  } | null;
}

export interface PerformanceWriterOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly models: ResultShapes;
  readonly onResult?: (result: PerformanceResult) => Promise<void> | void;
}

export class PerformanceWriter {
  private readonly options: PerformanceWriterOptions;
  /** Newest revision of results that may still be revised. */
  private readonly written = new Map<string, Written>();
  /** Told of, in a step that is not done with. */
  private told: PerformanceResult[] = [];

  constructor(options: PerformanceWriterOptions) {
    this.options = options;
  }

  /** All that was told of since `done`. */
  get news(): readonly PerformanceResult[] {
    return this.told;
  }

  /** The step is done with. */
  done(): void {
    this.told = [];
  }

  /** Writes the next revision, unless the newest one says the same or rests on more. */
  async write(window: DueWindow, version: string, counts: PerformanceCounts): Promise<boolean> {
    const { models, store, clock } = this.options;
    const resolved = models.shapeFor(window.model, version, window.start);
    const baseline: Baseline | null = resolved?.shape.baseline ?? null;
    const judged = performanceResult(counts, window.monitor.monitor, baseline?.performance ?? null, {
      mature: window.mature,
      lengthMs: window.end - window.start,
    });
    const content = JSON.stringify(judged);
    const prefix = keys.performance(window.model, version, window.start, window.length, 0).replace(/0\.json$/, '');
    for (;;) {
      const newest = this.written.get(prefix) ?? (await this.newest(prefix));
      if (newest !== null && (newest.cut >= window.cut || newest.content === content)) {
        const told = newest.told || (await this.tellAgain(newest, window, `${prefix}${newest.revision}.json`));
        this.written.set(prefix, { ...newest, told, cut: Math.max(newest.cut, window.cut) });
        return false;
      }
      const revision = newest === null ? 0 : newest.revision + 1;
      const result: PerformanceResult = {
        schema: 'mlmon.performance/v1',
        model: window.model,
        version,
        start: new Date(window.start).toISOString(),
        end: new Date(window.end).toISOString(),
        length: window.length,
        ...judged,
        provenance: {
          revision,
          inputs: [`${ARRIVED_BEFORE}${new Date(window.cut).toISOString()}`],
          monitor: window.monitor.n,
          baseline: resolved?.baseline ?? null,
          engine,
          evaluatedAt: new Date(clock.now()).toISOString(),
          rows: { onTime: judged.predictions, revising: 0, otherBaseline: 0 },
          partitions: { seen: 1, all: 1 },
        },
      };
      try {
        await store.putIfAbsent(`${prefix}${revision}.json`, encodeJson(result));
      } catch (error) {
        // Another labeler, or an earlier self, wrote it: what it says decides.
        if (!(error instanceof ConflictError)) throw error;
        this.written.delete(prefix);
        continue;
      }
      await this.tell(result);
      this.remember(prefix, { revision, cut: window.cut, content, told: true });
      return true;
    }
  }

  /** A process that ended after it wrote a result, and before who listens knew, did not end its step: the step that is taken up tells. */
  private async tellAgain(written: Written, window: DueWindow, key: string): Promise<boolean> {
    if (written.cut !== window.cut) return false;
    const stored = await readJson<PerformanceResult>(this.options.store, key);
    if (stored !== null) await this.tell(stored.value);
    return stored !== null;
  }

  private async tell(result: PerformanceResult): Promise<void> {
    await this.options.onResult?.(result);
    this.told.push(result);
  }

  /** The newest stored revision. */
  private async newest(prefix: string): Promise<Written | null> {
    let newest: Written | null = null;
    for (let revision = 0; ; revision++) {
      const stored = await readJson<PerformanceResult>(this.options.store, `${prefix}${revision}.json`);
      if (stored === null) break;
      newest = writtenOf(stored.value);
    }
    if (newest !== null) this.remember(prefix, newest);
    return newest;
  }

  private remember(prefix: string, written: Written): void {
    this.written.delete(prefix);
    this.written.set(prefix, written);
    // Enough for all windows of a thousand models that are still revised; what is forgotten is read again.
    const oldest = this.written.size > 20_000 ? this.written.keys().next().value : undefined;
    if (oldest !== undefined) this.written.delete(oldest);
  }
}

/** What a stored result rests on and says, as `write` compares it. */
function writtenOf(result: PerformanceResult): Written {
  const { status, mature, predictions, labels, coverage, conflicts, metrics, confusion, calibration } = result;
  const input = result.provenance.inputs.find((one) => one.startsWith(ARRIVED_BEFORE));
  return {
    revision: result.provenance.revision,
    told: false,
    cut: Date.parse(input?.slice(ARRIVED_BEFORE.length) ?? ''),
    content: JSON.stringify({
      status,
      mature,
      predictions,
      labels,
      coverage,
      conflicts,
      metrics,
      confusion,
      calibration,
    }),
  };
}
