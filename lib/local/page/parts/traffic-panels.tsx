/** How much and how fast. */
import type { VNode } from 'preact';
import { useCallback } from 'preact/hooks';
import type { WindowView } from '../../../contracts/api.ts';
import type { Spanned } from '../charts/heatmap-model.ts';
import type { Palette } from '../charts/palette.ts';
import type { Timeline } from '../charts/timeline.ts';
import { latencyOption, volumeOption } from '../charts/traffic.ts';
import { count, latency } from '../words/numbers.ts';
import { Chart } from './chart.tsx';

export function TrafficPanels({
  windows,
  timeline,
}: {
  readonly windows: readonly Spanned<WindowView>[];
  readonly timeline: Timeline;
}): VNode {
  const volume = useCallback(
    (palette: Palette, width: number) => volumeOption(windows, timeline, palette, width),
    [windows, timeline],
  );
  const speed = useCallback(
    (palette: Palette, width: number) => latencyOption(windows, timeline, palette, width),
    [windows, timeline],
  );
  const newest = windows.at(-1)?.item;
  const timed = windows.findLast(({ item }) => item.latency !== null && item.latency.count > 0)?.item.latency;
  return (
    <section class="card" aria-labelledby="traffic">
      <div class="section-head">
        <h2 id="traffic">Traffic</h2>
      </div>
      <div class="panel">
        <div class="panel-name">
          <h3>Rows</h3>
          <div class="figure">{count(newest?.rows)}</div>
          <div class="sub">
            {newest?.volume?.expected == null
              ? 'newest window'
              : `newest window; ${count(newest.volume.expected)} expected`}
          </div>
        </div>
        <Chart label={`Rows by window; newest ${count(newest?.rows)}`} height={110} build={volume} />
      </div>
      {timed == null ? (
        <p class="muted">No latencies have been sent.</p>
      ) : (
        <div class="panel">
          <div class="panel-name">
            <h3>Latency</h3>
            <div class="figure">{latency(timed.p99)}</div>
            <div class="sub">
              99 % within; <i class="line-key solid" /> p50 <i class="line-key dashed" /> p90{' '}
              <i class="line-key dotted-accent" /> p99
            </div>
          </div>
          <Chart
            label={`Latency by window: half within ${latency(timed.p50)}, 90 % within ${latency(timed.p90)}, 99 % within ${latency(timed.p99)}`}
            height={130}
            build={speed}
          />
        </div>
      )}
    </section>
  );
}
