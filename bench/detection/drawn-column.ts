/** One column of one drawn stream: counts of its atoms by window, and the project's own baseline made from them. */
import type { ColumnBaseline } from '../../lib/contracts/baseline.ts';
import { columnBaseline } from '../../lib/engine/baseline-maker.ts';
import { type BaselineBlock, calibrate } from '../../lib/engine/calibration.ts';
import type { ColumnCounts } from '../../lib/engine/column-counts.ts';
import type { ValueStep } from '../../lib/engine/numeric-bins.ts';
import { verdictBinCount } from '../../lib/engine/verdict-bins.ts';
import type { Random } from '../../lib/stats/random.ts';
import { drawCounts } from './draw.ts';
import type { Change, Law } from './laws.ts';
import type { StreamPlan } from './streams.ts';

/** 2024-01-01, a Monday. */
export const START = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;

export interface DrawnColumn {
  readonly law: Law;
  /** By window the counts of the atoms, then of missing values. */
  readonly counts: Int32Array;
  /** Atoms and one. */
  readonly width: number;
}

export function windowMs({ cadence }: Pick<StreamPlan, 'cadence'>): number {
  return cadence === 'hourly' ? HOUR : 24 * HOUR;
}

/** `change` from window `onset` on. */
export function drawColumn(
  law: Law,
  { rows, effects, random }: { readonly rows: Int32Array; readonly effects: Float64Array; readonly random: Random },
  planted: { readonly change: Change; readonly onset: number } | null = null,
): DrawnColumn {
  const width = law.values.length + 1;
  const counts = new Int32Array(width * rows.length);
  for (let t = 0; t < rows.length; t++) {
    const change = planted !== null && t >= planted.onset ? planted.change : null;
    drawCounts(random, law.table(effects[t]!, change), rows[t]!, counts, t * width);
  }
  return { law, counts, width };
}

/** Counts of windows `from` up to and without `to`, added up. */
export function addUp({ counts, width }: DrawnColumn, from: number, to: number): Float64Array {
  const sums = new Float64Array(width);
  for (let t = from; t < to; t++) for (let i = 0; i < width; i++) sums[i]! += counts[t * width + i]!;
  return sums;
}

/** The baseline of windows 0 up to `windows`, calibrated. */
export function baselineOf(column: DrawnColumn, windows: number, plan: Pick<StreamPlan, 'cadence'>): ColumnBaseline {
  const sums = addUp(column, 0, windows);
  const made = column.law.type === 'numeric' ? numeric(column, sums) : categorical(column, sums);
  const places = placesOf(column.law, made);
  const bins = verdictBinCount(made);
  const verdict = made.type === 'numeric' ? made.bins.verdictBin : made.verdictBin;
  const every = windowMs(plan);
  const blocks: BaselineBlock[] = [];
  for (let t = 0; t < windows; t++) {
    const counts = new Float64Array(bins + 1);
    for (let i = 0; i < column.width - 1; i++) {
      const rows = column.counts[t * column.width + i]!;
      if (rows > 0) counts[verdict[places[i]!]!]! += rows;
    }
    counts[bins] = column.counts[t * column.width + column.width - 1]!;
    blocks.push({ start: START + t * every, counts });
  }
  const window = { every: plan.cadence === 'hourly' ? '1h' : '1d', timezone: 'UTC' };
  return { ...made, calibration: calibrate(made, blocks, window) };
}

function numeric({ law, width }: DrawnColumn, sums: Float64Array): ColumnBaseline {
  const steps: ValueStep[] = [];
  let before = 0;
  let sum = 0;
  let squares = 0;
  law.values.forEach((value, i) => {
    const count = sums[i]!;
    if (count === 0) return;
    steps.push({ value, count, before });
    before += count;
    sum += value * count;
    squares += value * value * count;
  });
  const mean = sum / before;
  const missing = sums[width - 1]!;
  return columnBaseline({
    name: law.name,
    role: 'feature',
    type: 'numeric',
    rows: before + missing,
    missing,
    nonFinite: 0,
    integer: law.integer,
    mean,
    std: Math.sqrt(Math.max(0, squares / before - mean * mean)),
    distinct: steps.length,
    steps,
  });
}

function categorical({ law, width }: DrawnColumn, sums: Float64Array): ColumnBaseline {
  const top = Array.from(law.values, (k) => [categoryName(k), sums[k]!] as const)
    .filter(([, count]) => count > 0)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const missing = sums[width - 1]!;
  const rows = top.reduce((all, [, count]) => all + count, missing);
  const distinct = top.length;
  return columnBaseline({ name: law.name, role: 'feature', type: 'categorical', rows, missing, distinct, top });
}

function categoryName(k: number): string {
  return `c${String(k).padStart(3, '0')}`;
}

/** For each atom its bin in the baseline; -1 for a category that the baseline has not seen. */
export function placesOf(law: Law, column: ColumnBaseline): Int32Array {
  if (column.type === 'categorical') {
    const known = new Map(column.categories.map((name, i) => [name, i]));
    return Int32Array.from(law.values, (k) => known.get(categoryName(k)) ?? -1);
  }
  const { edges } = column.bins;
  return Int32Array.from(law.values, (value) => {
    let bin = 0;
    while (bin < edges.length && edges[bin]! <= value) bin++;
    return bin;
  });
}

/** Counts of atoms in the bins of the baseline: what the verdict reads. */
export function inBins(sums: ArrayLike<number>, places: Int32Array, column: ColumnBaseline): ColumnCounts {
  const bins = new Float64Array(column.type === 'numeric' ? column.bins.edges.length + 1 : column.categories.length);
  let n = 0;
  let unseen = 0;
  for (let i = 0; i < places.length; i++) {
    const rows = sums[i]!;
    if (rows === 0) continue;
    n += rows;
    const place = places[i]!;
    if (place < 0) unseen += rows;
    else bins[place]! += rows;
  }
  const missing = sums[places.length]!;
  return {
    n: n + missing,
    missing,
    nonFinite: 0,
    invalid: 0,
    bins,
    unseen: { total: unseen, top: [] },
    weighted: null,
    mean: null,
    std: null,
  };
}
