/**
 * Data quality of one window. Breaches of the contract (values of the wrong type, unknown or absent features, duplicated ids)
 * alert by themselves, outside the budget. Missing, out of range and unseen are rates: the column's verdict judges them, and
 * they are only shown here.
 */
import type { ColumnBaseline } from '../contracts/baseline.ts';
import { noun } from '../contracts/noun.ts';
import type { QualityCheck, Verdict } from '../contracts/result.ts';
import type { ColumnCounts, WindowCounts } from './column-counts.ts';
import type { JudgedColumn } from './column-verdict.ts';
import { round12 } from './round.ts';
import { LEAST_ROWS } from './score-judge.ts';
import { numberText, quoted, shareText } from './verdict-words.ts';

/** Of a window's rows: a stray broken record is no breach. Two rows at least. */
export const TYPE_TOLERANCE = 0.001;
export const NEW_FEATURE_TOLERANCE = 0.01;
const LEAST_BREACHES = 2;
/** Repeated ids that are worth an alert, over and above four standard errors of the estimate (HyperLogLog, 0.8 %; exact below 1,024 ids). */
export const DUPLICATE_TOLERANCE = 0.01;
const ESTIMATE_ERROR = 0.0081;
const EXACT_IDS = 1_024;
const ERRORS = 4;
/** Chance that no row has the feature above which its absence is no breach. */
const ABSENT_BY_CHANCE = 1e-6;

export interface QualityColumn {
  readonly name: string;
  readonly baseline: ColumnBaseline | null;
  readonly counts: ColumnCounts;
  /** Its verdict; `null` without a baseline. */
  readonly judged: JudgedColumn | null;
}

export function qualityChecks(columns: readonly QualityColumn[], window: WindowCounts): QualityCheck[] {
  const checks = columns.flatMap((column) => columnChecks(column));
  for (const { name, rows } of window.newFeatures()) checks.push(newFeature(name, rows, window.rows));
  if (window.rows > 0) checks.push(duplicates(window));
  return checks;
}

function columnChecks({ name, baseline, counts, judged }: QualityColumn): QualityCheck[] {
  const { n, invalid } = counts;
  if (!(n > 0)) return [];
  const wrong = invalid / n;
  const checks: QualityCheck[] = [
    {
      check: 'type',
      feature: name,
      status: invalid >= LEAST_BREACHES && wrong > TYPE_TOLERANCE ? 'drifted' : 'ok',
      value: round12(wrong),
      expected: 0,
      breach: true,
      summary:
        invalid === 0
          ? 'all values are of the declared type'
          : `${numberText(invalid)} ${noun(invalid, 'value')} (${shareText(wrong)}) ${noun(invalid, 'is', 'are')} not ${baseline?.type ?? 'of the declared type'}`,
    },
  ];
  if (baseline === null) return checks;
  const absent = counts.missing === n;
  if (baseline.count > 0)
    checks.push({
      check: 'absent-feature',
      feature: name,
      status: n < LEAST_ROWS ? 'insufficient-data' : absent && !absentByChance(baseline, n, judged) ? 'drifted' : 'ok',
      value: absent ? 1 : 0,
      expected: 0,
      breach: true,
      summary: absent ? `in none of ${numberText(n)} ${noun(n, 'row')}` : 'present',
    });
  checks.push(
    rate(
      'missing',
      name,
      missingShare(baseline),
      (counts.missing + counts.nonFinite) / n,
      judged,
      moved(judged, 'missing'),
    ),
  );
  if (baseline.type === 'numeric') {
    const values = n - counts.missing - counts.nonFinite - invalid;
    const outside = (counts.bins[0] ?? 0) + (counts.bins.length > 1 ? (counts.bins[counts.bins.length - 1] ?? 0) : 0);
    const flagged = outside > 0 && (moved(judged, 'low-tail') || moved(judged, 'high-tail'));
    if (baseline.bins.edges.length > 0)
      checks.push(rate('range', name, 0, values > 0 ? outside / values : 0, judged, flagged));
  } else {
    const values = n - counts.missing - invalid;
    const expected = baseline.count > 0 ? baseline.other / baseline.count : 0;
    const named = counts.unseen.top.slice(0, 3).map(([category]) => quoted(category));
    const unseen = rate(
      'unseen',
      name,
      expected,
      values > 0 ? counts.unseen.total / values : 0,
      judged,
      counts.unseen.total > 0 && moved(judged, 'bin'),
    );
    checks.push(named.length === 0 ? unseen : { ...unseen, summary: `${unseen.summary}: ${named.join(', ')}` });
  }
  return checks;
}

/** A column that hardly any row has is in none of a window now and then: as its verdict tells, or its rows where there is none. */
function absentByChance(baseline: ColumnBaseline, rows: number, judged: JudgedColumn | null): boolean {
  const decided = judged?.result.status === 'ok' || judged?.result.status === 'drifted';
  return decided ? !moved(judged, 'missing') : missingShare(baseline) ** rows > ABSENT_BY_CHANCE;
}

function rate(
  check: string,
  feature: string,
  expected: number,
  value: number,
  judged: JudgedColumn | null,
  flagged: boolean,
): QualityCheck {
  const undecided = judged === null || (judged.result.status !== 'ok' && judged.result.status !== 'drifted');
  const status: Verdict = undecided ? (judged?.result.status ?? 'learning') : flagged ? 'drifted' : 'ok';
  const summary = `${shareText(value)}, ${shareText(expected)} in the baseline`;
  return { check, feature, status, value: round12(value), expected: round12(expected), breach: false, summary };
}

function moved(judged: JudgedColumn | null, kind: string): boolean {
  return judged?.flagged.some(({ aspect }) => aspect.kind === kind) ?? false;
}

function missingShare(baseline: ColumnBaseline): number {
  const missing = baseline.missing + (baseline.type === 'numeric' ? baseline.nonFinite : 0);
  const rows = baseline.count + missing;
  return rows > 0 ? missing / rows : 0;
}

function newFeature(name: string, rows: number, all: number): QualityCheck {
  const share = all > 0 ? rows / all : 0;
  return {
    check: 'new-feature',
    feature: name,
    status: rows >= LEAST_BREACHES && share > NEW_FEATURE_TOLERANCE ? 'drifted' : 'ok',
    value: round12(share),
    expected: 0,
    breach: true,
    summary: `the baseline does not know it; in ${numberText(rows)} ${noun(rows, 'row')} (${shareText(Math.min(1, share))})`,
  };
}

function duplicates(window: WindowCounts): QualityCheck {
  const distinct = window.distinctIds();
  const share = Math.max(0, 1 - distinct / window.rows);
  const error = distinct <= EXACT_IDS ? 0 : ERRORS * ESTIMATE_ERROR;
  return {
    check: 'duplicates',
    feature: null,
    status: window.rows < LEAST_ROWS ? 'insufficient-data' : share - error > DUPLICATE_TOLERANCE ? 'drifted' : 'ok',
    value: round12(share),
    expected: 0,
    breach: true,
    summary:
      share <= error
        ? 'ids are distinct as far as the estimate tells'
        : `about ${shareText(share)} of the rows repeat an id`,
  };
}
