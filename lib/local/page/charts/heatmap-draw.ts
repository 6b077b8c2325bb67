/** Draws the cells of the heatmap. Tens of thousands of cells: rectangles on a canvas, no object for each. */
import { effectStep } from '../words/states.ts';
import { cellShape, type Geometry, type HeatmapRow, type Spanned, type WindowCell, xOf } from './heatmap-model.ts';
import { type Palette, stateColour, translucent } from './palette.ts';
import { bandColour, type Timeline, ticksFor } from './timeline.ts';

export interface Drawing {
  readonly rows: readonly HeatmapRow[];
  /** State of the whole window, drawn as the first row. */
  readonly windows: readonly Spanned<{ readonly status: string }>[];
  readonly geometry: Geometry;
  readonly timeline: Timeline;
  readonly palette: Palette;
  /** The cell of the keyboard or the pointer; row −1 is the whole window. */
  readonly marked: { readonly row: number; readonly window: number } | null;
  /** Index of the window that is looked at. */
  readonly chosen: number | null;
  readonly ratio: number;
}

/** Height of the axis below the cells. */
export const AXIS_HEIGHT = 22;

export function drawHeatmap(canvas: HTMLCanvasElement, drawing: Drawing): void {
  const { rows, windows, geometry, timeline, palette, ratio } = drawing;
  const height = (rows.length + 1) * geometry.rowHeight;
  const pixels = [Math.round(geometry.width * ratio), Math.round((height + AXIS_HEIGHT) * ratio)] as const;
  if (canvas.width !== pixels[0]) canvas.width = pixels[0];
  if (canvas.height !== pixels[1]) canvas.height = pixels[1];
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, geometry.width, height + AXIS_HEIGHT);

  for (const band of timeline.bands) {
    const left = Math.max(0, xOf(band.from, geometry));
    const right = Math.min(geometry.width, xOf(band.to, geometry));
    if (right <= left) continue;
    const { colour, opacity } = bandColour(palette, band.kind);
    context.fillStyle = translucent(colour, opacity);
    context.fillRect(left, 0, right - left, height);
  }

  context.fillStyle = translucent(palette.line, 0.6);
  for (let row = 0; row <= rows.length; row++)
    context.fillRect(0, (row + 1) * geometry.rowHeight - 0.5, geometry.width, row === 0 ? 1 : 0.5);

  const hatch = hatching(context, palette);
  windows.forEach((window, i) => {
    const left = xOf(window.from, geometry);
    const width = xOf(window.to, geometry) - left;
    cell(context, palette, hatch, { status: window.item.status, effect: null }, left, 0, width, geometry.rowHeight);
    rows.forEach((row, r) => {
      const found = row.cells[i];
      if (found !== undefined)
        cell(context, palette, hatch, found, left, (r + 1) * geometry.rowHeight, width, geometry.rowHeight);
    });
  });

  axis(context, drawing, height);
  if (drawing.chosen !== null) outline(context, drawing, 0, drawing.chosen, rows.length + 1, palette.accent);
  if (drawing.marked !== null)
    outline(context, drawing, drawing.marked.row + 1, drawing.marked.window, 1, palette.text);
}

function cell(
  context: CanvasRenderingContext2D,
  palette: Palette,
  hatch: CanvasPattern | null,
  { status, effect }: Pick<WindowCell, 'status' | 'effect'> | { status: string; effect: null },
  left: number,
  top: number,
  wide: number,
  rowHeight: number,
): void {
  const gap = wide > 6 ? 1.5 : wide > 3 ? 0.5 : 0;
  const x = left + gap / 2;
  const w = Math.max(1, wide - gap);
  const h = rowHeight - 4;
  const y = top + 2;
  const middle = y + h / 2;
  const step = effectStep(effect);
  const shape = cellShape(status);
  context.fillStyle = stateColour(palette, status);
  context.strokeStyle = context.fillStyle;
  context.lineWidth = 1.25;
  if (shape === 'bar') {
    // A change of no weight is a thin line, and grows with its effect; never as tall as one that counts.
    context.fillStyle = (effect === null ? palette.states.ok : palette.quiet[step]) ?? palette.states.ok;
    const tall = h * (effect === null ? 0.3 : 0.3 + 0.06 * step);
    context.fillRect(x, middle - tall / 2, w, tall);
  } else if (shape === 'block') {
    context.fillStyle = (effect === null ? palette.states.drifted : palette.drift[step]) ?? palette.states.drifted;
    context.fillRect(x, y, w, h);
    if (w >= 9) {
      const r = Math.min(3.5, w / 3);
      const centre = x + w / 2;
      context.fillStyle = palette.surface;
      context.beginPath();
      context.moveTo(centre, middle - r);
      context.lineTo(centre + r, middle);
      context.lineTo(centre, middle + r);
      context.lineTo(centre - r, middle);
      context.fill();
    }
  } else if (shape === 'dot') context.fillRect(x + w / 2 - Math.min(1.5, w / 2), middle - 1.5, Math.min(3, w), 3);
  else if (shape === 'ring') {
    context.beginPath();
    context.arc(x + w / 2, middle, Math.max(1, Math.min(4, w / 2 - 0.5)), 0, 2 * Math.PI);
    context.stroke();
  } else if (shape === 'outline')
    context.strokeRect(x + 0.5, middle - h * 0.25, Math.max(0.5, w - 1), Math.max(1, h * 0.5));
  else if (shape === 'hatch') {
    context.fillStyle = hatch ?? context.fillStyle;
    context.fillRect(x, y, w, h);
  } else {
    context.fillRect(x, y, w, h);
    if (w >= 6) {
      context.strokeStyle = palette.surface;
      context.beginPath();
      context.moveTo(x + w * 0.3, y + h * 0.3);
      context.lineTo(x + w * 0.7, y + h * 0.7);
      context.moveTo(x + w * 0.7, y + h * 0.3);
      context.lineTo(x + w * 0.3, y + h * 0.7);
      context.stroke();
    }
  }
}

function hatching(context: CanvasRenderingContext2D, palette: Palette): CanvasPattern | null {
  const tile = document.createElement('canvas');
  tile.width = 6;
  tile.height = 6;
  const brush = tile.getContext('2d');
  if (brush === null) return null;
  brush.strokeStyle = palette.states.stale;
  brush.lineWidth = 1.5;
  for (const shift of [-6, 0, 6]) {
    brush.beginPath();
    brush.moveTo(shift, 6);
    brush.lineTo(shift + 6, 0);
    brush.stroke();
  }
  return context.createPattern(tile, 'repeat');
}

function axis(context: CanvasRenderingContext2D, { timeline, geometry, palette }: Drawing, top: number): void {
  context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  context.textBaseline = 'middle';
  let free = Number.NEGATIVE_INFINITY;
  for (const { at, label } of ticksFor(timeline, geometry.width)) {
    const x = xOf(at, geometry);
    context.fillStyle = palette.line;
    context.fillRect(x, top, 1, 5);
    const wide = context.measureText(label).width;
    const left = Math.min(Math.max(0, x - wide / 2), geometry.width - wide);
    if (left < free) continue;
    context.fillStyle = palette.muted;
    context.fillText(label, left, top + 14);
    free = left + wide + 8;
  }
}

function outline(
  context: CanvasRenderingContext2D,
  { windows, geometry }: Drawing,
  row: number,
  index: number,
  tall: number,
  colour: string,
): void {
  const window = windows[index];
  if (window === undefined) return;
  const left = xOf(window.from, geometry);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.strokeRect(
    left,
    row * geometry.rowHeight + 1,
    Math.max(3, xOf(window.to, geometry) - left),
    tall * geometry.rowHeight - 2,
  );
}
