/** A comparison as people read it: what matters first. */
import type { FeatureResult, QualityCheck, Verdict } from '../contracts/result.ts';
import { PRIMARY_TEST } from '../engine/column-verdict.ts';
import type { JudgedPerformance } from '../engine/performance.ts';
import type { Comparison } from '../local/report.ts';
import { plain } from './plain.ts';

type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';
const CODES: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 };
export type Paint = (colour: Colour, text: string) => string;
export const NO_PAINT: Paint = (_, text) => text;
export const TERMINAL_PAINT: Paint = (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m`;

const MARKS: Readonly<Record<Verdict, readonly [string, Colour]>> = {
  drifted: ['✗', 'red'],
  failed: ['!', 'red'],
  stale: ['!', 'yellow'],
  'insufficient-data': ['?', 'yellow'],
  learning: ['?', 'yellow'],
  immature: ['?', 'yellow'],
  ok: ['✓', 'green'],
};
const ORDER: readonly Verdict[] = ['failed', 'drifted', 'stale', 'insufficient-data', 'learning', 'immature', 'ok'];
/** Columns without a finding beyond these are only counted. */
const QUIET_SHOWN = 30;

export interface Names {
  readonly reference: string;
  readonly current: string;
}

export function reportText(comparison: Comparison, names: Names, paint: Paint = NO_PAINT): string {
  const { report } = comparison;
  const lines = [
    `${paint('bold', plain(names.reference))} (${count(report.reference.rows)} rows) against ${paint('bold', plain(names.current))} (${count(report.current.rows)} rows)`,
    paint('dim', nullText(comparison)),
    '',
    ...driftLines(comparison.features, paint),
    ...qualityLines(comparison.quality, paint),
    ...performanceLines(report.performance, paint),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** What the verdicts rest on. */
export function nullText(comparison: Comparison): string {
  if (!comparison.tested) return calibrationText(comparison);
  const chosen = 'chosen tests decide, each column at the level of its own, rows taken as independent';
  const others = comparison.features.some(({ test }) => test === PRIMARY_TEST);
  return others ? `${chosen}; in the other columns, ${calibrationText(comparison)}` : chosen;
}

function calibrationText({ report, baseline: { window } }: Comparison): string {
  if (report.null === 'independent' || window === null)
    return 'rows are taken as independent: real traffic varies more than that; --time COLUMN calibrates on the reference';
  return `calibrated on ${count(window.count)} windows of ${window.every} (${window.timezone}) of the reference`;
}

function driftLines(features: readonly FeatureResult[], paint: Paint): string[] {
  const drifted = features.filter(({ status }) => status === 'drifted').length;
  const head = drifted === 0 ? paint('green', 'no drift') : paint('red', `${drifted} drifted`);
  const sorted = [...features].sort(
    (a, b) =>
      ORDER.indexOf(a.status) - ORDER.indexOf(b.status) ||
      (b.effect ?? -1) - (a.effect ?? -1) ||
      (a.name < b.name ? -1 : 1),
  );
  const loud = sorted.filter(({ status }) => status !== 'ok');
  const shown = [
    ...loud,
    ...sorted.filter(({ status }) => status === 'ok').slice(0, Math.max(0, QUIET_SHOWN - loud.length)),
  ];
  const width = Math.min(32, Math.max(4, ...shown.map(({ name }) => plain(name).length)));
  const lines = shown.map((feature) => {
    const [mark, colour] = MARKS[feature.status];
    const name = plain(feature.name).padEnd(width);
    const effect = feature.effect === null ? '' : feature.effect > 1 ? 'w > 1' : `w ${feature.effect.toFixed(2)}`;
    return `  ${paint(colour, mark)} ${name}  ${feature.type.padEnd(11)}  ${effect.padEnd(7)}  ${plain(feature.summary)}${feature.provisional ? ' (provisional)' : ''}`;
  });
  const hidden = features.length - shown.length;
  if (hidden > 0) lines.push(paint('dim', `  and ${hidden} more without drift`));
  return [`${paint('bold', 'Drift')}: ${head} of ${features.length} columns`, ...lines, ''];
}

function qualityLines(quality: readonly QualityCheck[], paint: Paint): string[] {
  if (quality.length === 0) return [];
  const found = quality.filter(({ breach, status }) => breach && status === 'drifted');
  const head = found.length === 0 ? paint('green', 'nothing found') : paint('red', `${found.length} found`);
  const lines = found.map(({ check, feature, summary }) => {
    const where = feature === null ? check : `${plain(feature)}: ${check}`;
    return `  ${paint('red', '✗')} ${where}: ${plain(summary)}`;
  });
  return [`${paint('bold', 'Quality')}: ${head} in ${quality.length} checks`, ...lines, ''];
}

function performanceLines(performance: JudgedPerformance | null, paint: Paint): string[] {
  if (performance === null) return [];
  const [, colour] = MARKS[performance.status];
  const coverage =
    performance.coverage === null ? '' : `, labels for ${Number((100 * performance.coverage).toPrecision(3))} %`;
  const width = Math.max(...performance.metrics.map(({ metric }) => metric.length));
  const lines = performance.metrics.map(({ metric, status, value, interval, baseline, threshold, reason }) => {
    const [mark, paintedIn] = MARKS[status];
    const parts = [value === null ? (reason ?? 'unknown') : number(value)];
    if (interval !== null) parts.push(`(${number(interval[0])} to ${number(interval[1])})`);
    if (baseline !== null) parts.push(`reference ${number(baseline)}`);
    if (threshold !== null) parts.push(`limit ${number(threshold)}`);
    return `  ${paint(paintedIn, mark)} ${metric.padEnd(width)}  ${parts.join('  ')}`;
  });
  return [`${paint('bold', 'Performance')}: ${paint(colour, performance.status)}${coverage}`, ...lines, ''];
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
