/** Which features stood out when: a row a feature, a column a day or so many windows. */
import { durationMs } from '../contracts/duration.ts';
import type { ReplayedHistory } from '../local/backtest.ts';
import { placedWindows } from './backtest-calendar.ts';

const DAY = 86_400_000;
const MOST_COLUMNS = 92;
/** Rows shown; the quietest are left out. */
const MOST_ROWS = 50;

export interface FeatureRow {
  readonly name: string;
  /** In order of the columns: windows with a verdict, and those of them that drifted. */
  readonly cells: readonly { readonly judged: number; readonly drifted: number }[];
}

export interface FeatureHeat {
  /** What a column stands for: `day`, `window`, `12 windows`. */
  readonly per: string;
  /** Place of the first window of each column. */
  readonly columns: readonly string[];
  /** Most often drifted first. */
  readonly rows: readonly FeatureRow[];
  /** Features that are not shown. */
  readonly hidden: number;
}

export function featureHeat(history: ReplayedHistory): FeatureHeat {
  const { results } = history;
  const { per, columnOf } = columns(history);
  const count = (columnOf.at(-1) ?? -1) + 1;
  const first = new Array<string>(count).fill('');
  const rows = new Map<string, { judged: number; drifted: number }[]>();
  results.forEach(({ start, features }, i) => {
    const at = columnOf[i] ?? 0;
    if (first[at] === '') first[at] = start;
    for (const { name, status } of features) {
      let cells = rows.get(name);
      if (cells === undefined) {
        cells = Array.from({ length: count }, () => ({ judged: 0, drifted: 0 }));
        rows.set(name, cells);
      }
      const cell = cells[at];
      if (cell === undefined || (status !== 'ok' && status !== 'drifted')) continue;
      cell.judged++;
      if (status === 'drifted') cell.drifted++;
    }
  });
  const drifted = ({ cells }: FeatureRow): number => cells.reduce((sum, cell) => sum + cell.drifted, 0);
  const sorted = [...rows].map(([name, cells]) => ({ name, cells })).sort((a, b) => drifted(b) - drifted(a));
  return { per, columns: first, rows: sorted.slice(0, MOST_ROWS), hidden: Math.max(0, sorted.length - MOST_ROWS) };
}

/** The column of each window: its line of the calendar where windows are shorter than a day, else equal runs of windows. */
function columns(history: ReplayedHistory): { readonly per: string; readonly columnOf: readonly number[] } {
  const placed = placedWindows(history);
  const { window } = history;
  const lines = new Map<string, number>();
  for (const { label } of placed) if (!lines.has(label)) lines.set(label, lines.size);
  if (window.kind === 'duration' && durationMs(window.every) < DAY && lines.size > 1 && lines.size <= MOST_COLUMNS)
    return { per: 'day', columnOf: placed.map(({ label }) => lines.get(label) ?? 0) };
  const run = Math.max(1, Math.ceil(placed.length / MOST_COLUMNS));
  return { per: run === 1 ? 'window' : `${run} windows`, columnOf: placed.map((_, i) => Math.floor(i / run)) };
}
