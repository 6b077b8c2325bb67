/**
 * The columns of learning profiles in a few parts each, so that windows can be compared: numbers in fixed bins joined to parts of about
 * equal rows, categories by name where they are frequent. The parts are chosen from all windows together. Pure.
 */
import type { Profile } from './profile.ts';
import type { Shape } from './shape.ts';
import type { ColumnParts } from './standing-out.ts';

/** Of a number; a category has one more for the rest. */
const PARTS = 16;
/** Share of the values from which a category is told apart. */
const FREQUENT = 0.02;

/** How a profile of this shape is cut, once `all` is what they merge to. */
export function learningParts(shape: Shape, all: Profile): (profile: Profile) => ColumnParts[] {
  const cuts = shape.columns.map(({ index, type }) =>
    type === 'numeric' ? numberCut(all, index) : categoryCut(all, index),
  );
  return (profile) =>
    shape.columns.map(({ index }) => {
      const { missing, nonFinite, invalid } = profile.column(index);
      return [...cuts[index]!(profile), Math.max(0, missing) + nonFinite, invalid];
    });
}

function numberCut(all: Profile, column: number): (profile: Profile) => number[] {
  const bins = all.fixedBins(column) ?? [];
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  /** Last bin of each part. */
  const ends: number[] = [];
  let rows = 0;
  bins.forEach(({ bin, count }, i) => {
    rows += count;
    // A heavy value must not lie with the few below it.
    const next = bins[i + 1]?.count ?? 0;
    if (rows * PARTS < total && next * PARTS < total && i + 1 < bins.length) return;
    ends.push(bin);
    rows = 0;
  });
  return (profile) => {
    const parts = ends.map(() => 0);
    let part = 0;
    for (const { bin, count } of profile.fixedBins(column) ?? []) {
      while (part < ends.length - 1 && bin > ends[part]!) part++;
      if (parts.length > 0) parts[part]! += count;
    }
    return parts;
  };
}

function categoryCut(all: Profile, column: number): (profile: Profile) => number[] {
  const { unseen } = all.column(column);
  const names = unseen.top.filter(([, count]) => count >= FREQUENT * unseen.total).map(([name]) => name);
  return (profile) => {
    const own = profile.column(column).unseen;
    const counts = new Map(own.top);
    const parts = names.map((name) => counts.get(name) ?? 0);
    return [...parts, own.total - parts.reduce((sum, count) => sum + count, 0)];
  };
}
