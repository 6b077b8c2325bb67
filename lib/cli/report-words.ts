/** What text, JUnit and the page of a report say alike. */
import { noun } from '../contracts/noun.ts';
import type { FeatureResult, MetricResult, QualityCheck, Verdict } from '../contracts/result.ts';
import { PRIMARY_TEST } from '../engine/column-verdict.ts';
import { expectedFindings } from '../engine/expected-openings.ts';
import type { JudgedPerformance } from '../engine/performance.ts';
import type { Comparison } from '../local/report.ts';

/** How the two sides are called. */
export interface Names {
  readonly reference: string;
  readonly current: string;
}

const ORDER: readonly Verdict[] = ['failed', 'drifted', 'stale', 'insufficient-data', 'learning', 'immature', 'ok'];

/** What needs eyes first, then the largest effect. */
export function byImportance<F extends FeatureResult>(features: readonly F[]): F[] {
  return [...features].sort(
    (a, b) =>
      ORDER.indexOf(a.status) - ORDER.indexOf(b.status) ||
      (b.effect ?? -1) - (a.effect ?? -1) ||
      (a.name < b.name ? -1 : 1),
  );
}

/** A finding of its own; the other checks are judged with their column. */
export function isBreach({ breach, status }: QualityCheck): boolean {
  return breach && status === 'drifted';
}

/** Neither drifted nor known to be as it was. */
export function isUndecided({ status }: FeatureResult): boolean {
  return status !== 'ok' && status !== 'drifted';
}

/** What the verdicts rest on. */
export function nullText(comparison: Comparison): string {
  if (!comparison.tested) return calibrationText(comparison);
  const chosen = 'chosen tests decide, each column at the level of its own, rows taken as independent';
  const others = comparison.features.some(({ test }) => test === PRIMARY_TEST);
  return others ? `${chosen}; in the other columns, ${calibrationText(comparison)}` : chosen;
}

function calibrationText(comparison: Comparison): string {
  const { report, baseline } = comparison;
  const { window } = baseline;
  if (report.null === 'independent' || window === null)
    return `rows are taken as independent: real traffic varies more than that; --time COLUMN calibrates on the reference. ${chanceText(comparison)}`;
  return `calibrated on ${count(window.count)} ${noun(window.count, 'window')} of ${window.every} (${window.timezone}) of the reference. ${chanceText(comparison)}`;
}

/** What chance alone finds, and what was found. */
function chanceText({ features }: Comparison): string {
  const judged = features.filter(({ test, threshold }) => test === PRIMARY_TEST && threshold !== null);
  const { low, high } = expectedFindings(judged.map(({ threshold }) => threshold ?? 0));
  const seen = judged.filter(({ status }) => status === 'drifted').length;
  return `By chance ${number(low)} to ${number(high)} of ${count(judged.length)} ${noun(judged.length, 'column')} would be drifted, had nothing changed: ${seen === 0 ? 'none is' : seen === 1 ? '1 is' : `${count(seen)} are`}`;
}

/** Value, interval, reference and limit of a performance metric. */
export function metricText({ value, interval, baseline, threshold, reason }: MetricResult): string {
  const parts = [value === null ? (reason ?? 'unknown') : number(value)];
  if (interval !== null) parts.push(`(${number(interval[0])} to ${number(interval[1])})`);
  if (baseline !== null) parts.push(`reference ${number(baseline)}`);
  if (threshold !== null) parts.push(`limit ${number(threshold)}`);
  return parts.join('  ');
}

export function coverageText({ coverage }: JudgedPerformance): string {
  return coverage === null ? '' : `, labels for ${Number((100 * coverage).toPrecision(3))} %`;
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
