/** What a replay makes of ends of the data: of windows, of longer scales, and of labels that were still awaited. */
import { describe, expect, it } from 'vitest';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import type { PerformanceCounts } from '../../lib/engine/performance-counts.ts';
import { compileShape, type Shape } from '../../lib/engine/shape.ts';
import type { Span } from '../../lib/engine/window.ts';
import { CountedWindows } from '../../lib/local/counted-windows.ts';
import { type Replay, type ReplayInput, replay, replayedSpans } from '../../lib/local/replay.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Monday. */
const START = Date.UTC(2024, 0, 1);
const days = (from: number, to: number): Span[] =>
  Array.from({ length: to - from }, (_, i) => ({ start: START + (from + i) * DAY, end: START + (from + i + 1) * DAY }));

/** Thousand rows a day for four weeks, and nothing else. */
function shapeOf(more: Readonly<Record<string, unknown>> = {}): Shape {
  const { monitor, problems } = parseMonitor({
    model: 'm',
    window: { every: '1d' },
    drift: { scales: ['1d', '7d'] },
    ...more,
  });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  const baseline: Baseline = {
    schema: 'mlmon.baseline/v1',
    model: 'm',
    version: '1',
    source: { kind: 'file', name: 'f', from: null, to: null },
    rows: 28_000,
    window: { every: '1d', timezone: 'UTC', count: 28 },
    columns: [],
    volume: {
      starts: days(0, 28).map(({ start }) => start),
      rows: days(0, 28).map((_, i) => 980 + ((i * 17) % 41)),
    },
    performance: null,
    findings: [],
  };
  return compileShape(monitor, baseline);
}

function replayed(rows: readonly number[], more: Partial<ReplayInput> = {}, shape = shapeOf()): Replay {
  const spans = days(28, 28 + rows.length);
  const counts = new CountedWindows({ shape, rows, weighted: rows, cells: [], latency: null });
  return replay(
    {
      shape,
      spans,
      counts,
      whole: spans.map(() => true),
      parts: null,
      distinct: null,
      performance: null,
      labelledUntil: null,
      ...more,
    },
    replayedSpans(shape, spans),
  );
}

describe('a replay', () => {
  it('takes longer scales where days fill them from start to end', () => {
    const longer = (from: number, to: number): number[][] =>
      replayedSpans(shapeOf(), days(from, to))
        .filter(({ scale }) => scale === 1)
        .map(({ start, end, from: first, to: last }) => [(start - START) / DAY, (end - START) / DAY, first, last]);
    // Weeks begin on Mondays.
    expect(longer(0, 14)).toEqual([
      [0, 7, 0, 7],
      [7, 14, 7, 14],
    ]);
    expect(longer(2, 14)).toEqual([[7, 14, 5, 12]]);
    expect(longer(0, 13)).toEqual([[0, 7, 0, 7]]);
    expect(longer(2, 13)).toEqual([]);
    const order = replayedSpans(shapeOf(), days(0, 14)).map(({ end, scale }) => end + scale);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('judges the volume of windows that the data cover, and of no others', () => {
    const volumes = ({ windows }: Replay) => windows.map(({ volume }) => volume?.status ?? null);
    const rows = [100, 1_000, 1_010];
    expect(volumes(replayed(rows))).toEqual(['drifted', 'ok', 'ok']);
    expect(volumes(replayed(rows, { whole: [false, true, true] }))).toEqual([null, 'ok', 'ok']);
    // A week that holds such a day is not covered either.
    const week = [100, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000];
    const spans = replayed(week, { whole: week.map((_, i) => i > 0) });
    expect(spans.episodes).toEqual([]);
  });

  it('waits for labels until their horizon is over', () => {
    const labels = { task: 'binary-classification', positive: 'y', truth: { horizon: '12h' } };
    const none: PerformanceCounts = { kind: 'classification', predictions: 1_000, labels: 0, conflicts: 0, cells: [] };
    const blind = (labelledUntil: number | null): number =>
      replayed([1_000], { performance: [none], labelledUntil }, shapeOf(labels)).episodes.filter(
        ({ signal }) => signal === 'blind',
      ).length;
    const due = START + 29 * DAY + 12 * HOUR;
    expect([due - 1, due, null].map(blind)).toEqual([0, 1, 1]);
  });
});
