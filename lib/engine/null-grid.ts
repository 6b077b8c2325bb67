/**
 * The grid of nulls of one score: variance φ₀/n + τ² at n rows, effects normal or t with ν degrees of freedom.
 * Prior: 0.20 on independent rows, 0.05 on under-dispersed ones, the rest flat in log τ (the right-invariant prior of a scale,
 * whose predictive level is right on average over baselines).
 */
import { logGamma } from '../stats/special.ts';

export interface NullPoint {
  readonly phi: number;
  readonly tau2: number;
  /** Infinity is the normal law. */
  readonly nu: number;
  readonly prior: number;
}

const TAU_FIRST = 0.003;
const TAU_LAST = 2;
const TAU_COUNT = 26;
const TAILS: readonly (readonly [nu: number, prior: number])[] = [
  [Number.POSITIVE_INFINITY, 0.6],
  [9, 0.25],
  [5, 0.15],
];
const UNDER_PHI = [0.1, 0.16, 0.25, 0.4, 0.63];
const PRIOR_INDEPENDENT = 0.2;
const PRIOR_UNDER = 0.05;

function makeGrid(): NullPoint[] {
  const nu = Number.POSITIVE_INFINITY;
  const grid: NullPoint[] = [{ phi: 1, tau2: 0, nu, prior: PRIOR_INDEPENDENT }];
  for (const phi of UNDER_PHI) grid.push({ phi, tau2: 0, nu, prior: PRIOR_UNDER / UNDER_PHI.length });
  const rest = (1 - PRIOR_INDEPENDENT - PRIOR_UNDER) / TAU_COUNT;
  const step = Math.log(TAU_LAST / TAU_FIRST) / (TAU_COUNT - 1);
  for (let i = 0; i < TAU_COUNT; i++) {
    const tau2 = Math.exp(2 * (Math.log(TAU_FIRST) + step * i));
    for (const [tail, prior] of TAILS) grid.push({ phi: 1, tau2, nu: tail, prior: rest * prior });
  }
  return grid;
}

/** A baseline names points by their index here: the order is part of the format of calibrations. */
export const NULL_GRID: readonly NullPoint[] = makeGrid();

/** Different values of τ², ascending, and for each point of the grid its index among them. */
export const TAU2_VALUES: readonly number[] = [...new Set(NULL_GRID.map(({ tau2 }) => tau2))].sort((a, b) => a - b);
export const TAU2_INDEX: readonly number[] = NULL_GRID.map(({ tau2 }) => TAU2_VALUES.indexOf(tau2));

/** Log of the factor before the t law of ν degrees of freedom, scaled to variance 1. */
export function logStudentFactor(nu: number): number {
  return logGamma((nu + 1) / 2) - logGamma(nu / 2) - 0.5 * Math.log(nu / 2) - 0.5 * Math.log((nu - 2) / nu);
}
