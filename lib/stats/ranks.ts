/** Ranks of a pooled sample: what the rank tests are made of. */

export interface PooledRanks {
  /** Midranks, from 1, of the ascending values of each side. */
  readonly reference: Float64Array;
  readonly current: Float64Array;
  /** Lengths of the runs of equal values, ascending by value. */
  readonly runs: readonly number[];
}

/** Both arrays ascend and are finite. Equal values share the mean of their ranks. O(n + m). */
export function pooledRanks(a: ArrayLike<number>, b: ArrayLike<number>): PooledRanks {
  const reference = new Float64Array(a.length);
  const current = new Float64Array(b.length);
  const runs: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = Math.min(a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY);
    const fromI = i;
    const fromJ = j;
    while (i < a.length && a[i] === x) i++;
    while (j < b.length && b[j] === x) j++;
    const length = i - fromI + (j - fromJ);
    const rank = fromI + fromJ + (length + 1) / 2;
    reference.fill(rank, fromI, i);
    current.fill(rank, fromJ, j);
    runs.push(length);
  }
  return { reference, current, runs };
}
