/** Judges the windows of counted data as the platform would have, one after another, and folds episodes out of them. */
import type { Baseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import type { Episode } from '../contracts/episode.ts';
import type { Monitor } from '../contracts/monitor.ts';
import type { PerformanceResult, Provenance, WindowResult } from '../contracts/result.ts';
import { version as engine } from '../contracts/version.ts';
import { EMPTY_FOLD, foldEpisodes } from '../engine/episode.ts';
import { type Judgement, judgementOfPerformance, judgementOfWindow } from '../engine/judgement.ts';
import { performanceResult } from '../engine/performance.ts';
import type { PerformanceCounts } from '../engine/performance-counts.ts';
import type { Shape } from '../engine/shape.ts';
import { judgeWindow } from '../engine/verdict.ts';
import type { Span } from '../engine/window.ts';
import type { CountedWindows } from './counted-windows.ts';

const VERSION = 'replay';
/** A replay sees all rows at once: nothing is late and nothing is revised. */
const UNSETTLED = { window: Number.POSITIVE_INFINITY, performance: Number.POSITIVE_INFINITY };
const NEVER = { window: Number.NEGATIVE_INFINITY, performance: Number.NEGATIVE_INFINITY };

/** Neighbouring windows judged as one: a window by itself, or those that a longer scale is made of. */
export interface ReplayedSpan extends Span {
  readonly scale: number;
  /** Of the spans: first, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

export interface ReplayInput {
  readonly shape: Shape;
  readonly spans: readonly Span[];
  readonly counts: CountedWindows;
  /** By base window: whether the data covers it from its start to its end; volume is judged on no other. */
  readonly whole: readonly boolean[];
  /** By base window: rows by the start of their hour; `null` where windows have no hours. */
  readonly parts: readonly (readonly { readonly start: number; readonly rows: number }[])[] | null;
  /** By span of `replayedSpans`. */
  readonly distinct: readonly number[] | null;
  readonly performance: readonly PerformanceCounts[] | null;
  /** When the data ends: windows whose labels were still awaited then are not judged. `null`: all labels are there. */
  readonly labelledUntil: number | null;
}

export interface Replay {
  /** The monitor's own windows, in order. */
  readonly windows: readonly WindowResult[];
  /** In order of opening. */
  readonly episodes: readonly Episode[];
}

/** Every window, and every longer one that the windows fill from start to end; a longer one follows the last that it holds. */
export function replayedSpans({ windows }: Shape, spans: readonly Span[]): ReplayedSpan[] {
  const all: ReplayedSpan[] = spans.map((span, i) => ({ ...span, scale: 0, from: i, to: i + 1 }));
  const [first, last] = [spans[0], spans.at(-1)];
  if (first === undefined || last === undefined) return all;
  for (const { index } of windows.scales.slice(1)) {
    for (let from = 0; from < spans.length; ) {
      const { start, end } = windows.scaleWindow(index, spans[from]!.start);
      let to = from + 1;
      while (to < spans.length && spans[to]!.start < end) to++;
      if (start >= first.start && end <= last.end) all.push({ start, end, scale: index, from, to });
      from = to;
    }
  }
  return all.sort((a, b) => a.end - b.end || a.scale - b.scale);
}

export function replay(input: ReplayInput, replayed: readonly ReplayedSpan[]): Replay {
  const { shape, counts } = input;
  const { monitor, baseline } = shape;
  const quiet: Shape = baseline === null ? shape : { ...shape, baseline: { ...baseline, volume: null } };
  const windows: WindowResult[] = [];
  const judgements: Judgement[] = [];
  replayed.forEach((span, i) => {
    const { start, end, scale, from, to } = span;
    const profile = counts.between(from, to, input.distinct?.[i] ?? null);
    const isWhole = input.whole.slice(from, to).every(Boolean);
    const verdict = judgeWindow({
      shape: isWhole ? shape : quiet,
      profile,
      scale: { index: scale, start, end },
      ...(input.parts === null ? {} : { parts: input.parts.slice(from, to).flat() }),
      others: 'none',
    });
    const result: WindowResult = {
      schema: 'mlmon.result/v1',
      model: monitor.model,
      version: VERSION,
      ...times(span, shape),
      base: scale === 0,
      segment: null,
      rows: profile.rows,
      weightedRows: profile.weightedRows,
      ...verdict,
      provenance: provenance(end, profile.rows),
    };
    judgements.push(judgementOfWindow(result));
    if (scale === 0) windows.push(result);
  });
  judgements.push(...performanceJudgements(input, monitor, baseline));
  const { episodes } = foldEpisodes({ ...EMPTY_FOLD, settled: NEVER }, judgements, { monitor, settleAfter: UNSETTLED });
  return { windows, episodes };
}

function performanceJudgements(
  { shape, spans, performance, labelledUntil }: ReplayInput,
  monitor: Monitor,
  baseline: Baseline | null,
): Judgement[] {
  if (performance === null) return [];
  const horizon = durationMs(monitor.truth.horizon);
  return spans.flatMap((span, i) => {
    const counts = performance[i];
    if (counts === undefined || counts.predictions === 0) return [];
    const mature =
      labelledUntil === null || span.end + horizon <= labelledUntil || counts.labels === counts.predictions;
    const lengthMs = span.end - span.start;
    const result: PerformanceResult = {
      schema: 'mlmon.performance/v1',
      model: monitor.model,
      version: VERSION,
      ...times({ ...span, scale: 0 }, shape),
      ...performanceResult(counts, monitor, baseline?.performance ?? null, { mature, lengthMs }),
      provenance: provenance(span.end, counts.predictions),
    };
    return [judgementOfPerformance(result)];
  });
}

function times(
  { start, end, scale }: Span & { readonly scale: number },
  { windows }: Shape,
): { readonly start: string; readonly end: string; readonly length: string } {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return { start: iso(start), end: iso(end), length: windows.scales[scale]?.name ?? windows.window.every };
}

function provenance(end: number, rows: number): Provenance {
  return {
    revision: 0,
    inputs: [],
    monitor: 0,
    baseline: null,
    engine,
    evaluatedAt: new Date(end).toISOString(),
    rows: { onTime: rows, revising: 0, otherBaseline: 0 },
    partitions: { seen: 1, all: 1 },
  };
}
