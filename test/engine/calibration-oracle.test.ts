/**
 * The recipe against a second implementation of it (NumPy and SciPy, matrices instead of loops): the same counts must give the
 * same surprise and the same effect. fixtures/calibration/prototype.json holds counts and what that implementation answered.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { calibrateBlocks, type TimedBlock } from '../../lib/engine/calibration.ts';
import { type CalibrationFit, readFit } from '../../lib/engine/calibration-fit.ts';
import { scoreReference } from '../../lib/engine/linear-scores.ts';
import { ownPosteriors } from '../../lib/engine/null-posterior.ts';
import { ScoreJudge } from '../../lib/engine/score-judge.ts';
import { categoricalScores, numericScores, type ScoreSet, setShares } from '../../lib/engine/scores.ts';
import { seasonAt } from '../../lib/engine/season.ts';

interface Table {
  readonly hour: number[];
  readonly weekday: number[];
  readonly day: number[];
  readonly counts: number[][];
}
interface Case {
  readonly name: string;
  readonly hourly: boolean;
  readonly ordered: boolean;
  readonly missing: boolean;
  readonly baseline: Table;
  readonly stream: Table;
  readonly provisional: boolean;
  readonly effective: number;
  readonly seasons: string[];
  /** By scale and block: q, effect and index of the deciding score (`null` where q is 1). */
  readonly expected: Record<string, [q: number, effect: number | null, score: number | null][]>;
}

const cases: Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/calibration/prototype.json', import.meta.url), 'utf8'),
);
const MS: Record<string, number> = { day: 86_400_000, week: 7 * 86_400_000 };
/** Day 0 of the fixture is a Monday. */
const MONDAY = 4;

const timed = ({ hour, weekday, day, counts }: Table): TimedBlock[] =>
  counts.map((row, t) => ({
    time: { hour: hour[t]!, weekday: weekday[t]!, day: day[t]! + MONDAY },
    counts: Float64Array.from(row),
  }));

/** The weights of that implementation. */
function weighed(scores: ScoreSet): ScoreSet {
  const { aspects, ordered, sets, polynomials } = scores;
  const bins = aspects.filter(({ kind }) => kind === 'bin').length;
  const tail = scores.outside === null ? 0.05 : 0.0375;
  const weights = aspects.map(({ kind }) => {
    if (kind === 'location') return 0.35;
    if (kind === 'spread') return 0.15;
    if (kind === 'missing') return 0.1;
    return kind === 'bin' ? (ordered ? 0.2 : 0.9) / bins : tail;
  });
  const outside = scores.outside === null ? null : { ...scores.outside, weight: 0.05 };
  const all = weights.reduce((sum, weight) => sum + weight, outside?.weight ?? 0);
  expect(sets.length + polynomials.length).toBe(weights.length);
  return {
    ...scores,
    weights: Float64Array.from(weights, (weight) => weight / all),
    outside: outside === null ? null : { ...outside, weight: outside.weight / all },
  };
}

describe.each(cases)('$name', (one) => {
  const scoresOf = (shares: ArrayLike<number>) =>
    weighed(one.ordered ? numericScores(shares, one.missing) : categoricalScores(shares, one.missing, false));
  // Each score by its own windows: what others add is tested in shared-evidence.test.ts.
  const window = { every: one.hourly ? '1h' : '1d', timezone: 'UTC' };
  const calibration = calibrateBlocks(timed(one.baseline), scoresOf, window, ownPosteriors);
  if (calibration === null) throw new Error('no calibration');
  const bins = one.baseline.counts[0]!.length;
  const fit = readFit(calibration, bins, (shares) => scoresOf(shares).aspects.length) as CalibrationFit;
  const scores = scoresOf(fit.shares);
  const reference = scoreReference(scores, setShares(scores, fit.shares, fit.rows));

  test('the same seasons, effective windows and provisional mark', () => {
    const kinds = fit.seasons.map(({ hour, weekday }) => {
      const weekend = weekday?.slice(0, 5).every((value) => value === 0);
      return (hour === undefined ? '' : 'h') + (weekday === undefined ? '' : weekend ? 'e' : 'd');
    });
    expect(kinds).toEqual(one.seasons);
    expect(calibration.effectiveWindows).toBeCloseTo(one.effective, 5);
    expect(calibration.provisional).toBe(one.provisional);
  });

  test.each(Object.keys(one.expected))('the same verdicts at the scale of a %s', (scale) => {
    const ms = MS[scale] ?? 0;
    const fitted = fit.scales.findLast((candidate) => candidate.ms <= Math.max(ms, fit.scales[0]!.ms))!;
    const judge = new ScoreJudge(reference, fit, fitted, false);
    const confirmation = one.hourly && scale === 'window' ? { m: 2, n: 3 } : { m: 1, n: 1 };
    const answers = blocksOf(one.stream, scale).map((windows) => {
      const counts = new Float64Array(bins);
      const season = new Float64Array(scores.aspects.length);
      let rows = 0;
      for (const { time, counts: part } of windows) {
        const n = part.reduce((sum, count) => sum + count, 0);
        rows += n;
        part.forEach((count, b) => {
          counts[b]! += count;
        });
        fit.seasons.forEach((model, j) => {
          season[j]! += n * seasonAt(model, time);
        });
      }
      const found = judge.judge({
        counts,
        rows,
        season: season.map((value) => value / rows),
        smallestEffect: 0.05,
        confirmation,
      })[0]!;
      const decided = found.q < 1;
      return {
        q: found.q,
        effect: decided ? found.effect : null,
        score: decided ? scores.aspects.indexOf(found.aspect) : null,
      };
    });
    const expected = one.expected[scale]!;
    expect(answers).toHaveLength(expected.length);
    expected.forEach(([q, effect, score], b) => {
      const answer = answers[b]!;
      const ratio = Math.log(answer.q / q);
      // That implementation doubles the tail of a count where the other side has none: each confirming window may halve q.
      const doubled = answer.score !== null && fitted.scores[answer.score]!.rare;
      const least = doubled ? -Math.log(2) * confirmation.m - 1e-5 : -1e-5;
      expect(ratio, `block ${b}: q ${answer.q}, expected ${q}`).toBeLessThan(1e-5);
      expect(ratio, `block ${b}: q ${answer.q}, expected ${q}`).toBeGreaterThan(least);
      if (ratio < -1e-5) return;
      // At 1 any score may decide: the weights of the mixture sum to 1 but for rounding.
      if (q > 0.99) return;
      expect(answer.score, `block ${b}`).toBe(score);
      expect(answer.effect, `block ${b}`).toBeCloseTo(effect ?? Number.NaN, 4);
    });
  });
});

function blocksOf(stream: Table, scale: string): TimedBlock[][] {
  const windows = timed(stream);
  if (scale === 'window') return windows.map((window) => [window]);
  const blocks = new Map<number, TimedBlock[]>();
  for (const window of windows) {
    const key = scale === 'day' ? window.time.day : Math.floor((window.time.day - MONDAY) / 7);
    blocks.set(key, [...(blocks.get(key) ?? []), window]);
  }
  return [...blocks.values()];
}
