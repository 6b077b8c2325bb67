/**
 * Whether a column's windows differ by anything but the sampling of their rows, from all of its scores together: 28 windows of one
 * score cannot tell independent rows from such as differ by a little, and leave a doubt that every verdict pays for; those of fifty can.
 *
 * Four hypotheses: the column is quiet; one of its scores varies, any; all vary, by scales within a factor of ten; one cause moves its
 * categories together (common-cause.ts). What is not quiet keeps the posterior of its own windows.
 */
import { NULL_GRID, TAU2_INDEX, TAU2_VALUES } from './null-grid.ts';

const QUIET = 0.5;
const ONE = 0.2;
const ALL = 0.2;
const CAUSE = 0.1;
/** Scores overlap: together they are witnesses of half their number. */
const DEPENDENCE = 0.5;
/**
 * τ² of a quiet column, in units of the sampling noise of its median window: so little is never seen, and counts where traffic grows.
 */
const QUIET_EXCESS = 0.05;
/** Steps of the grid within which the scales of all lie: a factor of ten in τ. */
const SPREAD = 9;

/** Points of the grid that are not under-dispersed, by index of τ². */
const POINTS: readonly (readonly number[])[] = TAU2_VALUES.map((_, t) =>
  [...NULL_GRID.keys()].filter((g) => NULL_GRID[g]!.phi === 1 && TAU2_INDEX[g] === t),
);
/** Log prior of a point among those of its τ². */
const LOG_TAILS = NULL_GRID.map(({ prior }, g) =>
  Math.log(prior / sum(POINTS[TAU2_INDEX[g]!]!.map((of) => NULL_GRID[of]!.prior))),
);
const UNDER = [...NULL_GRID.keys()].filter((g) => NULL_GRID[g]!.phi < 1);
const INDEPENDENT = POINTS[0]![0]!;
const STEPS = TAU2_VALUES.length - 1;

export interface SharedEvidence {
  /** Log likelihood of each point of NULL_GRID, one array a score. */
  readonly logs: readonly Float64Array[];
  /** What each score's own windows tell: weights that sum to 1. */
  readonly posteriors: readonly Float64Array[];
  /** Whether a score may be found less variable than independent rows. */
  readonly underDispersed: readonly boolean[];
  /** Rows of the median window. */
  readonly typical: number;
  /** Log of the Bayes factor for a common cause. */
  readonly cause: number;
}

/** Posteriors that every score's windows have had a say in: weights of the points of NULL_GRID, one array a score. */
export function shareEvidence({ logs, posteriors, underDispersed, typical, cause }: SharedEvidence): Float64Array[] {
  const quietPoint = quietPointAt(typical);
  const relative = logs.map(byTau);
  const near = relative.map((log) => log.map((_, t) => logMean(neighbours(t).map((i) => log[i]!))));
  const one = relative.map((log) => logMean(log.slice(1)));
  const common = Array.from({ length: STEPS }, (_, i) => DEPENDENCE * sum(near.map((log) => log[i + 1]!)));
  const top = Math.max(0, cause, ...one, ...common);
  const ones = one.map((log) => (ONE / logs.length) * Math.exp(log - top));
  const commons = common.map((log) => (ALL / STEPS) * Math.exp(log - top));
  const quiet = QUIET * Math.exp(-top);
  const ofCause = CAUSE * Math.exp(cause - top);
  const all = quiet + ofCause + sum(ones) + sum(commons);
  // Where another score is known to vary this one may.
  const known = ones.map((mass, j) => mass * Math.max(0, 1 - Math.exp(-one[j]!)));
  // A common scale narrows what a score's own windows tell only as far as the column may be quiet.
  const narrowed = Math.min(1, (2 * quiet) / all);
  return posteriors.map((own, j) => {
    const varies = (ones[j]! + sum(known) - known[j]! + ofCause + (1 - narrowed) * sum(commons)) / all;
    const weights = own.map((weight) => weight * varies);
    const ofQuiet = Math.max(0, 1 - varies - (narrowed * sum(commons)) / all);
    for (const [g, share] of quietLaw(logs[j]!, quietPoint, underDispersed[j]!)) weights[g]! += ofQuiet * share;
    commons.forEach((mass, i) => {
      const share = (narrowed * mass) / all / SPREAD;
      for (const t of neighbours(i + 1))
        for (const g of POINTS[t]!)
          weights[g]! += share * Math.exp(LOG_TAILS[g]! + logs[j]![g]! - logs[j]![INDEPENDENT]! - near[j]![i + 1]!);
    });
    return weights;
  });
}

function quietPointAt(typical: number): number {
  const t = Math.max(
    1,
    TAU2_VALUES.findLastIndex((tau2) => tau2 * typical <= QUIET_EXCESS),
  );
  return POINTS[t]!.find((g) => NULL_GRID[g]!.nu === Number.POSITIVE_INFINITY)!;
}

/** A quiet score is as variable as independent rows and little more, or less: by its own windows. Points and shares. */
function quietLaw(log: Float64Array, quietPoint: number, mayBeUnder: boolean): (readonly [number, number])[] {
  if (!mayBeUnder) return [[quietPoint, 1]];
  const points = [quietPoint, ...UNDER];
  const logs = points.map((g, i) => log[g]! + Math.log(NULL_GRID[i === 0 ? INDEPENDENT : g]!.prior));
  const all = logSum(logs);
  return points.map((g, i) => [g, Math.exp(logs[i]! - all)] as const);
}

/** Log likelihood of each τ², over the tails, relative to independent rows. */
function byTau(log: Float64Array): number[] {
  return POINTS.map((points) => logSum(points.map((g) => LOG_TAILS[g]! + log[g]! - log[INDEPENDENT]!)));
}

/** Indices of τ² from t down. */
function neighbours(t: number): number[] {
  return Array.from({ length: SPREAD }, (_, k) => Math.max(0, t - k));
}

function logMean(logs: readonly number[]): number {
  return logSum(logs) - Math.log(logs.length);
}

function logSum(logs: readonly number[]): number {
  const top = Math.max(...logs);
  return top + Math.log(sum(logs.map((log) => Math.exp(log - top))));
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
