/**
 * Posterior over the grid of nulls, for each score of a column at one scale, from the baseline's blocks of that scale.
 * The likelihood is tempered to the effective number of windows, so that 672 correlated hours do not pose as 672 witnesses.
 */
import { commonCause } from './common-cause.ts';
import type { EffectiveWindows } from './effective-windows.ts';
import { logStudentFactor, NULL_GRID, TAU2_INDEX, TAU2_VALUES } from './null-grid.ts';
import { negativeBinomialLog } from './rare-counts.ts';
import { shareEvidence } from './shared-evidence.ts';

/** Fewer expected rows in a set than this and its counts are judged as counts. */
export const RARE_ROWS = 5;
/** Effective windows below which nothing is tightened and verdicts are provisional. */
export const ENOUGH_WINDOWS = 14;
/** Effective windows of the median score from which a column may be found quiet. */
const TELLING_WINDOWS = 21;
/** Log of the Bayes factor from which a common cause is taken as known: twenty to one. */
const KNOWN_CAUSE = 3;
const IMPOSSIBLE = 1e-300;

export interface ScoreBlocks {
  /** Residuals of the score, one a block. */
  readonly z: Float64Array;
  readonly effective: EffectiveWindows;
  /** Parameters that the season cost. */
  readonly parameters: number;
  /** May be found less variable than independent rows. */
  readonly tightens: boolean;
  /** A rare set's own counts and expected shares, one a block. */
  readonly rare: { readonly counts: Float64Array; readonly expected: Float64Array } | null;
}

export interface FittedNulls {
  /** Of the points of NULL_GRID, one array a score; they sum to 1. */
  readonly weights: readonly Float64Array[];
  /** One cause is known to move scores together. */
  readonly caused: boolean;
}

/** `sizes`: rows of each block, all positive. */
export type FitNulls = (
  scores: readonly ScoreBlocks[],
  sizes: Float64Array,
  /** The scores that noise does not tie to each other (categories), in which a common cause would show. */
  apart: readonly number[],
) => FittedNulls;

/** Of each score what its own windows tell, and as far as they leave it open what those of the other scores do. */
export const nullPosteriors: FitNulls = (scores, sizes, apart) => {
  const logs = likelihoods(scores, sizes);
  const posteriors = posteriorsOf(scores, logs);
  const cause = commonCause(apart.map((j) => scores[j]!.z.map((z, b) => z * Math.sqrt(sizes[b]!))));
  const caused = cause > KNOWN_CAUSE;
  if (median(scores.map(({ effective }) => effective.variance)) < TELLING_WINDOWS)
    return { weights: posteriors, caused };
  const underDispersed = scores.map(({ tightens }) => tightens);
  return { weights: shareEvidence({ logs, posteriors, underDispersed, typical: median([...sizes]), cause }), caused };
};

/** Of each score what its own windows tell. */
export const ownPosteriors: FitNulls = (scores, sizes) => ({
  weights: posteriorsOf(scores, likelihoods(scores, sizes)),
  caused: false,
});

function likelihoods(scores: readonly ScoreBlocks[], sizes: Float64Array): Float64Array[] {
  const variances = variancesOf(sizes);
  return scores.map((score) =>
    score.rare === null ? scoreLikelihood(score, sizes.length, variances) : rareLikelihood(score, score.rare, sizes),
  );
}

function posteriorsOf(scores: readonly ScoreBlocks[], logs: readonly Float64Array[]): Float64Array[] {
  const priors = scores.map(({ tightens }) =>
    Float64Array.from(NULL_GRID, ({ phi, prior }) => (phi < 1 && !tightens ? IMPOSSIBLE : prior)),
  );
  const posteriors = logs.map((log, j) => posterior(log, priors[j]!));
  const largest = Math.max(0, ...posteriors.map(lowerQuartile));
  if (largest === 0) return posteriors;
  // One score of the column varies between windows: all may, by a tenth of it.
  return logs.map((log, j) =>
    posterior(
      log,
      priors[j]!.map((prior, g) =>
        NULL_GRID[g]!.phi === 1 && NULL_GRID[g]!.tau2 < largest / 100 ? IMPOSSIBLE : prior,
      ),
    ),
  );
}

interface Variances {
  /** For each pair (φ₀, τ²) that occurs: 1 / v of each block, and Σ log v. */
  readonly inverse: Float64Array;
  readonly logSum: number;
}

function variancesOf(sizes: Float64Array): Variances[] {
  const known = new Map<string, Variances>();
  return NULL_GRID.map(({ phi, tau2 }) => {
    const key = `${phi}/${tau2}`;
    let found = known.get(key);
    if (found === undefined) {
      const inverse = sizes.map((n) => 1 / (phi / n + tau2));
      found = { inverse, logSum: inverse.reduce((sum, value) => sum - Math.log(value), 0) };
      known.set(key, found);
    }
    return found;
  });
}

function tempering({ effective, parameters }: ScoreBlocks, blocks: number): { inflation: number; kappa: number } {
  const freedom = blocks / Math.max(blocks - 1 - parameters, blocks / 4);
  return {
    inflation: (freedom / Math.max(1 - 1 / effective.mean, 0.5)) * (1 - 1 / blocks),
    kappa: Math.max(effective.variance - 1 - (parameters * effective.variance) / blocks, 1) / blocks,
  };
}

function scoreLikelihood(score: ScoreBlocks, blocks: number, variances: readonly Variances[]): Float64Array {
  const { inflation, kappa } = tempering(score, blocks);
  const squares = score.z.map((z) => z * z * inflation);
  return Float64Array.from(NULL_GRID, ({ nu }, g) => {
    const { inverse, logSum } = variances[g]!;
    if (nu === Number.POSITIVE_INFINITY) {
      let sum = 0;
      for (let b = 0; b < blocks; b++) sum += squares[b]! * inverse[b]!;
      return kappa * (-0.5 * logSum - 0.5 * sum);
    }
    // Products of (1 + e²), their logarithm taken only when they grow: logarithms are most of the cost.
    let logs = 0;
    let product = 1;
    for (let b = 0; b < blocks; b++) {
      product *= 1 + (squares[b]! * inverse[b]!) / (nu - 2);
      if (product > 1e250) {
        logs += Math.log(product);
        product = 1;
      }
    }
    logs += Math.log(product);
    return kappa * (blocks * logStudentFactor(nu) - 0.5 * logSum - 0.5 * (nu + 1) * logs);
  });
}

function rareLikelihood(
  score: ScoreBlocks,
  { counts, expected }: NonNullable<ScoreBlocks['rare']>,
  sizes: Float64Array,
): Float64Array {
  const { kappa } = tempering(score, sizes.length);
  const byTau = TAU2_VALUES.map((tau2) => {
    let sum = 0;
    for (let b = 0; b < sizes.length; b++) {
      const share = expected[b]!;
      sum += negativeBinomialLog(counts[b]!, sizes[b]! * share, share / Math.max(tau2, 1e-7));
    }
    return kappa * sum;
  });
  return Float64Array.from(TAU2_INDEX, (index) => byTau[index]!);
}

function posterior(log: Float64Array, prior: Float64Array): Float64Array {
  const sums = log.map((value, g) => value + Math.log(prior[g]!));
  const largest = sums.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const weights = sums.map((value) => Math.exp(value - largest));
  const all = weights.reduce((sum, value) => sum + value, 0);
  return weights.map((value) => value / all);
}

/** Lower quartile of τ². */
function lowerQuartile(weights: Float64Array): number {
  const byTau = new Float64Array(TAU2_VALUES.length);
  for (let g = 0; g < weights.length; g++) byTau[TAU2_INDEX[g]!]! += weights[g]!;
  let sum = 0;
  for (let i = 0; i < byTau.length; i++) {
    sum += byTau[i]!;
    if (sum >= 0.25) return TAU2_VALUES[i]!;
  }
  return TAU2_VALUES[TAU2_VALUES.length - 1]!;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
