/** The heatmap as data: rows, cells, where they are and what they say. No drawing here. */
import type { WindowView } from '../../../contracts/api.ts';
import { effectText, number, pValue, share } from '../words/numbers.ts';
import { own } from '../words/safe.ts';
import { effectWord, stateWords } from '../words/states.ts';
import { instant } from '../words/times.ts';

/** Something with a span of time, both ends known. */
export interface Spanned<T> {
  readonly from: number;
  readonly to: number;
  readonly item: T;
}

export type WindowCell = WindowView['features'][string];

export interface HeatmapRow {
  readonly name: string;
  readonly role: string;
  /** One for each window; `undefined` where the window knows nothing of this feature. */
  readonly cells: readonly (WindowCell | undefined)[];
  readonly drifted: number;
  readonly newest: WindowCell | undefined;
}

export type RowOrder = 'declared' | 'changed';

/** Oldest first; windows without readable times are left out rather than drawn in 1970. */
export function spanned<T extends { readonly start: string; readonly end: string }>(items: readonly T[]): Spanned<T>[] {
  return items
    .flatMap((item) => {
      const from = instant(item.start);
      const to = instant(item.end);
      return from === null || to === null || to <= from ? [] : [{ from, to, item }];
    })
    .sort((a, b) => a.from - b.from);
}

export function heatmapRows(
  windows: readonly Spanned<WindowView>[],
  features: readonly { readonly name: string; readonly role: string }[],
  order: RowOrder,
  filter: string,
): HeatmapRow[] {
  const wanted = filter.trim().toLowerCase();
  const rows = features
    .filter(({ name }) => wanted === '' || name.toLowerCase().includes(wanted))
    .map(({ name, role }) => {
      const cells = windows.map(({ item }) => own(item.features, name));
      return {
        name,
        role,
        cells,
        drifted: cells.filter((cell) => cell?.status === 'drifted').length,
        newest: cells.at(-1),
      };
    });
  if (order === 'declared') return rows;
  const urgency = (row: HeatmapRow): number => (row.newest === undefined ? 0 : stateWords(row.newest.status).rank);
  return rows.sort(
    (a, b) => urgency(b) - urgency(a) || b.drifted - a.drifted || (b.newest?.effect ?? 0) - (a.newest?.effect ?? 0),
  );
}

/** Shape of a cell: states are told apart without colour. */
export type CellShape = 'bar' | 'block' | 'dot' | 'ring' | 'outline' | 'hatch' | 'cross';

const SHAPES: Readonly<Record<string, CellShape>> = {
  ok: 'bar',
  drifted: 'block',
  'insufficient-data': 'dot',
  learning: 'ring',
  immature: 'outline',
  stale: 'hatch',
  failed: 'cross',
};

export function cellShape(status: string): CellShape {
  return own(SHAPES, status) ?? 'dot';
}

/** A cell in one sentence or two: the tooltip, and what a screen reader hears. */
export function cellWords(cell: WindowCell | undefined): string {
  if (cell === undefined) return 'not in this window';
  const parts = [stateWords(cell.status).word];
  if (cell.effect !== null) parts.push(`effect ${effectText(cell.effect)} (${effectWord(cell.effect)})`);
  if (cell.aspect !== null) parts.push(cell.aspect);
  return cell.summary === '' ? parts.join(', ') : `${parts.join(', ')}. ${cell.summary}`;
}

export function cellFacts(cell: WindowCell): { label: string; value: string }[] {
  const facts = [{ label: 'state', value: stateWords(cell.status).word }];
  if (cell.effect !== null)
    facts.push({ label: 'effect', value: `${effectText(cell.effect)} (${effectWord(cell.effect)})` });
  if (cell.aspect !== null) facts.push({ label: 'what moved', value: cell.aspect });
  if (cell.pValue !== null)
    facts.push({
      label: 'p-value',
      value: cell.threshold === null ? pValue(cell.pValue) : `${pValue(cell.pValue)} (limit ${pValue(cell.threshold)})`,
    });
  if (cell.missing !== null) facts.push({ label: 'missing', value: share(cell.missing) });
  if (cell.mean !== null) facts.push({ label: 'mean', value: number(cell.mean, 4) });
  return facts;
}

export interface Geometry {
  readonly from: number;
  readonly to: number;
  /** Pixels of the plot, without its right margin. */
  readonly width: number;
  readonly rowHeight: number;
}

export function xOf(at: number, { from, to, width }: Geometry): number {
  return to > from ? ((at - from) / (to - from)) * width : 0;
}

/** Row and window under a point; `null` beside the cells. */
export function cellAt(
  x: number,
  y: number,
  windows: readonly Spanned<unknown>[],
  rows: number,
  geometry: Geometry,
): { row: number; window: number } | null {
  const row = Math.floor(y / geometry.rowHeight);
  if (row < 0 || row >= rows || x < 0 || x > geometry.width) return null;
  const window = windows.findIndex((one) => xOf(one.from, geometry) <= x && x < xOf(one.to, geometry));
  return window < 0 ? null : { row, window };
}
