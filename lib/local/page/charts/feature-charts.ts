/** One feature: its bars against the baseline, and its history. */
import type { EChartsCoreOption } from 'echarts/core';
import type { DistributionView, FeatureAnswer } from '../../../contracts/api.ts';
import { compact, effectText, number, points, share, shortened } from '../words/numbers.ts';
import { visible } from '../words/safe.ts';
import { EFFECT_STEPS, effectStep, effectWord, stateWords } from '../words/states.ts';
import { utc, windowWords } from '../words/times.ts';
import type { Spanned } from './heatmap-model.ts';
import { type Palette, stateColour, translucent } from './palette.ts';
import { framed, spanAt, spanSeries, type Timeline } from './timeline.ts';
import { tooltipMarkup } from './tooltip.ts';

type Bin = DistributionView['bins'][number];
export type HistoryPoint = FeatureAnswer['history'][number];

/** Side by side, baseline first; along the page for numbers, down the page for names, which are long. */
export function distributionOption(bins: readonly Bin[], names: boolean, palette: Palette): EChartsCoreOption {
  const labels = bins.map((bin) => visible(bin.label));
  const category = {
    type: 'category',
    data: labels,
    inverse: names,
    axisLine: { lineStyle: { color: palette.line } },
    axisTick: { show: false },
    axisLabel: {
      color: palette.muted,
      fontSize: 11,
      interval: names ? 0 : 'auto',
      hideOverlap: !names,
      formatter: (label: string) => shortened(label, names ? 18 : 14),
    },
  };
  const value = {
    type: 'value',
    min: 0,
    splitNumber: 3,
    axisLabel: { color: palette.muted, fontSize: 11, formatter: (x: number) => share(x) },
    splitLine: { lineStyle: { color: palette.line, opacity: 0.7 } },
  };
  const bars = { type: 'bar', barGap: '0%', barCategoryGap: names ? '28%' : '18%' };
  return {
    animation: false,
    textStyle: { fontFamily: 'inherit' },
    grid: { left: 8, right: 16, top: 12, bottom: 8, containLabel: true },
    tooltip: {
      trigger: 'axis',
      confine: true,
      className: 'chart-tooltip',
      appendTo: 'body',
      backgroundColor: palette.surface,
      borderColor: palette.line,
      textStyle: { color: palette.text, fontSize: 13, fontFamily: 'inherit' },
      extraCssText: 'max-width:340px;white-space:normal;',
      transitionDuration: 0,
      axisPointer: { type: 'shadow' },
      formatter: (params: unknown) => {
        const index = dataIndex(params);
        const bin = index === null ? undefined : bins[index];
        return bin === undefined ? '' : binTooltip(bin);
      },
    },
    xAxis: names ? value : category,
    yAxis: names ? category : value,
    series: [
      {
        ...bars,
        id: 'reference',
        name: 'baseline',
        data: bins.map((bin) => bin.reference),
        itemStyle: { color: translucent(palette.reference, 0.35), borderColor: palette.reference, borderWidth: 1 },
      },
      {
        ...bars,
        id: 'current',
        name: 'this window',
        data: bins.map((bin) => bin.current),
        itemStyle: { color: palette.current },
      },
    ],
  };
}

function binTooltip(bin: Bin): string {
  return tooltipMarkup(visible(bin.label), 'share of rows', [
    { label: 'baseline', value: share(bin.reference) },
    { label: 'this window', value: share(bin.current) },
    { label: 'change', value: points(bin.current - bin.reference) },
  ]);
}

function dataIndex(params: unknown): number | null {
  const first: unknown = Array.isArray(params) ? params[0] : params;
  if (typeof first !== 'object' || first === null) return null;
  const { dataIndex: index } = first as { dataIndex?: unknown };
  return typeof index === 'number' ? index : null;
}

/** History has starts only: a window lasts until the next one, the last as long as the shortest of them. */
export function historySpans(history: readonly HistoryPoint[], fallbackMs: number): Spanned<HistoryPoint>[] {
  const points = history
    .flatMap((item) => {
      const from = Date.parse(item.start);
      return Number.isFinite(from) ? [{ from, item }] : [];
    })
    .sort((a, b) => a.from - b.from);
  let usual = Number.POSITIVE_INFINITY;
  for (let i = 1; i < points.length; i++) {
    const gap = points[i]!.from - points[i - 1]!.from;
    if (gap > 0 && gap < usual) usual = gap;
  }
  if (!Number.isFinite(usual)) usual = fallbackMs;
  // Days of 23 and 25 hours are no gaps; anything longer is.
  return points.map(({ from, item }, i) => {
    const next = points[i + 1]?.from ?? Number.POSITIVE_INFINITY;
    return { from, to: next - from <= usual * 1.1 ? next : from + usual, item };
  });
}

export type HistoryKind = 'effect' | 'missing' | 'mean';

export function historyOption(
  kind: HistoryKind,
  history: readonly Spanned<HistoryPoint>[],
  timeline: Timeline,
  palette: Palette,
  plotWidth: number,
): EChartsCoreOption {
  const tooltip = (at: number): string => historyTooltip(history, timeline.zone, at);
  const frame = { timeline, palette, plotWidth, tooltip };
  if (kind === 'effect') {
    const styles = [
      ...palette.quiet.map((fill) => ({ fill })),
      ...palette.drift.map((fill) => ({ fill, stroke: palette.states.drifted, lineWidth: 1 })),
      { fill: 'transparent', stroke: stateColour(palette, 'insufficient-data') },
    ];
    const largest = Math.max(0.12, ...history.map(({ item }) => item.effect ?? 0));
    return framed({
      ...frame,
      // A category that was never seen has an effect without bound; it must not flatten all others.
      yAxis: { min: 0, max: largest > 1 ? 1 : null, axisLabel: { formatter: (x: number) => effectText(x) } },
      series: [
        spanSeries(
          'effect',
          history.map(({ from, to, item }) => [
            from,
            to,
            0,
            item.effect ?? 0,
            item.status === 'drifted'
              ? 5 + effectStep(item.effect)
              : item.status === 'ok'
                ? effectStep(item.effect)
                : 10,
          ]),
          styles,
          1,
        ),
        ...EFFECT_STEPS.filter((level) => level <= largest).map((level) => ({
          id: `level-${level}`,
          type: 'line',
          silent: true,
          showSymbol: false,
          data: [
            [timeline.from, level],
            [timeline.to, level],
          ],
          lineStyle: { color: palette.muted, width: 0.75, type: 'dotted' },
        })),
      ],
    });
  }
  const line = {
    id: kind,
    type: 'line',
    showSymbol: history.length <= 2,
    symbolSize: 4,
    data: history.map(({ from, to, item }) => [(from + to) / 2, item[kind]]),
    lineStyle: { color: palette.accent, width: 2 },
    itemStyle: { color: palette.accent },
  };
  const mostMissing = Math.max(0, ...history.map(({ item }) => item.missing ?? 0));
  if (kind === 'missing')
    return framed({
      ...frame,
      yAxis: { min: 0, max: mostMissing < 0.01 ? 0.01 : null, axisLabel: { formatter: (x: number) => share(x) } },
      series: [{ ...line, areaStyle: { color: translucent(palette.accent, 0.14) } }],
    });
  return framed({
    ...frame,
    yAxis: { scale: true, axisLabel: { formatter: (x: number) => compact(x) } },
    series: [
      spanSeries(
        'spread',
        history.flatMap(({ from, to, item }) =>
          item.mean === null || item.std === null
            ? []
            : [[from, to, item.mean - item.std, item.mean + item.std, 0] as const],
        ),
        [{ fill: translucent(palette.accent, 0.12) }],
      ),
      line,
    ],
  });
}

function historyTooltip(history: readonly Spanned<HistoryPoint>[], zone: string, at: number): string {
  const found = spanAt(history, at, (one) => one.from);
  if (found === undefined) return '';
  const { item } = found;
  const rows = [
    { label: 'state', value: stateWords(item.status).word },
    { label: 'effect', value: item.effect === null ? '–' : `${effectText(item.effect)} (${effectWord(item.effect)})` },
    { label: 'missing', value: share(item.missing) },
  ];
  if (item.mean !== null)
    rows.push({ label: 'mean ± standard deviation', value: `${number(item.mean, 4)} ± ${number(item.std, 3)}` });
  return tooltipMarkup(windowWords(found.from, found.to, zone), `from ${utc(found.from)}`, rows);
}
