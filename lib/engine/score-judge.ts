/**
 * Judging the scores of one column at one scale: which of them moved, how surprising that is in expected openings a window,
 * and how large the change is.
 */
import type { ScaleFit } from './calibration-fit.ts';
import {
  effectiveRows,
  expectedShare,
  linearScores,
  residuals,
  type ScoreReference,
  setCounts,
} from './linear-scores.ts';
import { judgeMix, MIX_ROWS, type MixedScore } from './mix-score.ts';
import { RARE_ROWS } from './null-posterior.ts';
import { LEAST_SHARE, OutsideScore } from './outside-score.ts';
import { type Confirmation, ScoreNullLaw } from './score-null.ts';
import { CROWDED, type ScoreAspect } from './scores.ts';
import { signedRoot } from './signed-root.ts';
import { tiltedRoot } from './tilted-root.ts';

/** Fewer effective rows than this are never judged: they count at the longer scales. */
export const LEAST_ROWS = 30;
/** Scores within so many standard deviations are not looked at further. */
const UNREMARKABLE = 2;
/** Second-order effect of a location shift on the other scores: 0.63 for the normal law, 0.71 for t₃. */
const SHAPE_OF_SHIFT = 0.65;
/** Of the location score: beyond, all values lie where the baseline had next to none. */
const LARGEST_LOCATION = 8;
/** Of what windows differ by, in the mix of categories. */
const MIX_CAUTION = 1.5;
const DAY = 86_400_000;
/** Standard normal quantile of 80 % power. */
const POWER = 0.8416212335729143;

export interface ScoreFinding {
  readonly aspect: ScoreAspect;
  /** Expected openings a window at a value as extreme, within the column; 1 when unremarkable or below the smallest effect. */
  readonly q: number;
  /** Corrected effect, w. */
  readonly effect: number;
  /** Residual in posterior standard deviations, signed. */
  readonly deviations: number;
  /** Sets: share of rows expected and found. Polynomials: `null`. */
  readonly shares: { readonly expected: number; readonly found: number } | null;
}

export interface ScoreQuestion {
  readonly counts: ArrayLike<number>;
  /** Effective rows, > 0. */
  readonly rows: number;
  /** Relative weight of the rows in each bin (`BinnedWindow.spread`) and the baseline's shares, when rows were weighted. */
  readonly weighted?: { readonly spread: ArrayLike<number>; readonly baseline: ArrayLike<number> };
  /** Predicted score of each score. */
  readonly season: ArrayLike<number>;
  readonly smallestEffect: number;
  readonly confirmation: Confirmation;
}

export class ScoreJudge {
  private readonly reference: ScoreReference;
  private readonly laws: readonly ScoreNullLaw[];
  private readonly crowd: Crowd | null;
  /** For each set its share where the baseline had no row of it, else 0. */
  private readonly never: Float64Array;
  private readonly outside: OutsideScore | null;
  private readonly mixes: boolean;

  /**
   * `shares`: of the baseline in each bin, `rows` in all. `hourly`: windows have an hour-of-day season; their mix is left to the longer
   * scales, since a night is not the day's mix with fewer rows: what differs between hours is no constant, as under-dispersion is not.
   * So it is where one cause moves all categories: its days are few however many hours they have.
   * `noise`: of each set, what its expected share varies by (`ScoreNullLaw`). `independent`: rows are taken as independent, no calibration stands behind the scale.
   */
  constructor(
    reference: ScoreReference,
    {
      shares,
      rows,
      hourly = false,
      noise = [],
    }: {
      readonly shares: ArrayLike<number>;
      readonly rows: number;
      readonly hourly?: boolean;
      readonly noise?: readonly number[];
    },
    scale: ScaleFit,
    independent: boolean,
  ) {
    this.reference = reference;
    this.mixes = !hourly && !(scale.caused === true && scale.ms < DAY);
    this.outside = OutsideScore.of(reference, scale, rows);
    this.crowd = reference.scores.ordered ? crowdOf(reference, shares) : null;
    const first = reference.scores.polynomials.length;
    this.never = reference.shares.map((share) => (share * rows < 1 && share < LEAST_SHARE ? share : 0));
    this.laws = scale.scores.map((score, j) => {
      // Of a set that the baseline never had, its windows tell nothing: relative to its share it varies as a set of a thousandth.
      const never = this.never[j - first] ?? 0;
      const tauFactor = never > 0 ? never / LEAST_SHARE : 1;
      const referenceNoise = noise[j - first] ?? 1;
      return new ScoreNullLaw(score, scale, independent ? null : score.rare, { tauFactor, referenceNoise });
    });
  }

  /** All scores, most surprising first; the first decides. */
  judge({ counts, rows: all, weighted, season, smallestEffect, confirmation }: ScoreQuestion): ScoreFinding[] {
    const { scores } = this.reference;
    const first = scores.polynomials.length;
    const linear = linearScores(this.reference, counts, all);
    const inSets = setCounts(scores, counts);
    const ofScore =
      weighted === undefined ? null : effectiveRows(this.reference, weighted.baseline, weighted.spread, all);
    if (ofScore !== null) for (let i = 0; i < inSets.length; i++) inSets[i]! *= ofScore[first + i]! / all;
    const z = residuals(this.reference, linear, inSets, season, ofScore ?? all, 0.5);
    if (this.crowd !== null)
      for (let j = 0; j < first; j++) z[j] = crowdedRoot(this.crowd, j, linear[j]!, season[j]!, ofScore?.[j] ?? all);
    // Where the shape is not judged a shift of it explains nothing away.
    const location = scores.ordered && first > 0 && this.tellsShape(all) ? Math.abs(linear[0]! - season[0]!) : 0;
    const bend = SHAPE_OF_SHIFT * location * (location + 2 * Math.abs(season[0] ?? 0));
    const findings = scores.aspects.map((aspect, j): ScoreFinding => {
      const law = this.laws[j]!;
      const set = j - first;
      const rows = ofScore?.[j] ?? all;
      const variance = law.meanVariance(rows);
      const expected = set < 0 ? 0 : expectedShare(this.reference, set, season[j]!);
      const rare = set >= 0 && law.isRare(rows, this.reference.shares[set]!);
      const raw = linear[j]! - season[j]!;
      const effect = this.effectUnit(set) * Math.sqrt(Math.max(0, raw ** 2 - variance));
      // Of a set with nearly all rows it is the rest that is rare.
      const few =
        expected > 0.5 ? { x: rows - inSets[set]!, share: 1 - expected } : { x: inSets[set]!, share: expected };
      const remarkable =
        Math.abs(z[j]!) > UNREMARKABLE * Math.sqrt(variance) || (rare && few.x > 2 * rows * few.share + 1);
      let q = 1;
      if (remarkable && all >= LEAST_ROWS && effect >= smallestEffect && (set >= 0 || this.tellsShape(rows))) {
        const question = {
          rows,
          shape: j === 0 && first > 0 ? 0 : bend ** 2,
          weight: scores.weights[j]!,
          confirmation,
        };
        q = rare ? law.ofCount(Math.max(0, few.x), few.share, question) : law.ofResidual(z[j]!, question);
      }
      return {
        aspect,
        q,
        effect,
        deviations: z[j]! / Math.sqrt(variance),
        shares: set < 0 ? null : { expected, found: inSets[set]! / rows },
      };
    });
    if (all >= LEAST_ROWS) {
      const mix = this.judgeMix(findings, linear, season, all, { smallestEffect, confirmation });
      if (mix !== null) findings.push(mix);
      const beyond = this.judgeOutside(counts, all, { shape: bend ** 2, smallestEffect, confirmation });
      if (beyond !== null) findings.push(beyond);
    }
    return findings.sort((a, b) => a.q - b.q || Math.abs(b.deviations) - Math.abs(a.deviations));
  }

  /** Many categories that moved a little each. `findings`: of the scores, in their order. */
  private judgeMix(
    findings: readonly ScoreFinding[],
    linear: Float64Array,
    season: ArrayLike<number>,
    rows: number,
    { smallestEffect, confirmation }: Pick<ScoreQuestion, 'smallestEffect' | 'confirmation'>,
  ): ScoreFinding | null {
    const { scores, shares } = this.reference;
    if (scores.mix === 0 || !this.mixes) return null;
    const mixed: MixedScore[] = [];
    let moved = 0;
    let chance = 0;
    for (let j = 0; j < findings.length; j++) {
      const found = findings[j]!.shares;
      if (scores.aspects[j]!.kind !== 'bin' || found === null || rows * found.expected < MIX_ROWS) continue;
      const law = this.laws[j]!;
      // Errors of τ² are common to all categories, and do not average out: half as much again.
      const between = MIX_CAUTION * law.betweenWindows();
      // Under-dispersion is no matter for a sum over categories: at least the noise of independent rows.
      const noise = Math.max(law.meanVariance(rows) - law.betweenWindows(), 1 / rows);
      const whole = noise + between + law.referenceVariance();
      mixed.push({
        deviations: (found.found - found.expected) / Math.sqrt(found.expected * (1 - found.expected) * whole),
        effectShare: Math.min(1, (between * (1 + law.reference)) / whole),
        expected: rows * found.expected,
      });
      moved += (linear[j]! - season[j]!) ** 2 * (1 - shares[j]!);
      chance += whole * (1 - shares[j]!);
    }
    const effect = Math.sqrt(Math.max(0, moved - chance));
    if (mixed.length < 2) return null;
    const { q, deviations } = judgeMix(mixed, { weight: scores.mix, confirmation });
    return { aspect: { kind: 'mix' }, q: effect >= smallestEffect ? q : 1, effect, deviations, shares: null };
  }

  private judgeOutside(
    counts: ArrayLike<number>,
    rows: number,
    { shape, smallestEffect, confirmation }: { shape: number; smallestEffect: number; confirmation: Confirmation },
  ): ScoreFinding | null {
    if (this.outside === null) return null;
    const [low, high] = this.outside.bins.map((bin) => counts[bin]!) as [number, number];
    if (low + high === 0) return null;
    const { q, effect, deviations } = this.outside.judge(low + high, { rows, shape, confirmation });
    return {
      aspect: { kind: high >= low ? 'high-tail' : 'low-tail', share: 0 },
      q: effect >= smallestEffect ? q : 1,
      effect,
      deviations,
      shares: { expected: 0, found: Math.max(low, high) / rows },
    };
  }

  /** What the baseline never had is told against a share of a thousandth: a handful of such rows is no change of w 20. */
  private effectUnit(set: number): number {
    const never = this.never[set] ?? 0;
    return never > 0 ? Math.sqrt((never * (1 - never)) / (LEAST_SHARE * (1 - LEAST_SHARE))) : 1;
  }

  /** With few rows outside a crowded bin, or two values in all, the shape is no more than the shares of bins, which are judged as such. */
  private tellsShape(rows: number): boolean {
    return this.crowd === null || (this.crowd.used > 2 && rows * this.crowd.apart >= RARE_ROWS);
  }

  /**
   * Smallest effect that a window of so many rows shows at `level`, and as at least the smallest effect, with 80 % power; by the
   * score an owner thinks of first: location, or the most frequent category, which moves to where it has more room. `null` when
   * even the largest possible change would pass.
   */
  detectable(rows: number, level: number, smallestEffect: number, confirmation: Confirmation): number | null {
    const { scores, shares, deviations } = this.reference;
    if (!(rows > 0) || scores.aspects.length === 0) return null;
    const first = scores.polynomials.length;
    const j = first > 0 && this.tellsShape(rows) ? 0 : first + largestIndex(shares);
    const law = this.laws[j]!;
    if (law === undefined) return null;
    const question = { rows, shape: 0, weight: scores.weights[j]!, confirmation };
    const variance = law.meanVariance(rows);
    const sigma = Math.sqrt(variance);
    if (j < first) {
      const critical = lowestBelow((effect) => law.ofResidual(effect, question), level, sigma, LARGEST_LOCATION);
      if (critical === null) return null;
      return Math.min(LARGEST_LOCATION, Math.max(critical, Math.hypot(smallestEffect, sigma)) + POWER * sigma);
    }
    const share = shares[j - first]!;
    const deviation = deviations[j - first]!;
    const moved = (effect: number): number => share + (share > 0.5 ? -1 : 1) * effect * deviation;
    const most = Math.max(1 - share, share) / deviation;
    const few = Math.min(share, 1 - share);
    const q = (effect: number): number =>
      law.isRare(rows, share)
        ? law.ofCount(rows * Math.min(1, few + effect * deviation), few, question)
        : law.ofResidual(signedRoot(rows * moved(effect), rows, share, 0.5), question);
    const critical = lowestBelow(q, level, sigma, most);
    if (critical === null) return null;
    const unit = this.effectUnit(j - first);
    const least = Math.max(critical, Math.hypot(smallestEffect / unit, sigma));
    // A share that has moved is spread as itself, not as the baseline's.
    let effect = least;
    for (let i = 0; i < 5; i++) {
      const there = Math.min(1, Math.max(0, moved(effect)));
      const spread = (there * (1 - there)) / (rows * deviation ** 2) + Math.max(0, variance - 1 / rows);
      effect = Math.min(most, least + POWER * Math.sqrt(spread));
    }
    return unit * effect;
  }
}

/** A number most of whose rows lie in one bin: the scores of its shape are far from normal there, and mean little. */
interface Crowd {
  /** Shares of values, without missing. */
  readonly shares: Float64Array;
  readonly polynomials: readonly Float64Array[];
  /** Of each polynomial what the nearest other bin adds to it. */
  readonly steps: readonly number[];
  /** Share of rows outside that bin. */
  readonly apart: number;
  /** Bins with a share. */
  readonly used: number;
}

/** `null` where no bin has half of the values. */
function crowdOf({ scores }: ScoreReference, baseline: ArrayLike<number>): Crowd | null {
  const missing = scores.aspects.some(({ kind }) => kind === 'missing') ? scores.sets.at(-1)?.[0] : undefined;
  const shares = Float64Array.from(baseline, (share, bin) => (bin === missing ? 0 : share));
  const all = shares.reduce((sum, share) => sum + share, 0);
  const largest = largestIndex(shares);
  const top = shares[largest] ?? 0;
  if (!(top > CROWDED * all)) return null;
  const others = [...shares.keys()].filter((bin) => bin !== largest && shares[bin]! > 0);
  return {
    shares: shares.map((share) => share / all),
    polynomials: scores.polynomials,
    steps: scores.polynomials.map((h) =>
      others.reduce((least, bin) => Math.min(least, Math.abs(h[bin]! - h[largest]!)), Number.POSITIVE_INFINITY),
    ),
    apart: 1 - top / all,
    used: others.length + 1,
  };
}

/** The residual of a polynomial as a signed root, its mean first moved half a row towards the expected one, never past it. */
function crowdedRoot(crowd: Crowd, j: number, mean: number, expected: number, rows: number): number {
  const half = Math.min((0.5 * crowd.steps[j]!) / rows, Math.abs(mean - expected));
  return tiltedRoot(mean - Math.sign(mean - expected) * half, expected, crowd.polynomials[j]!, crowd.shares);
}

/** The x up to `most` with q(x) = level, q falling: false position on the logarithms, 0.5 % relative. */
function lowestBelow(q: (x: number) => number, level: number, sigma: number, most: number): number | null {
  const gap = (x: number): number => Math.log(Math.max(q(x), 1e-290)) - Math.log(level);
  let low = Math.min(2 * sigma, most / 4);
  let gapLow = gap(low);
  if (gapLow <= 0) return low;
  let high = Math.min(most, 4 * sigma);
  let gapHigh = gap(high);
  while (gapHigh > 0) {
    if (high >= most) return null;
    low = high;
    gapLow = gapHigh;
    high = Math.min(most, high * 1.6);
    gapHigh = gap(high);
  }
  for (let i = 0; i < 30 && high - low > 0.005 * high; i++) {
    const cut = low + ((high - low) * gapLow) / (gapLow - gapHigh);
    const middle = Math.min(high - 0.1 * (high - low), Math.max(low + 0.1 * (high - low), cut));
    const gapMiddle = gap(middle);
    if (gapMiddle > 0) {
      low = middle;
      gapLow = gapMiddle;
    } else {
      high = middle;
      gapHigh = gapMiddle;
    }
  }
  return high;
}

function largestIndex(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
