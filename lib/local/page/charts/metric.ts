/** One metric over time: value, confidence interval, floor, baseline; what still waits for labels looks unfinished. */
import type { EChartsCoreOption } from 'echarts/core';
import type { PerformanceView } from '../../../contracts/api.ts';
import type { MetricResult } from '../../../contracts/result.ts';
import { lowerIsBetter, metricValue } from '../words/metrics.ts';
import { count, share } from '../words/numbers.ts';
import { stateWords } from '../words/states.ts';
import { instant, utc, windowWords } from '../words/times.ts';
import { type Palette, translucent } from './palette.ts';
import { framed, spanAt, spanSeries, stepSeries, type Timeline } from './timeline.ts';
import { tooltipMarkup } from './tooltip.ts';

export interface MetricPoint {
  readonly from: number;
  readonly to: number;
  readonly mature: boolean;
  readonly coverage: number | null;
  readonly labels: number;
  readonly result: MetricResult;
}

/** The windows that say something of this metric, oldest first. */
export function metricPoints(performance: readonly PerformanceView[], metric: string): MetricPoint[] {
  return performance
    .flatMap((view) => {
      const from = instant(view.start);
      const to = instant(view.end);
      const result = view.metrics.find((one) => one.metric === metric);
      if (from === null || to === null || result === undefined) return [];
      return [{ from, to, mature: view.mature, coverage: view.coverage, labels: view.labels, result }];
    })
    .sort((a, b) => a.from - b.from);
}

/** Two lines: the mature one solid, the immature one dashed; the latter begins at the last mature point, so that they meet. */
export function maturityLines(points: readonly MetricPoint[]): {
  mature: [number, number | null][];
  immature: [number, number | null][];
} {
  const mature: [number, number | null][] = [];
  const immature: [number, number | null][] = [];
  points.forEach((point, i) => {
    const at = (point.from + point.to) / 2;
    const value = point.result.value;
    const besideImmature = points[i + 1]?.mature === false || points[i - 1]?.mature === false;
    mature.push([at, point.mature ? value : null]);
    immature.push([at, !point.mature || besideImmature ? value : null]);
  });
  return { mature, immature };
}

export function metricOption(
  metric: string,
  points: readonly MetricPoint[],
  timeline: Timeline,
  palette: Palette,
  plotWidth: number,
): EChartsCoreOption {
  const { mature, immature } = maturityLines(points);
  const bad = points
    .filter((point) => point.result.status === 'drifted' && point.result.value !== null)
    .map((point) => [(point.from + point.to) / 2, point.result.value]);
  const few = points.length <= 40;
  return framed({
    timeline,
    palette,
    plotWidth,
    yAxis: {
      scale: true,
      boundaryGap: ['8%', '8%'],
      axisLabel: { formatter: (value: number) => metricValue(metric, value) },
    },
    tooltip: (at) => metricTooltip(metric, points, timeline.zone, at),
    series: [
      spanSeries(
        'interval',
        points.flatMap((point) =>
          point.result.interval === null
            ? []
            : [[point.from, point.to, point.result.interval[0], point.result.interval[1], point.mature ? 0 : 1]],
        ),
        [
          { fill: translucent(palette.accent, 0.2) },
          { fill: translucent(palette.accent, 0.05), stroke: translucent(palette.accent, 0.45), lineDash: [2, 2] },
        ],
      ),
      stepSeries(
        'baseline',
        points.map((point) => ({ from: point.from, to: point.to, level: point.result.baseline })),
        { color: palette.muted, width: 1, type: 'dotted' },
      ),
      stepSeries(
        'threshold',
        points.map((point) => ({ from: point.from, to: point.to, level: point.result.threshold })),
        { color: palette.critical, width: 1.25, type: 'dashed' },
      ),
      {
        id: 'mature',
        type: 'line',
        data: mature,
        symbol: 'circle',
        symbolSize: 4,
        showSymbol: few,
        lineStyle: { color: palette.accent, width: 2 },
        itemStyle: { color: palette.accent },
        z: 4,
      },
      {
        id: 'immature',
        type: 'line',
        data: immature,
        symbol: 'emptyCircle',
        symbolSize: 5,
        showSymbol: true,
        lineStyle: { color: palette.accent, width: 1.5, type: [3, 4] },
        itemStyle: { color: palette.accent, borderWidth: 1.5 },
        z: 4,
      },
      {
        id: 'worse',
        type: 'line',
        data: bad,
        symbol: 'diamond',
        symbolSize: 9,
        showSymbol: true,
        lineStyle: { width: 0, opacity: 0 },
        itemStyle: { color: palette.states.drifted, borderColor: palette.surface, borderWidth: 1 },
        z: 6,
      },
    ],
  });
}

function metricTooltip(metric: string, points: readonly MetricPoint[], zone: string, at: number): string {
  const point = spanAt(points, at, (one) => one.from);
  if (point === undefined) return '';
  const { result } = point;
  const value = (x: number | null): string => metricValue(metric, x);
  const rows = [{ label: point.mature ? 'value' : 'value so far', value: value(result.value) }];
  if (result.interval !== null)
    rows.push({ label: '95 % interval', value: `${value(result.interval[0])} to ${value(result.interval[1])}` });
  if (result.baseline !== null) rows.push({ label: 'baseline', value: value(result.baseline) });
  if (result.threshold !== null)
    rows.push({ label: lowerIsBetter(metric) ? 'limit, at most' : 'limit, at least', value: value(result.threshold) });
  rows.push({ label: 'labels arrived', value: `${share(point.coverage)} (${count(point.labels)})` });
  const state = point.mature
    ? stateWords(result.status).word
    : `${stateWords(result.status).word}; labels still arrive`;
  rows.push({ label: 'state', value: state });
  return tooltipMarkup(windowWords(point.from, point.to, zone), `from ${utc(point.from)}`, rows, result.reason);
}

/** The share of labels that arrived, window by window. */
export function coverageOption(
  performance: readonly PerformanceView[],
  timeline: Timeline,
  palette: Palette,
  plotWidth: number,
): EChartsCoreOption {
  const spans = performance.flatMap((view) => {
    const from = instant(view.start);
    const to = instant(view.end);
    return from === null || to === null ? [] : [{ from, to, view }];
  });
  return framed({
    timeline,
    palette,
    plotWidth,
    yAxis: { min: 0, max: 1, splitNumber: 1, axisLabel: { formatter: (value: number) => share(value) } },
    tooltip: (at) => {
      const found = spanAt(spans, at, (one) => one.from);
      if (found === undefined) return '';
      const { view } = found;
      return tooltipMarkup(windowWords(found.from, found.to, timeline.zone), `from ${utc(found.from)}`, [
        { label: 'predictions', value: count(view.predictions) },
        { label: 'labels arrived', value: `${count(view.labels)} (${share(view.coverage)})` },
        { label: 'contradictory', value: count(view.conflicts) },
        { label: 'state', value: view.mature ? 'mature' : 'immature; labels still arrive' },
      ]);
    },
    series: [
      spanSeries(
        'coverage',
        spans.map(({ from, to, view }) => [from, to, 0, view.coverage ?? 0, view.mature ? 0 : 1]),
        [
          { fill: palette.accentSoft },
          { fill: translucent(palette.accent, 0.1), stroke: translucent(palette.accent, 0.6), lineDash: [2, 2] },
        ],
        1,
      ),
    ],
  });
}
