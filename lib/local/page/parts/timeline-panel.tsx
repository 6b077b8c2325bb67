/** The heatmap with everything that steers it: version, length, span, order, and the bands above. */
import type { VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ModelAnswer, WindowView } from '../../../contracts/api.ts';
import { heatmapRows, type RowOrder, type Spanned } from '../charts/heatmap-model.ts';
import { lanes, RIGHT_MARGIN, type Timeline } from '../charts/timeline.ts';
import { href, type ModelRoute } from '../data/routes.ts';
import type { EpisodeBand } from '../words/bands.ts';
import { count, shortened } from '../words/numbers.ts';
import { visible } from '../words/safe.ts';
import { moment, windowWords } from '../words/times.ts';
import { Heatmap } from './heatmap.tsx';
import { HeatmapTable } from './heatmap-table.tsx';
import { Icon } from './icon.tsx';
import { Empty, Skeleton } from './words.tsx';

const FIRST_ROWS = 30;

export interface TimelinePanelProps {
  readonly answer: ModelAnswer;
  readonly route: ModelRoute;
  readonly windows: readonly Spanned<WindowView>[];
  readonly timeline: Timeline;
  readonly limit: number;
  readonly pending: boolean;
  readonly chosen: number | null;
  readonly loaded: boolean;
  readonly error: string | null;
}

export function TimelinePanel(props: TimelinePanelProps): VNode {
  const { answer, route, windows, timeline, limit, pending, chosen, loaded, error } = props;
  const many = answer.features.length > FIRST_ROWS;
  const [order, setOrder] = useState<RowOrder>(many ? 'changed' : 'declared');
  const [filter, setFilter] = useState('');
  const [all, setAll] = useState(false);
  const [asTable, setAsTable] = useState(false);
  const rows = useMemo(
    () => heatmapRows(windows, answer.features, order, filter),
    [windows, answer.features, order, filter],
  );
  const shown = useMemo(() => (all ? rows : rows.slice(0, FIRST_ROWS)), [rows, all]);
  const first = windows[0];
  const last = windows.at(-1);
  const go = (change: Partial<ModelRoute>): void => {
    location.hash = href({ ...route, ...change });
  };
  return (
    <section class="card" aria-labelledby="timeline">
      <div class="section-head">
        <h2 id="timeline">Features over time</h2>
        <div class="controls">
          {answer.versions.length > 1 ? (
            <label class="inline">
              Version
              <select
                value={route.version ?? ''}
                onChange={(event) => go({ version: event.currentTarget.value, at: undefined, to: undefined })}
              >
                {answer.versions.map((version) => (
                  <option key={version} value={version}>
                    {shortened(visible(version), 24)}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          {answer.lengths.length > 1 ? (
            <fieldset class="switch" aria-label="Length of the windows">
              {answer.lengths.map((length) => (
                <button
                  key={length}
                  type="button"
                  aria-pressed={length === route.length}
                  onClick={() => go({ length, at: undefined, to: undefined })}
                >
                  {length}
                </button>
              ))}
            </fieldset>
          ) : null}
          <fieldset class="switch" aria-label="Form">
            <button type="button" aria-pressed={!asTable} onClick={() => setAsTable(false)}>
              Map
            </button>
            <button type="button" aria-pressed={asTable} onClick={() => setAsTable(true)}>
              Table
            </button>
          </fieldset>
        </div>
      </div>
      {windows.length === 0 ? (
        error !== null ? (
          <Empty title="The windows cannot be shown">{error}</Empty>
        ) : loaded ? (
          <Empty title="No window has been judged yet">
            {`The first one appears ${answer.monitor.window.lateness} after its end, by the platform's clock.`}
          </Empty>
        ) : (
          <Skeleton height={240} label="Loading the windows" />
        )
      ) : (
        <div class={pending ? 'pending' : ''}>
          <div class="toolbar">
            <button
              type="button"
              class="quiet"
              disabled={windows.length < limit}
              onClick={() => go({ to: first?.from, at: undefined })}
            >
              ← Earlier
            </button>
            <span class="muted span-words">
              {count(windows.length)} windows, {windowWords(first?.from ?? 0, last?.to ?? 0, timeline.zone)}
            </span>
            {route.to === undefined ? null : (
              <button type="button" class="quiet" onClick={() => go({ to: undefined, at: undefined })}>
                Newest →
              </button>
            )}
            <span class="grow" />
            {answer.features.length > 8 ? (
              <>
                <input
                  type="search"
                  placeholder={`Find one of ${answer.features.length}`}
                  aria-label="Find a feature"
                  value={filter}
                  onInput={(event) => setFilter(event.currentTarget.value)}
                />
                <label class="inline">
                  Order
                  <select
                    value={order}
                    onChange={(event) => setOrder(event.currentTarget.value === 'changed' ? 'changed' : 'declared')}
                  >
                    <option value="changed">most changed first</option>
                    <option value="declared">as declared</option>
                  </select>
                </label>
              </>
            ) : null}
          </div>
          {asTable ? (
            <HeatmapTable model={route.model} windows={windows} rows={shown} zone={timeline.zone} />
          ) : (
            <>
              <Lanes timeline={timeline} />
              <Heatmap
                model={route.model}
                version={route.version}
                length={route.length}
                windows={windows}
                rows={shown}
                timeline={timeline}
                chosen={chosen}
                onWindow={(at) => go({ at })}
              />
              <Legend />
            </>
          )}
          {rows.length > shown.length ? (
            <button type="button" class="quiet" onClick={() => setAll(true)}>
              Show all {count(rows.length)} features
            </button>
          ) : null}
          {rows.length === 0 ? <Empty title="No feature matches" /> : null}
        </div>
      )}
    </section>
  );
}

/** Episodes and incidents as strips above the map; each episode leads to its alert. */
function Lanes({ timeline }: { readonly timeline: Timeline }): VNode | null {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const { from, to, zone } = timeline;
  const inside = (timeline.bands as readonly EpisodeBand[]).filter((band) => band.to > from && band.from < to);
  const none = inside.length === 0;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [none]);
  if (none) return null;
  const plot = Math.max(1, width - RIGHT_MARGIN);
  const scale = plot / (to - from);
  return (
    <div class="lanes">
      <div class="lanes-name">Episodes</div>
      <div class="lanes-plot" ref={place}>
        {width === 0
          ? null
          : [inside.filter(({ kind }) => kind === 'scripted'), inside.filter(({ kind }) => kind !== 'scripted')]
              .flatMap((bands) => lanes(bands, (to - from) * (24 / plot)))
              .map((lane) => (
                <div class="lane" key={`${lane[0]?.kind} ${lane[0]?.from}`}>
                  {lane.map((band) => {
                    const left = Math.min(plot - 20, Math.max(0, (band.from - from) * scale));
                    const right = Math.min(plot, (band.to - from) * scale);
                    return (
                      <Strip
                        key={band.id ?? band.from}
                        band={band}
                        left={left}
                        width={Math.max(20, right - left)}
                        zone={zone}
                      />
                    );
                  })}
                </div>
              ))}
      </div>
    </div>
  );
}

function Strip(props: {
  readonly band: EpisodeBand;
  readonly left: number;
  readonly width: number;
  readonly zone: string;
}): VNode {
  const { band, left, width, zone } = props;
  const scripted = band.kind === 'scripted';
  const label = scripted ? 'scripted incident' : visible(band.label);
  const title = `${scripted ? 'Scripted incident: ' : ''}${visible(band.label)}, ${moment(band.from, zone)} to ${moment(band.to, zone)}`;
  const style = { left: `${left}px`, width: `${width}px` };
  const inner = (
    <>
      <Icon name={band.kind} size={11} />
      <span class={width < 70 ? 'sr-only' : ''}>{label}</span>
    </>
  );
  return band.id === null ? (
    <span class={`band band-${band.kind}`} style={style} title={title}>
      {inner}
    </span>
  ) : (
    <a class={`band band-${band.kind}`} style={style} title={title} href={href({ view: 'alerts', id: band.id })}>
      {inner}
    </a>
  );
}

function Legend(): VNode {
  return (
    <ul class="legend" aria-label="Signs of the map">
      <li>
        <i class="key key-ok" /> ok
      </li>
      <li>
        <span class="key-ramp">
          {[1, 2, 3, 4].map((step) => (
            <i key={step} class={`key key-drifted drift-${step}`} />
          ))}
        </span>{' '}
        drifted: tiny, small, medium, large effect
      </li>
      <li>
        <i class="key key-dot" /> too little data
      </li>
      <li>
        <i class="key key-ring" /> learning
      </li>
      <li>
        <i class="key key-outline" /> immature
      </li>
      <li>
        <i class="key key-hatch" /> stale
      </li>
      <li>
        <i class="key key-cross">×</i> failed
      </li>
    </ul>
  );
}
