/** What all charts of one time axis share: its span, its ticks, the bands of episodes and incidents, and the frame of an option. */
import type { EChartsCoreOption } from 'echarts/core';
import { type Palette, severityColour, translucent } from './palette.ts';
import { type Tick, timeTicks } from './ticks.ts';

/** Room to the right of every plot: the scale of the charts, the newest effects of the heatmap. */
export const RIGHT_MARGIN = 52;

export interface Band {
  readonly from: number;
  readonly to: number;
  /** `chosen`: the window that is looked at. */
  readonly kind: 'scripted' | 'critical' | 'warning' | 'info' | 'chosen';
  readonly label: string;
}

export interface Timeline {
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  readonly bands: readonly Band[];
}

export function ticksFor(timeline: Timeline, plotWidth: number): Tick[] {
  return timeTicks(timeline.from, timeline.to, timeline.zone, Math.max(2, Math.floor(plotWidth / 76)));
}

/** Packs bands into as few lanes as keep them apart; a band narrower than `least` takes that much. */
export function lanes<T extends { readonly from: number; readonly to: number }>(
  bands: readonly T[],
  least: number,
): T[][] {
  const rows: { end: number; bands: T[] }[] = [];
  for (const band of [...bands].sort((a, b) => a.from - b.from || b.to - a.to)) {
    let row = rows.find(({ end }) => end <= band.from);
    if (row === undefined) {
      row = { end: Number.NEGATIVE_INFINITY, bands: [] };
      rows.push(row);
    }
    row.bands.push(band);
    row.end = Math.max(band.to, band.from + least);
  }
  return rows.map(({ bands: lane }) => lane);
}

export interface Frame {
  readonly timeline: Timeline;
  readonly palette: Palette;
  readonly plotWidth: number;
  readonly series: readonly Readonly<Record<string, unknown>>[];
  readonly yAxis: Readonly<Record<string, unknown>>;
  /** Markup of the tooltip at a time; every piece of data in it must be escaped. */
  readonly tooltip: (at: number) => string;
}

/** The option of one chart under the timeline. */
export function framed({ timeline, palette, plotWidth, series, yAxis, tooltip }: Frame): EChartsCoreOption {
  const ticks = ticksFor(timeline, plotWidth);
  const at = ticks.map((tick) => tick.at);
  const labels = new Map(ticks.map((tick) => [tick.at, tick.label]));
  return {
    animation: false,
    textStyle: { fontFamily: 'inherit' },
    grid: { left: 0, right: RIGHT_MARGIN, top: 10, bottom: 22, containLabel: false },
    tooltip: {
      trigger: 'axis',
      confine: true,
      appendTo: 'body',
      className: 'chart-tooltip',
      backgroundColor: palette.surface,
      borderColor: palette.line,
      padding: [8, 10],
      textStyle: { color: palette.text, fontSize: 13, fontFamily: 'inherit' },
      extraCssText: 'max-width:340px;white-space:normal;',
      transitionDuration: 0,
      axisPointer: { type: 'line', snap: false, lineStyle: { color: palette.muted, type: 'dashed' } },
      formatter: (params: unknown) => {
        const value = axisValue(params);
        return value === null ? '' : tooltip(value);
      },
    },
    xAxis: {
      type: 'value',
      min: timeline.from,
      max: timeline.to,
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: true, customValues: at, lineStyle: { color: palette.line } },
      axisLabel: {
        customValues: at,
        color: palette.muted,
        fontSize: 11,
        hideOverlap: true,
        formatter: (value: number) => labels.get(value) ?? '',
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      position: 'right',
      splitNumber: 2,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: palette.line, opacity: 0.7 } },
      ...yAxis,
      axisLabel: {
        color: palette.muted,
        fontSize: 11,
        showMinLabel: true,
        showMaxLabel: true,
        ...(yAxis['axisLabel'] as object),
      },
    },
    series: [bandSeries(timeline, palette), ...series],
  };
}

function axisValue(params: unknown): number | null {
  const first: unknown = Array.isArray(params) ? params[0] : params;
  if (typeof first !== 'object' || first === null) return null;
  const { axisValue: value } = first as { axisValue?: unknown };
  return typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : null;
}

/** Faint: several lie over one another, and the data over all of them. */
export function bandColour(palette: Palette, kind: Band['kind']): { colour: string; opacity: number } {
  if (kind === 'scripted') return { colour: palette.scripted, opacity: 0.07 };
  if (kind === 'chosen') return { colour: palette.accent, opacity: 0.16 };
  return { colour: severityColour(palette, kind), opacity: 0.07 };
}

/** A series without data that carries the bands. */
function bandSeries({ bands, from, to }: Timeline, palette: Palette): Readonly<Record<string, unknown>> {
  return {
    id: 'bands',
    type: 'line',
    silent: true,
    data: [],
    markArea: {
      silent: true,
      label: { show: false },
      data: bands
        .filter((band) => band.to > from && band.from < to)
        .map((band) => {
          const { colour, opacity } = bandColour(palette, band.kind);
          const scripted = band.kind === 'scripted';
          return [
            {
              xAxis: Math.max(from, band.from),
              itemStyle: {
                color: translucent(colour, opacity),
                borderColor: translucent(colour, 0.7),
                borderWidth: scripted || band.kind === 'chosen' ? 1 : 0,
                borderType: scripted ? 'dashed' : 'solid',
              },
            },
            { xAxis: Math.min(to, band.to) },
          ];
        }),
    },
  };
}

/** Rectangles over the span of their windows: [from, to, low, high, style index]. */
export function spanSeries(
  id: string,
  spans: readonly (readonly [number, number, number, number, number])[],
  styles: readonly Readonly<Record<string, unknown>>[],
  gap = 0,
): Readonly<Record<string, unknown>> {
  return {
    id,
    type: 'custom',
    clip: true,
    silent: true,
    encode: { x: [0, 1], y: [2, 3] },
    data: spans,
    renderItem: (_params: unknown, api: RenderApi) => {
      const [left, top] = api.coord([api.value(0), api.value(3)]);
      const [right, bottom] = api.coord([api.value(1), api.value(2)]);
      const width = right - left;
      const inset = width > 5 * gap ? gap : 0;
      return {
        type: 'rect',
        shape: { x: left + inset / 2, y: top, width: Math.max(1, width - inset), height: Math.max(0.5, bottom - top) },
        style: styles[api.value(4)] ?? {},
      };
    },
  };
}

interface RenderApi {
  value(dimension: number): number;
  coord(point: readonly [number, number]): [number, number];
}

/** The item whose span holds a time; the nearest one where none does. Items ascend. */
export function spanAt<T>(items: readonly T[], at: number, startOf: (item: T) => number): T | undefined {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (startOf(items[middle]!) <= at) low = middle;
    else high = middle - 1;
  }
  return items[low];
}

/** A level that holds for a window, drawn as steps over the windows; `null` breaks the line. */
export function stepSeries(
  id: string,
  levels: readonly { readonly from: number; readonly to: number; readonly level: number | null }[],
  line: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const data: [number, number | null][] = [];
  for (const { from, to, level } of levels) data.push([from, level], [to, level]);
  return { id, type: 'line', data, showSymbol: false, silent: true, lineStyle: line, connectNulls: false, z: 3 };
}
