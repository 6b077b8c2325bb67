/** A comparison as JUnit XML, for the test view of a CI system: one suite, a case for each column, quality check and metric. */
import type { MetricResult, QualityCheck, Verdict } from '../contracts/result.ts';
import type { DecidedFeature } from '../local/chosen-tests.ts';
import type { Comparison } from '../local/report.ts';
import { plain } from './plain.ts';
import { byImportance, isBreach, metricText, type Names } from './report-words.ts';

interface Case {
  readonly suite: 'drift' | 'quality' | 'performance';
  readonly name: string;
  readonly status: Verdict;
  /** The finding, in one sentence. */
  readonly sentence: string;
}

type Outcome = 'failure' | 'error' | 'skipped' | 'passed';
/** Whatever is undecided is skipped. */
const OUTCOMES: Readonly<Partial<Record<Verdict, Outcome>>> = { drifted: 'failure', failed: 'error', ok: 'passed' };

export function reportJunit(comparison: Comparison, names: Names): string {
  const cases = [
    ...byImportance(comparison.features).map(featureCase),
    ...comparison.quality.map(qualityCase),
    ...(comparison.report.performance?.metrics ?? []).map(metricCase),
  ];
  const outcomes = cases.map(({ status }) => OUTCOMES[status] ?? 'skipped');
  const of = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length;
  const counts = `tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}" skipped="${of('skipped')}"`;
  const { reference, current, model } = comparison.report;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="mlmon report" ${counts}>`,
    `  <testsuite name="${xml(model ?? 'report')}" ${counts}>`,
    '    <properties>',
    property('reference', names.reference),
    property('reference-rows', String(reference.rows)),
    property('current', names.current),
    property('current-rows', String(current.rows)),
    property('null', comparison.report.null),
    '    </properties>',
    ...cases.map((one, i) => caseXml(one, outcomes[i] ?? 'skipped')),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function featureCase({ name, status, summary }: DecidedFeature): Case {
  return { suite: 'drift', name, status, sentence: summary };
}

/** Rates that moved are findings of their column, and fail there. */
function qualityCase(check: QualityCheck): Case {
  const { feature, status, summary } = check;
  return {
    suite: 'quality',
    name: feature === null ? check.check : `${feature}: ${check.check}`,
    status: status === 'drifted' && !isBreach(check) ? 'ok' : status,
    sentence: summary,
  };
}

function metricCase(metric: MetricResult): Case {
  return { suite: 'performance', name: metric.metric, status: metric.status, sentence: metricText(metric) };
}

function caseXml({ suite, name, status, sentence }: Case, outcome: Outcome): string {
  const head = `    <testcase classname="mlmon.${suite}" name="${xml(name)}"`;
  if (outcome === 'passed') return `${head}/>`;
  const message = `message="${xml(sentence)}"`;
  const body =
    outcome === 'skipped'
      ? `<skipped ${message}/>`
      : `<${outcome} type="${status}" ${message}>${xml(`${name}: ${sentence}`)}</${outcome}>`;
  return `${head}>${body}</testcase>`;
}

function property(name: string, value: string): string {
  return `      <property name="${name}" value="${xml(value)}"/>`;
}

/** Text from data within XML 1.0, which has no place for most control characters: they are shown as `\u0007`. */
export function xml(text: string): string {
  return plain(text)
    .replace(/[\ufffe\uffff]|\p{Cs}/gu, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
