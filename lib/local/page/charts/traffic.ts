/** Volume and latency over time. */
import type { EChartsCoreOption } from 'echarts/core';
import type { WindowView } from '../../../contracts/api.ts';
import { VERDICTS } from '../../../contracts/result.ts';
import { compact, count, latency } from '../words/numbers.ts';
import { stateWords } from '../words/states.ts';
import { utc, windowWords } from '../words/times.ts';
import type { Spanned } from './heatmap-model.ts';
import { type Palette, stateColour } from './palette.ts';
import { framed, spanAt, spanSeries, stepSeries, type Timeline } from './timeline.ts';
import { tooltipMarkup } from './tooltip.ts';

export function volumeOption(
  windows: readonly Spanned<WindowView>[],
  timeline: Timeline,
  palette: Palette,
  plotWidth: number,
): EChartsCoreOption {
  const usual = VERDICTS.indexOf('ok');
  return framed({
    timeline,
    palette,
    plotWidth,
    yAxis: { min: 0, axisLabel: { formatter: (value: number) => compact(value) } },
    tooltip: (at) => {
      const found = spanAt(windows, at, (one) => one.from);
      if (found === undefined) return '';
      const volume = found.item.volume;
      return tooltipMarkup(
        windowWords(found.from, found.to, timeline.zone),
        `from ${utc(found.from)}`,
        [
          { label: 'rows', value: count(found.item.rows) },
          { label: 'expected', value: count(volume?.expected) },
          { label: 'state', value: volume === null ? 'not judged' : stateWords(volume.status).word },
        ],
        volume?.summary,
      );
    },
    series: [
      spanSeries(
        'rows',
        windows.map(({ from, to, item }) => [
          from,
          to,
          0,
          item.rows,
          item.volume === null ? usual : Math.max(0, VERDICTS.indexOf(item.volume.status)),
        ]),
        VERDICTS.map((verdict) => ({
          fill: verdict === 'ok' || verdict === 'learning' ? palette.accentSoft : stateColour(palette, verdict),
        })),
        1,
      ),
      stepSeries(
        'expected',
        windows.map(({ from, to, item }) => ({ from, to, level: item.volume?.expected ?? null })),
        { color: palette.muted, width: 1, type: 'dotted' },
      ),
    ],
  });
}

/** p50 solid, p90 dashed, p99 dotted: told apart without colour. */
export const LATENCY_LINES = [
  { key: 'p50', dash: 'solid', width: 2 },
  { key: 'p90', dash: 'dashed', width: 1.75 },
  { key: 'p99', dash: 'dotted', width: 1.75 },
] as const;

export function latencyOption(
  windows: readonly Spanned<WindowView>[],
  timeline: Timeline,
  palette: Palette,
  plotWidth: number,
): EChartsCoreOption {
  return framed({
    timeline,
    palette,
    plotWidth,
    yAxis: { min: 0, axisLabel: { formatter: (value: number) => latency(value) } },
    tooltip: (at) => {
      const found = spanAt(windows, at, (one) => one.from);
      const seen = found?.item.latency;
      if (found === undefined || seen == null) return '';
      const rows = [
        { label: 'half within (p50)', value: latency(seen.p50) },
        { label: '90 % within (p90)', value: latency(seen.p90) },
        { label: '99 % within (p99)', value: latency(seen.p99) },
      ];
      if (seen.threshold !== null) rows.push({ label: 'limit', value: latency(seen.threshold) });
      return tooltipMarkup(
        windowWords(found.from, found.to, timeline.zone),
        `from ${utc(found.from)}`,
        rows,
        seen.summary,
      );
    },
    series: [
      ...LATENCY_LINES.map(({ key, dash, width }) => ({
        id: key,
        type: 'line',
        showSymbol: windows.length <= 2,
        symbolSize: 4,
        data: windows.map(({ from, to, item }) => [(from + to) / 2, item.latency?.[key] ?? null]),
        lineStyle: { color: palette.accent, width, type: dash },
        itemStyle: { color: palette.accent },
      })),
      stepSeries(
        'limit',
        windows.map(({ from, to, item }) => ({ from, to, level: item.latency?.threshold ?? null })),
        { color: palette.critical, width: 1.25, type: 'dashed' },
      ),
    ],
  });
}
