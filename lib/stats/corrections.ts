/** Corrections for many tests at once. p-values in, adjusted p-values out, in the same order; reject where adjusted ≤ level. Inputs are not changed. */
import { chiSquareSurvival } from './special.ts';

/** min(1, k · p): bounds the expected number of false alarms, whatever the dependence. */
export function bonferroni(pValues: readonly number[]): number[] {
  return pValues.map((p) => Math.min(1, p * pValues.length));
}

/** Holm (1979): bounds the chance of any false alarm, whatever the dependence; never below Bonferroni in power. */
export function holm(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length);
  let running = 0;
  for (const [rank, i] of order.entries()) {
    running = Math.max(running, Math.min(1, pValues[i]! * (pValues.length - rank)));
    adjusted[i] = running;
  }
  return adjusted;
}

/** Benjamini & Hochberg (1995): bounds the share of false ones among the alarms, for independent or positively dependent tests. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length);
  let running = 1;
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const i = order[rank]!;
    running = Math.min(running, (pValues[i]! * pValues.length) / (rank + 1));
    adjusted[i] = running;
  }
  return adjusted;
}

/** Benjamini & Yekutieli (2001): the same whatever the dependence, for a factor of 1 + 1/2 + … + 1/k. */
export function benjaminiYekutieli(pValues: readonly number[]): number[] {
  let harmonic = 0;
  for (let i = 1; i <= pValues.length; i++) harmonic += 1 / i;
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length);
  let running = 1;
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const i = order[rank]!;
    running = Math.min(running, (pValues[i]! * pValues.length * harmonic) / (rank + 1));
    adjusted[i] = running;
  }
  return adjusted;
}

export interface Combined {
  readonly statistic: number;
  readonly pValue: number;
}

/** Fisher (1925): −2 Σ ln p of independent tests is chi-square with 2k degrees of freedom. ∞ and 0 where a p is 0. */
export function fisherCombination(pValues: readonly number[]): Combined {
  let sum = 0;
  for (const p of pValues) sum += Math.log(p);
  const statistic = -2 * sum + 0;
  return { statistic, pValue: chiSquareSurvival(statistic, 2 * pValues.length) };
}

function ascending(pValues: readonly number[]): number[] {
  return pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]! || a - b);
}
