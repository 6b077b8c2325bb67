/**
 * Cramér's V of the 2 × k table, sqrt(X² / (n + m)): the association of side and category, 0 … 1, whatever the number of rows. The p-value is
 * that of the contingency test without pooling of small bins. Edge cases as in chi-square.ts.
 */
import { chiSquareOfCounts } from './chi-square.ts';
import type { BinnedPair, Outcome } from './outcome.ts';

export function cramersVOfCounts(pair: BinnedPair): Outcome {
  const test = chiSquareOfCounts(pair, { minimumExpected: 0, sparse: 'given-counts' });
  if (test.statistic === null) return test;
  return { ...test, statistic: Math.sqrt(test.statistic / (test.referenceSize + test.currentSize)) };
}
