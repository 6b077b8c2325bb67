/** The quantile of an ascending sample by linear interpolation between order statistics at 1 + (n − 1)q (Hyndman & Fan's type 7); NaN when empty. */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  const n = sorted.length;
  if (n === 0) return Number.NaN;
  const place = (n - 1) * q;
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(n - 1, below + 1)]!;
  const share = place - below;
  // From the nearer end, as NumPy does: exact at both.
  return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share);
}
