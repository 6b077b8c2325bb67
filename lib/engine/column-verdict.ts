/** The verdict on one column: its baseline against the counts of one window or of another data set. */
import type { ColumnBaseline } from '../contracts/baseline.ts';
import { noun } from '../contracts/noun.ts';
import type { FeatureResult, Verdict } from '../contracts/result.ts';
import { aspectText, changesOf, sentenceOf } from './column-changes.ts';
import type { ColumnCounts } from './column-counts.ts';
import { columnJudge, LEARNED_WINDOWS } from './column-judge.ts';
import { type OtherTests, otherTests } from './other-tests.ts';
import { round12, round12OrNull } from './round.ts';
import { LEAST_ROWS, type ScoreFinding } from './score-judge.ts';
import type { Confirmation } from './score-null.ts';
import type { SpanRows } from './season-weights.ts';
import { type BinnedWindow, binWindow } from './verdict-bins.ts';
import { numberText } from './verdict-words.ts';

/** The name of the primary test. */
export const PRIMARY_TEST = 'calibrated-scores';

/** Share of rows above which a bin is what is usual in its column. */
const DOMINANT = 0.9;

export interface JudgeOptions {
  /** Expected openings a window that this column may spend (budget.ts). */
  readonly level: number;
  /** Corrected effect w below which nothing is worth waking for. */
  readonly smallestEffect: number;
  /** Effective rows below which there is no verdict. */
  readonly minimumRows: number;
  /** Event time covered; `null` when unknown: no season is then predicted and the null is that of the baseline's windows. */
  readonly span: SpanRows | null;
  /** M of N windows that must show it. */
  readonly confirmation: Confirmation;
  readonly others?: OtherTests;
}

/** Pure; never throws for data. Doubles have 12 significant digits and the verdict is taken on those. */
export function judgeColumn(column: ColumnBaseline, current: ColumnCounts, options: JudgeOptions): FeatureResult {
  return judgeScores(column, current, options).result;
}

export interface JudgedColumn {
  readonly result: FeatureResult;
  /** Scores beyond the level, most surprising first. */
  readonly flagged: readonly ScoreFinding[];
}

/** The same, with the scores that moved. */
export function judgeScores(column: ColumnBaseline, current: ColumnCounts, options: JudgeOptions): JudgedColumn {
  const compiled = columnJudge(column);
  const { bins } = compiled;
  const level = round12(options.level);
  const window = binWindow(bins, current);
  const span = options.span;
  const scale = compiled.scale(span === null ? null : span.end - span.start);
  const undecided = (status: Verdict, reason: string, detectable: number | null = null): JudgedColumn => ({
    result: { ...plain(column, current), status, threshold: level, detectable, reason, summary: reason },
    flagged: [],
  });
  if (window === null) return undecided('failed', 'the counts do not fit the baseline');
  if (compiled.broken !== null)
    return undecided('failed', `${compiled.broken}; make the baseline again with mlmon profile`);
  if (scale === null) return undecided('insufficient-data', 'the baseline has no rows of this column');
  if (window.rows === 0)
    return undecided('insufficient-data', current.n > 0 ? 'all values are of the wrong type' : 'no rows');
  const detectable = round12OrNull(compiled.detectable(scale.judge, window.rows, { ...options, level }));
  const least = Math.max(LEAST_ROWS, options.minimumRows);
  if (window.rows < least) {
    const visible = detectable === null ? 'no change' : `only an effect above ${numberText(detectable)}`;
    const seen = Math.floor(window.rows);
    const rows = `${numberText(seen)} ${current.weighted === null ? '' : 'effective '}${noun(seen, 'row')}`;
    return undecided('insufficient-data', `${rows}, fewer than ${least}: ${visible} could have been shown`, detectable);
  }
  const findings = scale.judge.judge({
    counts: window.counts,
    rows: window.rows,
    ...(window.spread === null ? {} : { weighted: { spread: window.spread, baseline: compiled.shares } }),
    season: compiled.season(span),
    smallestEffect: options.smallestEffect,
    confirmation: options.confirmation,
  });
  const provisional = compiled.provisional || !scale.covered;
  const learning = compiled.windows !== null && compiled.windows < LEARNED_WINDOWS;
  const flagged = findings.filter(({ q }) => round12(q) <= level);
  const status: Verdict = learning ? 'learning' : flagged.length > 0 ? 'drifted' : 'ok';
  const reason = learning
    ? `the baseline has ${compiled.windows} ${noun(compiled.windows, 'window')}; at least ${LEARNED_WINDOWS} tell how windows differ`
    : undefined;
  const result = describe(column, current, window, findings, flagged, options.others ?? 'brief');
  return {
    flagged: learning ? [] : flagged,
    result: {
      ...result,
      status,
      threshold: level,
      detectable,
      provisional,
      ...(reason === undefined ? {} : { reason, summary: reason }),
    },
  };
}

function describe(
  column: ColumnBaseline,
  current: ColumnCounts,
  window: BinnedWindow,
  findings: readonly ScoreFinding[],
  flagged: readonly ScoreFinding[],
  others: OtherTests,
): FeatureResult {
  const { bins } = columnJudge(column);
  const decided = findings[0];
  // What a bin with nearly all rows lost is told after what appeared instead, and the mix after what is in it.
  const isLate = ({ aspect, shares }: ScoreFinding): boolean =>
    aspect.kind === 'mix' || (shares?.expected ?? 0) > DOMINANT;
  const told = [...flagged.filter((finding) => !isLate(finding)), ...flagged.filter(isLate)];
  const moved = { column, bins, window, counts: current, flagged: told };
  const drifted = flagged.length > 0;
  return {
    ...plain(column, current),
    statistic: round12OrNull(decided?.deviations),
    pValue: round12OrNull(decided?.q),
    effect: round12OrNull(decided?.effect),
    aspect: told[0] === undefined ? null : aspectText(told[0], moved),
    summary: drifted ? sentenceOf(moved) : 'no change beyond what the baseline shows',
    changes: drifted ? changesOf(moved) : [],
    others: otherTests(column, bins, current, others),
  };
}

/** Everything that needs no judgement; the rest undecided. */
function plain(column: ColumnBaseline, current: ColumnCounts): FeatureResult {
  const { name, type, role } = column;
  return {
    name,
    type,
    role,
    status: 'failed',
    test: PRIMARY_TEST,
    statistic: null,
    pValue: null,
    threshold: null,
    effect: null,
    aspect: null,
    detectable: null,
    provisional: columnJudge(column).provisional,
    referenceCount: column.count,
    currentCount: rowsOr0(current.n - current.missing - current.nonFinite - current.invalid),
    missingReference: column.missing + (column.type === 'numeric' ? column.nonFinite : 0),
    missingCurrent: rowsOr0(current.missing + current.nonFinite),
    summary: '',
    changes: [],
    others: [],
    mean: round12OrNull(current.mean),
    std: round12OrNull(current.std),
  };
}

/** Counts that are no counts have failed already; what is shown beside the reason is still a number. */
function rowsOr0(count: number): number {
  return Number.isFinite(count) ? Math.max(0, count) : 0;
}
