/** One chart: made once, changed in place, as wide as its place, and described in words for those who do not see it. */
import { BarChart, CustomChart, LineChart } from 'echarts/charts';
import { GridComponent, MarkAreaComponent, TooltipComponent } from 'echarts/components';
import { type EChartsCoreOption, type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Palette } from '../charts/palette.ts';
import { RIGHT_MARGIN } from '../charts/timeline.ts';
import { usePalette } from './theme.ts';

use([BarChart, CustomChart, LineChart, GridComponent, MarkAreaComponent, TooltipComponent, CanvasRenderer]);

export interface ChartProps {
  readonly label: string;
  readonly height: number;
  /** Must stay identical while its data does: it is what decides whether anything is drawn. */
  readonly build: (palette: Palette, plotWidth: number) => EChartsCoreOption;
  /** A click on the plot, as a value of the horizontal axis. */
  readonly onPick?: (at: number) => void;
}

export function Chart({ label, height, build, onPick }: ChartProps): VNode {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const [width, setWidth] = useState(0);
  const palette = usePalette();
  const pick = useRef(onPick);
  pick.current = onPick;

  useEffect(() => {
    const element = host.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) setWidth(element.clientWidth);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const element = host.current;
    if (element === null || width === 0) return;
    if (chart.current === null) {
      const made = init(element, null, { renderer: 'canvas', width, height });
      made.getZr().on('click', (event: { offsetX: number; offsetY: number }) => {
        const at = made.convertFromPixel({ xAxisIndex: 0 }, event.offsetX);
        if (typeof at === 'number' && Number.isFinite(at)) pick.current?.(at);
      });
      chart.current = made;
    } else chart.current.resize({ width, height });
    chart.current.setOption(build(palette, width - RIGHT_MARGIN), { replaceMerge: ['series'] });
  }, [build, palette, width, height]);

  return (
    <div
      class={onPick === undefined ? 'chart' : 'chart pickable'}
      ref={host}
      style={{ height: `${height}px` }}
      role="img"
      aria-label={label}
    />
  );
}
