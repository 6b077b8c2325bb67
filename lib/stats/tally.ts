/** Rows with their weights: Σw and Σw², by which shares and sizes are known. */
export interface Tally {
  readonly w: number;
  readonly w2: number;
}

export const NOTHING: Tally = { w: 0, w2: 0 };

export function add(a: Tally, b: Tally): Tally {
  return { w: a.w + b.w, w2: a.w2 + b.w2 };
}

/** Effective rows, (Σw)² / Σw²; 0 for nothing. */
export function effectiveSize(tally: Tally): number {
  return tally.w2 > 0 ? (tally.w * tally.w) / tally.w2 : 0;
}
