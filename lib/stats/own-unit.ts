/**
 * Two samples in a unit of their own: their laws, and every statistic that no shift and no scale changes, are the same there. Squares
 * of values near the largest double would overflow and of those near the smallest vanish, and a mean of numbers far from zero is
 * no more exact than they are.
 */

/** As long as values differ by so many powers of two, their squares and the squares of these are doubles. */
const COMMON = 250;
/** Beyond so many times their spread numbers are far from zero. */
const FAR = 2 ** 20;

/** Both ascend, are finite, and not both are empty. Given back as they are where nothing is gained; 0 is not always 0 there. */
export function inOwnUnit(a: Float64Array, b: Float64Array): readonly [Float64Array, Float64Array] {
  const low = Math.min(a[0] ?? Number.POSITIVE_INFINITY, b[0] ?? Number.POSITIVE_INFINITY);
  const high = Math.max(a.at(-1) ?? Number.NEGATIVE_INFINITY, b.at(-1) ?? Number.NEGATIVE_INFINITY);
  const half = high / 2 - low / 2;
  const unit = ownUnit(half);
  if (unit !== 1) {
    const shift = low / unit;
    return [a.map((value) => value / unit - shift), b.map((value) => value / unit - shift)];
  }
  if (Math.max(-low, high) <= FAR * half) return [a, b];
  return [a.map((value) => value - low), b.map((value) => value - low)];
}

/** The power of two near `spread` by which it is to be divided; 1 where it is no extreme. */
export function ownUnit(spread: number): number {
  const power = Math.floor(Math.log2(spread));
  return Number.isFinite(power) && Math.abs(power) > COMMON ? 2 ** power : 1;
}
