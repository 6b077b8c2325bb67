/**
 * Features down, windows along: one look says which feature changed, when, and how much. The pointer or the arrow keys
 * choose a cell, Enter or a click opens it; the same is in a table for those who prefer one.
 */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { WindowView } from '../../../contracts/api.ts';
import { AXIS_HEIGHT, drawHeatmap } from '../charts/heatmap-draw.ts';
import {
  cellAt,
  cellFacts,
  cellWords,
  type Geometry,
  type HeatmapRow,
  type Spanned,
  xOf,
} from '../charts/heatmap-model.ts';
import { RIGHT_MARGIN, type Timeline } from '../charts/timeline.ts';
import { href } from '../data/routes.ts';
import { count, effectText, shortened } from '../words/numbers.ts';
import { visible, visibleLines } from '../words/safe.ts';
import { effectWord, stateWords } from '../words/states.ts';
import { utc, windowWords } from '../words/times.ts';
import { usePalette } from './theme.ts';
import { Name } from './words.tsx';

export interface HeatmapProps {
  readonly model: string;
  readonly version: string | undefined;
  readonly length: string | undefined;
  readonly windows: readonly Spanned<WindowView>[];
  readonly rows: readonly HeatmapRow[];
  readonly timeline: Timeline;
  readonly chosen: number | null;
  /** A cell of the first row: the whole window. */
  readonly onWindow: (start: number) => void;
}

interface Marked {
  readonly row: number;
  readonly window: number;
}

export function Heatmap(props: HeatmapProps): VNode {
  const { model, version, length, windows, rows, timeline, chosen, onWindow } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [marked, setMarked] = useState<Marked | null>(null);
  const [byKeys, setByKeys] = useState(false);
  const palette = usePalette();
  const rowHeight = rows.length > 14 ? 20 : 26;
  const geometry: Geometry = {
    from: timeline.from,
    to: timeline.to,
    width: Math.max(0, width - RIGHT_MARGIN),
    rowHeight,
  };

  useEffect(() => {
    const element = plot.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (canvas.current === null || geometry.width < 10) return;
    // Very tall maps are drawn at plain resolution: a fine one would cost a hundred megabytes.
    const ratio = rows.length > 100 ? 1 : Math.min(2, devicePixelRatio);
    drawHeatmap(canvas.current, { rows, windows, geometry, timeline, palette, marked, chosen, ratio });
  }, [rows, windows, timeline, palette, marked, chosen, width, rowHeight]);

  const link = (row: number, window: number): string =>
    href({
      view: 'feature',
      model,
      feature: rows[row]?.name ?? '',
      version: windows[window]?.item.version ?? version,
      length: windows[window]?.item.length ?? length,
      start: windows[window]?.from,
    });
  const open = ({ row, window }: Marked): void => {
    const start = windows[window]?.from;
    if (start === undefined) return;
    if (row < 0) onWindow(start);
    else if (rows[row]?.cells[window] !== undefined) location.hash = link(row, window);
  };
  const under = (event: MouseEvent): Marked | null => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return null;
    const found = cellAt(event.clientX - box.left, event.clientY - box.top, windows, rows.length + 1, geometry);
    return found === null ? null : { row: found.row - 1, window: found.window };
  };
  const move = (event: MouseEvent): void => {
    const next = under(event);
    setByKeys(false);
    if (next?.row !== marked?.row || next?.window !== marked?.window) setMarked(next);
  };
  const keys = (event: KeyboardEvent): void => {
    const now = marked ?? { row: 0, window: windows.length - 1 };
    const to: Readonly<Record<string, Marked>> = {
      ArrowLeft: { ...now, window: now.window - 1 },
      ArrowRight: { ...now, window: now.window + 1 },
      ArrowUp: { ...now, row: now.row - 1 },
      ArrowDown: { ...now, row: now.row + 1 },
      Home: { ...now, window: 0 },
      End: { ...now, window: windows.length - 1 },
    };
    const next = to[event.key];
    if (next !== undefined) {
      event.preventDefault();
      setByKeys(true);
      setMarked({
        row: Math.min(rows.length - 1, Math.max(-1, next.row)),
        window: Math.min(windows.length - 1, Math.max(0, next.window)),
      });
    } else if ((event.key === 'Enter' || event.key === ' ') && marked !== null) {
      event.preventDefault();
      open(marked);
    } else if (event.key === 'Escape') setMarked(null);
  };

  const window = marked === null ? undefined : windows[marked.window];
  return (
    <div class="heatmap">
      <div class="heatmap-names">
        <div class="heatmap-name whole" style={{ height: `${rowHeight}px` }}>
          Window
        </div>
        {rows.map((row) => (
          <a
            key={row.name}
            class="heatmap-name"
            style={{ height: `${rowHeight}px` }}
            href={href({ view: 'feature', model, feature: row.name, version, length })}
          >
            <Name text={row.name} most={28} />
            {row.role === 'feature' ? null : <span class="role">{row.role}</span>}
          </a>
        ))}
      </div>
      <div class="heatmap-plot" ref={plot}>
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: arrow keys move inside the picture, as the label says */}
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label="Heatmap of features and windows. Arrow keys choose a cell, Enter opens it. The table below shows the same."
          style={{ width: `${geometry.width}px`, height: `${(rows.length + 1) * rowHeight + AXIS_HEIGHT}px` }}
          onMouseMove={move}
          onMouseLeave={() => setMarked(null)}
          onClick={(event) => {
            const target = under(event);
            if (target !== null) open(target);
          }}
          onKeyDown={keys}
          onBlur={() => setMarked(null)}
        />
        <div class="heatmap-newest" aria-hidden="true">
          <div style={{ height: `${rowHeight}px` }} class="muted">
            effect
          </div>
          {rows.map((row) => (
            <div
              key={row.name}
              style={{ height: `${rowHeight}px` }}
              class={row.newest?.status === 'drifted' ? 'newest-drifted' : ''}
              title={row.newest === undefined ? undefined : `newest window: ${effectWord(row.newest.effect)} effect`}
            >
              {row.newest === undefined ? '–' : effectText(row.newest.effect)}
            </div>
          ))}
        </div>
        {marked === null || window === undefined ? null : (
          <CellTip
            left={xOf(window.from, geometry)}
            plotWidth={geometry.width}
            top={(marked.row + 2) * rowHeight}
            name={marked.row < 0 ? null : (rows[marked.row]?.name ?? '')}
            cell={marked.row < 0 ? undefined : rows[marked.row]?.cells[marked.window]}
            window={window}
            zone={timeline.zone}
          />
        )}
      </div>
      <div class="sr-only" aria-live="polite">
        {byKeys && marked !== null && window !== undefined
          ? `${marked.row < 0 ? 'Whole window' : visible(rows[marked.row]?.name ?? '')}, ${windowWords(window.from, window.to, timeline.zone)}: ${
              marked.row < 0 ? stateWords(window.item.status).word : cellWords(rows[marked.row]?.cells[marked.window])
            }`
          : ''}
      </div>
    </div>
  );
}

function CellTip(props: {
  readonly left: number;
  readonly plotWidth: number;
  readonly top: number;
  readonly name: string | null;
  readonly cell: HeatmapRow['cells'][number];
  readonly window: Spanned<WindowView>;
  readonly zone: string;
}): VNode {
  const { left, plotWidth, top, name, cell, window, zone } = props;
  const { item } = window;
  const wide = Math.min(300, plotWidth);
  const facts =
    name === null
      ? [
          { label: 'state', value: stateWords(item.status).word },
          { label: 'rows', value: count(item.rows) },
          { label: 'revision', value: count(item.revision) },
        ]
      : cell === undefined
        ? [{ label: 'state', value: 'not in this window' }]
        : cellFacts(cell);
  const words = name === null ? item.reason : cell?.summary;
  return (
    <div
      class="tip"
      aria-hidden="true"
      style={{ left: `${Math.max(0, Math.min(left, plotWidth - wide))}px`, top: `${top + 4}px`, width: `${wide}px` }}
    >
      <div class="tip-title">{name === null ? 'Whole window' : shortened(visible(name), 80)}</div>
      <div class="tip-note">
        {windowWords(window.from, window.to, zone)} · from {utc(window.from)}
      </div>
      {facts.map(({ label, value }) => (
        <div class="tip-row" key={label}>
          <span>{label}</span>
          <strong>{value}</strong>
        </div>
      ))}
      {words === null || words === undefined || words === '' ? null : (
        <div class="tip-words">{visibleLines(words)}</div>
      )}
    </div>
  );
}
