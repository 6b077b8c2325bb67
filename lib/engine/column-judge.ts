/** A column's baseline compiled for judging, once: its bins, its scores, and the nulls of each scale. */
import type { ColumnBaseline } from '../contracts/baseline.ts';
import { type CalibrationFit, readFit, type ScaleFit } from './calibration-fit.ts';
import { type ScoreReference, scoreReference } from './linear-scores.ts';
import { ScoreJudge } from './score-judge.ts';
import type { Confirmation } from './score-null.ts';
import { categoricalScores, numericScores, type ScoreSet, setShares } from './scores.ts';
import { type SpanRows, seasonOver, seasonWeights } from './season-weights.ts';
import { type VerdictBins, verdictBins } from './verdict-bins.ts';

/** Baselines of fewer windows teach nothing of how windows differ. */
export const LEARNED_WINDOWS = 4;
/** Remembered answers of `detectable`, by rows. */
const REMEMBERED = 512;
const DAY = 86_400_000;
/** A day may be an hour longer. */
const CLOCK_CHANGE = 1.05;

export interface ChosenScale {
  readonly judge: ScoreJudge;
  /** Its null was fitted on blocks as long as this one, or on shorter ones, which vary more. */
  readonly covered: boolean;
}

export class ColumnJudge {
  readonly bins: VerdictBins;
  readonly independent: boolean;
  readonly provisional: boolean;
  /** Windows of the baseline that the null rests on; `null` when independent. */
  readonly windows: number | null;
  /** Of the baseline in each bin. */
  readonly shares: ArrayLike<number>;
  /** What is wrong with the baseline, or `null`. */
  readonly broken: string | null;
  private readonly fit: CalibrationFit | null;
  private readonly scales: readonly { readonly ms: number; readonly judge: ScoreJudge }[];
  private readonly scoreCount: number;
  private readonly remembered = new Map<string, number | null>();

  constructor(column: ColumnBaseline) {
    this.bins = verdictBins(column);
    const { calibration } = column;
    const scoresOf = (shares: ArrayLike<number>): ScoreSet =>
      column.type === 'numeric' ? numericScores(shares, true) : categoricalScores(shares, true);
    this.fit =
      calibration === null ? null : readFit(calibration, this.bins.size, (shares) => scoresOf(shares).aspects.length);
    this.broken = calibration !== null && this.fit === null ? 'its calibration was made by another version' : null;
    this.independent = this.fit === null;
    this.provisional = calibration?.provisional ?? false;
    this.windows = this.fit?.scales[0]?.blocks ?? null;
    const rows = this.fit?.rows ?? this.bins.rows;
    const shares = this.fit?.shares ?? this.bins.baseline.map((count) => (rows > 0 ? count / rows : 0));
    this.shares = shares;
    const scores = scoresOf(shares);
    this.scoreCount = scores.aspects.length;
    const reference = rows > 0 ? toBeExpected(scores, setShares(scores, shares, rows), this.bins) : null;
    const noise = reference === null ? [] : referenceNoise(scores, reference.shares, this.bins);
    const fits = this.fit?.scales ?? [independentScale(rows, scores.aspects.length)];
    this.scales =
      reference === null
        ? []
        : fits.map((scale) => ({
            ms: scale.ms,
            judge: new ScoreJudge(
              reference,
              { shares, rows, hourly: this.isHourly(scale.ms), noise },
              scale,
              this.independent,
            ),
          }));
  }

  /** Blocks within a day of a column that has its hours. */
  private isHourly(ms: number): boolean {
    return ms < DAY && (this.fit?.seasons.some(({ hour }) => hour !== undefined) ?? false);
  }

  /** The null of the longest fitted blocks no longer than this: an average never varies more than its parts. */
  scale(ms: number | null): ChosenScale | null {
    const fitting = this.scales.findLast((scale) => ms === null || scale.ms <= ms * CLOCK_CHANGE);
    const chosen = ms === null ? this.scales[0] : (fitting ?? this.scales[0]);
    return chosen === undefined ? null : { judge: chosen.judge, covered: ms === null || fitting !== undefined };
  }

  /** Predicted scores of a span; zeros without one or without a calibration. */
  season(span: SpanRows | null): Float64Array {
    const predicted = new Float64Array(this.scoreCount);
    const { fit } = this;
    if (fit === null) return predicted;
    const seasonal = fit.seasons.some(({ hour, weekday }) => hour !== undefined || weekday !== undefined);
    const weights = span === null || !seasonal ? null : seasonWeights(span, fit.timezone, fit.hours);
    return predicted.map((_, j) => {
      const season = fit.seasons[j]!;
      return weights === null ? season.base : seasonOver(season, weights);
    });
  }

  /** As ScoreJudge.detectable, for rows cut to two digits: windows of like size ask once. */
  detectable(
    judge: ScoreJudge,
    rows: number,
    { level, smallestEffect, confirmation }: { level: number; smallestEffect: number; confirmation: Confirmation },
  ): number | null {
    if (!(rows >= 1)) return null;
    const unit = 10 ** Math.max(0, Math.floor(Math.log10(rows)) - 1);
    const about = Math.floor(rows / unit) * unit;
    const place = this.scales.findIndex((scale) => scale.judge === judge);
    const key = `${place}/${about}/${level}/${smallestEffect}/${confirmation.m}/${confirmation.n}`;
    let found = this.remembered.get(key);
    if (found === undefined) {
      found = judge.detectable(about, level, smallestEffect, confirmation);
      if (this.remembered.size >= REMEMBERED) this.remembered.clear();
      this.remembered.set(key, found);
    }
    return found;
  }
}

const judges = new WeakMap<ColumnBaseline, ColumnJudge>();

/** The judge of a column, compiled at its first use. Baselines are immutable. */
export function columnJudge(column: ColumnBaseline): ColumnJudge {
  let judge = judges.get(column);
  if (judge === undefined) {
    judge = new ColumnJudge(column);
    judges.set(column, judge);
  }
  return judge;
}

/**
 * Unseen categories are expected as often as categories were seen once, and the bins of those so much less; categories that were put
 * together since they are rare, more often than where they were chosen.
 */
function toBeExpected(
  scores: ScoreSet,
  shares: Float64Array,
  { other, unseen, seenOnce, expectedUnseen, keptOut, rows }: VerdictBins,
): ScoreReference {
  const least = 0.5 / rows;
  const expectedOf = (bin: number, share: number): number => {
    if (bin === unseen) return seenOnce === null ? share : Math.max(share, expectedUnseen);
    const away = unseen === null || seenOnce === null ? 0 : seenOnce[bin]!;
    return share - (away - (bin === other ? keptOut : 0)) / rows;
  };
  scores.sets.forEach((set, i) => {
    if (set.length > 1) return;
    const share = expectedOf(set[0]!, shares[i]!);
    if (share !== shares[i]) shares[i] = Math.min(1 - least, Math.max(least, share));
  });
  return scoreReference(scores, shares);
}

/** Of each set, the variance of its expected rows in units of that of as many drawn rows. */
function referenceNoise(
  { sets }: ScoreSet,
  shares: ArrayLike<number>,
  { choice, rows }: VerdictBins,
): readonly number[] {
  if (choice === null) return [];
  return sets.map(([bin, ...more], i) =>
    more.length > 0 ? 1 : 1 + choice[bin!]! / (rows * shares[i]! * (1 - shares[i]!)),
  );
}

/** Rows as independent draws; the reference is one of `rows` of them. */
function independentScale(rows: number, scores: number): ScaleFit {
  const score = { points: [0], weights: [1], reference: 1, rare: false };
  return { ms: 0, blocks: 0, largest: Math.max(rows, 1), scores: Array.from({ length: scores }, () => score) };
}
