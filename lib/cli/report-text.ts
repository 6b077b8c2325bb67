/** A comparison as people read it: what matters first. */
import { noun } from '../contracts/noun.ts';
import type { FeatureResult, QualityCheck, Verdict } from '../contracts/result.ts';
import type { JudgedPerformance } from '../engine/performance.ts';
import type { Comparison } from '../local/report.ts';
import { plain, widthOf } from './plain.ts';
import {
  byImportance,
  count,
  coverageText,
  isBreach,
  isUndecided,
  metricText,
  type Names,
  nullText,
} from './report-words.ts';

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
/** Columns without a finding beyond these are only counted. */
const QUIET_SHOWN = 30;

export function reportText(comparison: Comparison, names: Names, paint: Paint = NO_PAINT): string {
  const { report } = comparison;
  const lines = [
    `${paint('bold', plain(names.reference))} (${count(report.reference.rows)} ${noun(report.reference.rows, 'row')}) against ${paint('bold', plain(names.current))} (${count(report.current.rows)} ${noun(report.current.rows, 'row')})`,
    paint('dim', nullText(comparison)),
    '',
    ...driftLines(comparison.features, paint),
    ...qualityLines(comparison.quality, paint),
    ...performanceLines(report.performance, paint),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function driftLines(features: readonly FeatureResult[], paint: Paint): string[] {
  const drifted = features.filter(({ status }) => status === 'drifted').length;
  const undecided = features.filter(isUndecided).length;
  const found =
    drifted > 0 ? paint('red', `${drifted} drifted`) : paint(undecided > 0 ? 'yellow' : 'green', 'no drift');
  const open = undecided === 0 ? '' : paint('yellow', `, ${count(undecided)} without a verdict`);
  const sorted = byImportance(features);
  const loud = sorted.filter(({ status }) => status !== 'ok');
  const shown = [
    ...loud,
    ...sorted.filter(({ status }) => status === 'ok').slice(0, Math.max(0, QUIET_SHOWN - loud.length)),
  ];
  const width = Math.min(32, Math.max(4, ...shown.map(({ name }) => widthOf(plain(name)))));
  const lines = shown.map((feature) => {
    const [mark, colour] = MARKS[feature.status];
    const name = plain(feature.name);
    const padding = ' '.repeat(Math.max(0, width - widthOf(name)));
    const effect = feature.effect === null ? '' : feature.effect > 1 ? 'w > 1' : `w ${feature.effect.toFixed(2)}`;
    return `  ${paint(colour, mark)} ${name}${padding}  ${feature.type.padEnd(11)}  ${effect.padEnd(7)}  ${plain(feature.summary)}${feature.provisional ? ' (provisional)' : ''}`;
  });
  const hidden = features.length - shown.length;
  if (hidden > 0) lines.push(paint('dim', `  and ${hidden} more without drift`));
  return [
    `${paint('bold', 'Drift')}: ${found} of ${count(features.length)} ${noun(features.length, 'column')}${open}`,
    ...lines,
    '',
  ];
}

function qualityLines(quality: readonly QualityCheck[], paint: Paint): string[] {
  if (quality.length === 0) return [];
  const found = quality.filter(isBreach);
  const head = found.length === 0 ? paint('green', 'nothing found') : paint('red', `${found.length} found`);
  const lines = found.map(({ check, feature, summary }) => {
    const where = feature === null ? check : `${plain(feature)}: ${check}`;
    return `  ${paint('red', '✗')} ${where}: ${plain(summary)}`;
  });
  return [`${paint('bold', 'Quality')}: ${head} in ${quality.length} ${noun(quality.length, 'check')}`, ...lines, ''];
}

function performanceLines(performance: JudgedPerformance | null, paint: Paint): string[] {
  if (performance === null) return [];
  const [, colour] = MARKS[performance.status];
  const width = Math.max(...performance.metrics.map(({ metric }) => metric.length));
  const lines = performance.metrics.map((metric) => {
    const [mark, paintedIn] = MARKS[metric.status];
    return `  ${paint(paintedIn, mark)} ${metric.metric.padEnd(width)}  ${metricText(metric)}`;
  });
  return [
    `${paint('bold', 'Performance')}: ${paint(colour, performance.status)}${coverageText(performance)}`,
    ...lines,
    '',
  ];
}
