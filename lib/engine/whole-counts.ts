/**
 * How often each whole number occurs, where all lie within some sixty thousand of each other: one addition a number, while searching ranks
 * or bins among them would take a processor by surprise at every second one.
 */
import type { ValueStep } from './numeric-bins.ts';

/** Different numbers at most; a table of them stays in the nearer caches. */
const SIZE = 2 ** 16;

export class WholeCounts {
  /** From `low` on. */
  private counts: Uint32Array | null = null;
  private low = 0;
  private from = Number.POSITIVE_INFINITY;
  private to = Number.NEGATIVE_INFINITY;

  /** Takes whole numbers from `min` to `max`, in pieces. `false`, and none is taken, where they lie too far apart. */
  take(values: Float64Array, min: number, max: number): boolean {
    if (values.length === 0) return true;
    // Room on both sides for what later pieces bring.
    if (this.counts === null) this.low = min - Math.floor((SIZE - 1 - (max - min)) / 2);
    const { low } = this;
    if (!Number.isSafeInteger(low) || min < low || max - low >= SIZE || !Number.isSafeInteger(max)) return false;
    this.counts ??= new Uint32Array(SIZE);
    const { counts } = this;
    for (let i = 0; i < values.length; i++) counts[(values[i]! - low) | 0]!++;
    this.from = Math.min(this.from, min);
    this.to = Math.max(this.to, max);
    return true;
  }

  /** Ascending, of those that occur. */
  steps(): ValueStep[] {
    const { counts, low } = this;
    const steps: ValueStep[] = [];
    let before = 0;
    if (counts === null) return steps;
    for (let value = this.from; value <= this.to; value++) {
      const count = counts[value - low]!;
      if (count === 0) continue;
      steps.push({ value, count, before });
      before += count;
    }
    return steps;
  }
}

/** Of all values, ascending, those that hold one of these ranks, ascending from 1. */
export function stepsAt(steps: readonly ValueStep[], ranks: readonly number[]): ValueStep[] {
  let next = 0;
  return steps.filter(({ before, count }) => {
    const first = next;
    while (next < ranks.length && ranks[next]! <= before + count) next++;
    return next > first;
  });
}
