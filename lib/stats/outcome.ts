/** What every two-sample comparison answers. */

/** Why there is no number. */
export type OutcomeReason =
  | 'empty-reference' // nothing usable on the reference side
  | 'empty-current'
  | 'constant' // both sides hold one and the same value or bin: nothing can be compared
  | 'too-few-bins' // after pooling small bins fewer than two are left
  | 'too-many-bins' // the test compares one share, and there are more than two bins
  | 'too-few-rows' // fewer rows than the test is defined for
  | 'infinite' // the distance is not finite for these inputs
  | 'too-many-rows' // an exact method that would take too long
  | 'invalid-counts'; // negative or not finite counts, or sides of unequal length

export interface Outcome {
  /** The statistic or distance; `null` with a reason. */
  readonly statistic: number | null;
  /** Under "both sides come from one law", at the real sizes; `null` where the method has none or with a reason. */
  readonly pValue: number | null;
  /** Rows that were compared; effective rows, (Σw)² / Σw², when weighted. */
  readonly referenceSize: number;
  readonly currentSize: number;
  /** The variant in words: `exact`, `asymptotic`, `bridge`, `chi-square`, `monte-carlo` … */
  readonly method: string;
  readonly degreesOfFreedom?: number;
  readonly reason?: OutcomeReason;
}

/** Binned counts of both sides over the same bins, reference first. `…Squares` = Σw² in each bin when rows are weighted; `counts` are then Σw. */
export interface BinnedPair {
  readonly reference: ArrayLike<number>;
  readonly current: ArrayLike<number>;
  readonly referenceSquares?: ArrayLike<number>;
  readonly currentSquares?: ArrayLike<number>;
  /** The bins end at order statistics of the reference, and values hardly tie: its counts are no chance, and p-values know it. */
  readonly cut?: 'reference';
}

export function undecided(reason: OutcomeReason, referenceSize: number, currentSize: number, method: string): Outcome {
  return { statistic: null, pValue: null, referenceSize, currentSize, method, reason };
}

/** Same law by construction: both sides hold one and the same value. */
export function identical(referenceSize: number, currentSize: number, method: string): Outcome {
  return { statistic: 0, pValue: 1, referenceSize, currentSize, method, reason: 'constant' };
}

/** Counts of rows, none weighted. */
export function wholeCounts(pair: BinnedPair): boolean {
  if (pair.referenceSquares !== undefined || pair.currentSquares !== undefined) return false;
  for (const side of [pair.reference, pair.current])
    for (let i = 0; i < side.length; i++) if (!Number.isInteger(side[i])) return false;
  return true;
}
