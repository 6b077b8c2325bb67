/**
 * Derived doubles leave the engine with 12 significant digits, and decisions are taken on the rounded ones:
 * the last bits of a quotient or a root may differ between platforms, and a verdict must not.
 */

/** `x` with 12 significant digits, ties as `toPrecision` has them. Throws RangeError on NaN and infinities; -0 becomes 0. */
export function round12(x: number): number {
  if (!Number.isFinite(x)) throw new RangeError(`round12: a finite number is required, got ${x}`);
  if (Number.isInteger(x) && Math.abs(x) < 1e12) return x + 0;
  return Number(x.toPrecision(12)) + 0;
}

/** Like `round12`, with `null` for what is not a finite number. */
export function round12OrNull(x: number | null | undefined): number | null {
  return x === null || x === undefined || !Number.isFinite(x) ? null : round12(x);
}
