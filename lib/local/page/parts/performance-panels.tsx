/** How well the model does: labels that arrived, the metrics one chooses, and the newest mature window in detail. */
import type { VNode } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { PerformanceView } from '../../../contracts/api.ts';
import { coverageOption, type MetricPoint, metricOption, metricPoints } from '../charts/metric.ts';
import type { Palette } from '../charts/palette.ts';
import type { Timeline } from '../charts/timeline.ts';
import { metricName, metricValue, orderedMetrics } from '../words/metrics.ts';
import { count, number, share } from '../words/numbers.ts';
import { Chart } from './chart.tsx';
import { Empty, Name, StateChip, WindowName } from './words.tsx';

export interface PerformancePanelsProps {
  readonly performance: readonly PerformanceView[];
  readonly timeline: Timeline;
  readonly horizon: string;
  readonly task: string;
  readonly zone: string;
  /** The window of the monitor, for which alone performance is judged, when another length is shown. */
  readonly judgedOn: string | null;
}

export function PerformancePanels({
  performance,
  timeline,
  horizon,
  task,
  zone,
  judgedOn,
}: PerformancePanelsProps): VNode {
  const metrics = useMemo(
    () => orderedMetrics([...new Set(performance.flatMap((view) => view.metrics.map(({ metric }) => metric)))]),
    [performance],
  );
  const [wanted, setWanted] = useState<readonly string[] | null>(null);
  const shown = (wanted ?? metrics.slice(0, 2)).filter((metric) => metrics.includes(metric));
  const build = useCallback(
    (palette: Palette, width: number) => coverageOption(performance, timeline, palette, width),
    [performance, timeline],
  );
  const newest = performance.at(-1);
  const mature = performance.findLast((view) => view.mature && view.metrics.length > 0);
  return (
    <section class="card" aria-labelledby="performance">
      <div class="section-head">
        <h2 id="performance">Performance</h2>
        {metrics.length > 1 ? (
          <fieldset class="filters" aria-label="Metrics shown">
            {metrics.map((metric) => (
              <button
                key={metric}
                type="button"
                class="filter"
                aria-pressed={shown.includes(metric)}
                onClick={() =>
                  setWanted(
                    shown.includes(metric)
                      ? shown.filter((one) => one !== metric)
                      : metrics.filter((one) => one === metric || shown.includes(one)),
                  )
                }
              >
                {metricName(metric)}
              </button>
            ))}
          </fieldset>
        ) : null}
      </div>
      {newest === undefined ? (
        <Empty
          title={
            task === 'none'
              ? 'This monitor has no task, so there is no performance to show'
              : judgedOn !== null
                ? `Performance is judged on windows of ${judgedOn}`
                : 'No labels have arrived yet'
          }
        >
          {task === 'none'
            ? 'Set `task` in the monitor, and send the truth to POST /v1/labels.'
            : judgedOn !== null
              ? `Choose ${judgedOn} above to see it.`
              : 'Send the truth for each prediction id to POST /v1/labels.'}
        </Empty>
      ) : (
        <>
          {shown.map((metric) => (
            <MetricPanel key={metric} metric={metric} performance={performance} timeline={timeline} />
          ))}
          <div class="panel">
            <div class="panel-name">
              <h3>Labels arrived</h3>
              <div class="figure">{share(newest.coverage)}</div>
              <div class="sub">newest window; waited for {horizon}</div>
            </div>
            <Chart
              label={`Share of labels that arrived, by window; newest ${share(newest.coverage)}`}
              height={84}
              build={build}
            />
          </div>
          <p class="chart-notes">
            <span>
              <i class="line-key solid" /> value
            </span>
            <span>
              <i class="line-key immature" /> labels still arriving
            </span>
            <span>
              <i class="area-key" /> 95 % interval
            </span>
            <span>
              <i class="line-key threshold" /> limit
            </span>
            <span>
              <i class="line-key dotted" /> baseline
            </span>
          </p>
          <p class="sub">
            An alert opens when a mature window is worse than its limit by more than chance and the ordinary differences
            between windows explain.
          </p>
          {mature === undefined ? null : <Mature view={mature} zone={zone} />}
        </>
      )}
    </section>
  );
}

function MetricPanel({
  metric,
  performance,
  timeline,
}: {
  readonly metric: string;
  readonly performance: readonly PerformanceView[];
  readonly timeline: Timeline;
}): VNode {
  const points = useMemo(() => metricPoints(performance, metric), [performance, metric]);
  const build = useCallback(
    (palette: Palette, width: number) => metricOption(metric, points, timeline, palette, width),
    [metric, points, timeline],
  );
  const mature = points.findLast((point) => point.mature && point.result.value !== null);
  const newest: MetricPoint | undefined = mature ?? points.at(-1);
  const value = metricValue(metric, newest?.result.value);
  return (
    <div class="panel">
      <div class="panel-name">
        <h3>{metricName(metric)}</h3>
        <div class="figure">{value}</div>
        <div class="sub">
          {mature === undefined ? 'so far, immature' : 'newest mature window'}
          {newest?.result.threshold == null ? '' : `; limit ${metricValue(metric, newest.result.threshold)}`}
        </div>
      </div>
      <Chart
        label={`${metricName(metric)} by window with its 95 % interval; newest ${value}`}
        height={150}
        build={build}
      />
    </div>
  );
}

function Mature({ view, zone }: { readonly view: PerformanceView; readonly zone: string }): VNode {
  return (
    <details class="details">
      <summary>
        All figures of the newest mature window, <WindowName start={view.start} end={view.end} zone={zone} />
      </summary>
      <div class="window-lists">
        <div class="scroll-x">
          <table>
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col">Value</th>
                <th scope="col">95 % interval</th>
                <th scope="col">Baseline</th>
                <th scope="col">Limit</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {view.metrics.map((result) => (
                <tr key={result.metric}>
                  <th scope="row">{metricName(result.metric)}</th>
                  <td class="numeric">{metricValue(result.metric, result.value)}</td>
                  <td class="numeric">
                    {result.interval === null
                      ? '–'
                      : `${metricValue(result.metric, result.interval[0])} to ${metricValue(result.metric, result.interval[1])}`}
                  </td>
                  <td class="numeric">{metricValue(result.metric, result.baseline)}</td>
                  <td class="numeric">{metricValue(result.metric, result.threshold)}</td>
                  <td title={result.reason}>
                    <StateChip status={result.status} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {view.confusion === null ? null : (
          <div class="scroll-x">
            <table class="confusion">
              <caption>Truth (rows) against prediction (columns)</caption>
              <thead>
                <tr>
                  <td />
                  {view.confusion.classes.map((name) => (
                    <th scope="col" key={name}>
                      <Name text={name} most={16} />
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {view.confusion.counts.map((row, i) => {
                  const name = view.confusion?.classes[i] ?? '';
                  const total = row.reduce((sum, n) => sum + n, 0);
                  return (
                    <tr key={name}>
                      <th scope="row">
                        <Name text={name} most={16} />
                      </th>
                      {row.map((n, j) => (
                        <td key={view.confusion?.classes[j] ?? j} class="numeric">
                          {count(n)} <span class="muted">{total > 0 ? share(n / total) : ''}</span>
                        </td>
                      ))}
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
        {view.calibration === null || view.calibration.length === 0 ? null : (
          <div class="scroll-x">
            <table>
              <caption>Calibration: what the score promised and what happened</caption>
              <thead>
                <tr>
                  <th scope="col">Mean score</th>
                  <th scope="col">Happened</th>
                  <th scope="col">Rows</th>
                </tr>
              </thead>
              <tbody>
                {view.calibration.map((bin) => (
                  <tr key={bin.score}>
                    <td class="numeric">{number(bin.score)}</td>
                    <td class="numeric">{number(bin.truth)}</td>
                    <td class="numeric">{count(bin.rows)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </details>
  );
}
