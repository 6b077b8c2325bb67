/**
 * A monitor over drawn columns: judges windows, days and weeks with the verdict of the platform and folds its episodes, as a replay
 * does (lib/local/replay.ts), from counts that were drawn instead of read.
 */
import type { ColumnBaseline } from '../../lib/contracts/baseline.ts';
import type { Episode } from '../../lib/contracts/episode.ts';
import { type Monitor, monitorSchema } from '../../lib/contracts/monitor.ts';
import type { WindowResult } from '../../lib/contracts/result.ts';
import { version as engine } from '../../lib/contracts/version.ts';
import { makeBaseline } from '../../lib/engine/baseline-maker.ts';
import type { ColumnCounts, WindowCounts } from '../../lib/engine/column-counts.ts';
import { EMPTY_FOLD, foldEpisodes } from '../../lib/engine/episode.ts';
import { type Judgement, judgementOfWindow } from '../../lib/engine/judgement.ts';
import { compileShape, type Shape } from '../../lib/engine/shape.ts';
import { judgeWindow } from '../../lib/engine/verdict.ts';
import { addUp, type DrawnColumn, inBins, placesOf, START, windowMs } from './drawn-column.ts';
import type { StreamPlan } from './streams.ts';

const UNSETTLED = { window: Number.POSITIVE_INFINITY, performance: Number.POSITIVE_INFINITY };
const NEVER = { window: Number.NEGATIVE_INFINITY, performance: Number.NEGATIVE_INFINITY };

export class SimulatedMonitor {
  readonly monitor: Monitor;
  private readonly shape: Shape;
  private readonly plan: StreamPlan;
  private readonly columns: readonly DrawnColumn[];
  private readonly places: readonly Int32Array[];
  private readonly rows: Int32Array;
  private readonly judgements: Judgement[] = [];

  /** `baselines`: one a column, of windows before those that are judged. */
  constructor(
    plan: StreamPlan,
    drawn: { readonly columns: readonly DrawnColumn[]; readonly rows: Int32Array },
    baselines: readonly ColumnBaseline[],
    budget = '1 per 30d',
  ) {
    const every = plan.cadence === 'hourly' ? '1h' : '1d';
    // Breaches of the contract do not occur in drawn counts: the rates that are judged as drift stay.
    this.monitor = monitorSchema.parse({ model: 'bench', budget, window: { every, minimumRows: 30 }, quality: 'off' });
    const baseline = makeBaseline({
      model: 'bench',
      version: null,
      source: { kind: 'windows', name: 'drawn', from: null, to: null },
      rows: drawn.rows.subarray(0, plan.baseline).reduce((sum, n) => sum + n, 0),
      window: { every, timezone: 'UTC', count: plan.baseline },
      columns: baselines,
      // Traffic is planned here, not observed: volume is another signal with its own share of the budget.
      volume: null,
      performance: null,
      findings: [],
    });
    this.shape = compileShape(this.monitor, baseline);
    this.plan = plan;
    this.columns = drawn.columns;
    this.rows = drawn.rows;
    this.places = drawn.columns.map(({ law }, c) => placesOf(law, baselines[c]!));
  }

  /** Judges window `t`, and every longer span that ends with it and began at or after window `from`. True when something is flagged. */
  judge(t: number, from: number): boolean {
    const ms = windowMs(this.plan);
    const start = START + t * ms;
    let flagged = false;
    for (const { index } of this.shape.windows.scales) {
      const span = this.shape.windows.scaleWindow(index, start);
      const first = Math.round((span.start - START) / ms);
      if (span.end !== start + ms || first < from) continue;
      const judgement = judgementOfWindow(this.resultOf(index, first, t + 1));
      this.judgements.push(judgement);
      if ((judgement.conditions.drift?.flagged.length ?? 0) > 0) flagged = true;
    }
    return flagged;
  }

  /** Episodes of drift, in order of opening. */
  episodes(): Episode[] {
    const { episodes } = foldEpisodes({ ...EMPTY_FOLD, settled: NEVER }, this.judgements, {
      monitor: this.monitor,
      settleAfter: UNSETTLED,
    });
    return episodes.filter(({ signal }) => signal === 'drift');
  }

  /** Start of window `t`, milliseconds since 1970. */
  startOf(t: number): number {
    return START + t * windowMs(this.plan);
  }

  private resultOf(scale: number, from: number, to: number): WindowResult {
    const ms = windowMs(this.plan);
    const start = START + from * ms;
    const end = START + to * ms;
    const hourly = this.plan.cadence === 'hourly';
    const parts = Array.from({ length: to - from }, (_, i) => ({ start: start + i * ms, rows: this.rows[from + i]! }));
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const verdict = judgeWindow({
      shape: this.shape,
      profile: this.window(from, to, rows),
      scale: { index: scale, start, end },
      ...(hourly ? { parts } : {}),
      others: 'none',
    });
    const iso = (at: number): string => new Date(at).toISOString();
    return {
      schema: 'mlmon.result/v1',
      model: this.monitor.model,
      version: 'bench',
      start: iso(start),
      end: iso(end),
      length: this.shape.windows.scales[scale]?.name ?? this.monitor.window.every,
      base: scale === 0,
      segment: null,
      rows,
      weightedRows: rows,
      ...verdict,
      provenance: {
        revision: 0,
        inputs: [],
        monitor: 0,
        baseline: null,
        engine,
        evaluatedAt: iso(end),
        rows: { onTime: rows, revising: 0, otherBaseline: 0 },
        partitions: { seen: 1, all: 1 },
      },
    };
  }

  private window(from: number, to: number, rows: number): WindowCounts {
    const columns: (ColumnCounts | undefined)[] = [];
    return {
      rows,
      weightedRows: rows,
      column: (index) => {
        const column = this.columns[index]!;
        columns[index] ??= inBins(addUp(column, from, to), this.places[index]!, this.shape.columns[index]!.baseline!);
        return columns[index]!;
      },
      segments: () => [],
      latency: { count: 0, zero: 0, scale: 0, buckets: [] },
      distinctIds: () => rows,
      newFeatures: () => [],
    };
  }
}
