/** A comparison as one page without any outside address: what needs eyes first, each column drawn, searchable. */
import type { ColumnBaseline } from '../contracts/baseline.ts';
import { noun } from '../contracts/noun.ts';
import { formatProblem } from '../contracts/problem.ts';
import type { QualityCheck, TestResult, Verdict } from '../contracts/result.ts';
import { PRIMARY_TEST } from '../engine/column-verdict.ts';
import type { JudgedPerformance } from '../engine/performance.ts';
import { numberText, shareText } from '../engine/verdict-words.ts';
import type { DecidedFeature } from '../local/chosen-tests.ts';
import type { Comparison } from '../local/report.ts';
import { html, name } from './html-text.ts';
import { chartOf } from './report-chart.ts';
import { POLICY, SCRIPT, STYLE } from './report-page.ts';
import { sharesOf } from './report-shares.ts';
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

export function reportHtml(comparison: Comparison, names: Names): string {
  const { report, features } = comparison;
  const title = `${names.reference} against ${names.current}`;
  const counted = new Map(comparison.columns.map((column) => [column.name, column]));
  const cards = byImportance(features).map((feature) => {
    const column = counted.get(feature.name);
    const shares = column?.baseline == null ? null : sharesOf(column.baseline, column.counts);
    return card(feature, column?.baseline ?? null, shares === null ? '' : chartOf(shares, feature.name));
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${html(`${headline(comparison)}: ${title}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${html(headline(comparison))}</h1>
<p class="sides">${report.model === null ? '' : `model ${name(report.model)}; `}current ${name(names.current)} (${count(report.current.rows)} ${noun(report.current.rows, 'row')}) against reference ${name(names.reference)} (${count(report.reference.rows)} ${noun(report.reference.rows, 'row')})</p>
<p class="dim small">${html(nullText(comparison))}</p>
<div class="tiles">${tiles(comparison)}</div>
</header>
<main>
<h2 id="columns">Columns</h2>
<div class="tools"><input type="search" id="search" placeholder="Search columns" aria-label="Search columns"><label class="small"><input type="checkbox" id="only"> findings only</label><span class="dim small" id="shown" role="status">${features.length} columns</span><span class="legend small dim"><i class="r"></i>reference<i class="c"></i>current</span></div>
<div class="features">
${cards.join('\n')}
</div>
${qualitySection(comparison.quality)}
${performanceSection(report.performance)}
${notes(comparison)}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** All that was found; silence is no health where columns have no verdict. */
function headline({ report, quality, features }: Comparison): string {
  const drifted = report.drift.driftedFeatures;
  const broken = quality.filter(isBreach).length;
  const found = [
    ...(drifted > 0
      ? [`${count(drifted)} of ${count(report.drift.features)} ${noun(report.drift.features, 'column')} drifted`]
      : []),
    ...(report.performance?.status === 'drifted' ? ['performance is beyond its limit'] : []),
    ...(broken > 0 ? [`${count(broken)} quality ${noun(broken, 'finding')}`] : []),
  ].join('; ');
  if (found !== '') return `${found[0]?.toUpperCase()}${found.slice(1)}`;
  const undecided = features.filter(isUndecided).length;
  if (undecided === 0) return 'Nothing found';
  return undecided === features.length
    ? 'No verdict on any column'
    : `Nothing found; ${count(undecided)} of ${count(features.length)} ${noun(features.length, 'column')} without a verdict`;
}

function tiles({ report, quality, features }: Comparison): string {
  const { driftedFeatures } = report.drift;
  const undecided = features.filter(isUndecided).length;
  const open = undecided === 0 ? '' : `; ${undecided} without a verdict`;
  const broken = quality.filter(isBreach).length;
  const { performance } = report;
  return [
    tile('Drift', driftedFeatures === 0 ? 'none found' : `${count(driftedFeatures)} drifted`, {
      to: 'columns',
      tone: driftedFeatures > 0 ? 'bad' : undecided > 0 ? 'open' : 'good',
      detail: `of ${count(features.length)} ${noun(features.length, 'column')}${open}`,
    }),
    tile('Quality', broken === 0 ? 'nothing found' : `${count(broken)} found`, {
      to: quality.length === 0 ? null : 'quality',
      tone: broken > 0 ? 'bad' : 'good',
      detail: `in ${count(quality.length)} ${noun(quality.length, 'check')}`,
    }),
    performance === null
      ? tile('Performance', 'not measured', { to: null, tone: 'none', detail: 'no truth in the current data' })
      : tile('Performance', performance.status === 'ok' ? 'within limits' : words(performance.status), {
          to: 'performance',
          tone: performance.status === 'drifted' ? 'bad' : performance.status === 'ok' ? 'good' : 'open',
          detail: `${count(performance.labels)} ${noun(performance.labels, 'label')}${coverageText(performance)}`,
        }),
  ].join('');
}

/** `to`: the section that it leads to. */
function tile(
  title: string,
  value: string,
  { to, tone, detail }: { readonly to: string | null; readonly tone: string; readonly detail: string },
): string {
  const content = `<span class="dim small">${title}</span><b>${html(value)}</b><span class="dim small">${html(detail)}</span>`;
  return to === null
    ? `<div class="tile ${tone}">${content}</div>`
    : `<a class="tile ${tone}" href="#${to}">${content}</a>`;
}

function card(feature: DecidedFeature, column: ColumnBaseline | null, chart: string): string {
  const { status, type, effect, provisional, summary } = feature;
  const size = effect === null ? '' : ` · effect w ${effect > 1 ? '> 1' : effect.toFixed(2)}`;
  return [
    `<article class="${status}" data-item="${status === 'ok' ? 'quiet' : 'loud'}">`,
    `<header><span class="badge ${status}">${status === 'ok' ? 'no drift' : words(status)}</span><h3 data-name>${name(feature.name)}</h3><span class="dim small">${type}${size}</span></header>`,
    `<p>${html(summary)}${provisional ? ' <span class="dim">(provisional)</span>' : ''}</p>`,
    chart,
    sides(feature, column),
    decision(feature),
    others(feature.others),
    '</article>',
  ].join('');
}

/** Rows, missing, mean and deviation of both sides. */
function sides(feature: DecidedFeature, column: ColumnBaseline | null): string {
  const { referenceCount, currentCount, missingReference, missingCurrent, mean, std } = feature;
  const missing = (absent: number, present: number): string =>
    `${count(absent)} (${shareText(absent + present === 0 ? 0 : absent / (absent + present))})`;
  const numeric = column?.type === 'numeric' ? column : null;
  const number = (value: number | null): string => (value === null ? '–' : numberText(value));
  const rows: readonly (readonly [string, string, string])[] = [
    ['values', count(referenceCount), count(currentCount)],
    ['missing', missing(missingReference, referenceCount), missing(missingCurrent, currentCount)],
    ...(numeric === null
      ? []
      : ([
          ['mean', number(numeric.mean), number(mean)],
          ['standard deviation', number(numeric.std), number(std)],
        ] as const)),
  ];
  const body = rows.map(([what, a, b]) => `<tr><th>${what}</th><td>${html(a)}</td><td>${html(b)}</td></tr>`);
  return `<table class="numbers"><thead><tr><th></th><th>reference</th><th>current</th></tr></thead><tbody>${body.join('')}</tbody></table>`;
}

/** The numbers that decided. */
function decision({ test, statistic, pValue, threshold, detectable, score }: DecidedFeature): string {
  const calibrated = test === PRIMARY_TEST;
  const parts: readonly (readonly [string, number | null | undefined])[] = [
    ['statistic', statistic],
    [calibrated ? 'expected false alarms' : 'p', pValue],
    ['score', score === statistic || score === pValue ? null : score],
    ['limit', threshold],
    ['smallest visible effect w', detectable],
  ];
  const shown = parts.flatMap(([what, value]) =>
    value == null ? [] : [`<span>${what} <b>${numberText(value)}</b></span>`],
  );
  return `<p class="verdict"><span>test <b>${html(test)}</b></span>${shown.join('')}</p>`;
}

function others(tests: readonly TestResult[]): string {
  if (tests.length === 0) return '';
  const rows = tests.map(({ test, statistic, pValue, reason }) => {
    const cell = (value: number | null): string => (value === null ? '–' : numberText(value));
    return `<tr><th>${html(test)}</th><td>${statistic === null && reason !== undefined ? html(reason) : cell(statistic)}</td><td>${cell(pValue)}</td></tr>`;
  });
  return `<details><summary>other tests</summary><table class="numbers"><thead><tr><th></th><th>statistic</th><th>p</th></tr></thead><tbody>${rows.join('')}</tbody></table></details>`;
}

function qualitySection(quality: readonly QualityCheck[]): string {
  if (quality.length === 0) return '';
  const row = (check: QualityCheck): string => {
    const { feature, status, summary } = check;
    const found = isBreach(check);
    // Rates that moved are findings of their column.
    const shown = found ? 'found' : status === 'drifted' ? 'moved' : words(status);
    const tone = found ? 'drifted' : status === 'drifted' ? '' : status;
    return `<tr data-item="${found ? 'loud' : 'quiet'}"><td><span class="badge ${tone}">${shown}</span></td><td data-name>${feature === null ? 'all columns' : name(feature)}</td><td>${html(check.check)}</td><td>${html(summary)}</td></tr>`;
  };
  const head = '<tr><th></th><th>column</th><th>check</th><th></th></tr>';
  const table = (checks: readonly QualityCheck[]): string =>
    `<div class="table"><table>${head}${checks.map(row).join('\n')}</table></div>`;
  const loud = quality
    .filter(({ status }) => status === 'drifted')
    .sort((a, b) => Number(isBreach(b)) - Number(isBreach(a)));
  const quiet = quality.filter(({ status }) => status !== 'drifted');
  const rest =
    quiet.length === 0
      ? ''
      : `<details><summary>${quiet.length} ${noun(quiet.length, 'check')} without a finding</summary>${table(quiet)}</details>`;
  return `<h2 id="quality">Quality</h2>${loud.length === 0 ? '<p>nothing found</p>' : table(loud)}${rest}`;
}

function performanceSection(performance: JudgedPerformance | null): string {
  if (performance === null) return '';
  const rows = performance.metrics.map(
    (metric) =>
      `<tr><td><span class="badge ${metric.status}">${words(metric.status)}</span></td><td>${html(metric.metric)}</td><td>${html(metricText(metric).replaceAll('  ', ' · '))}</td></tr>`,
  );
  return `<h2 id="performance">Performance</h2><p class="dim">${count(performance.predictions)} ${noun(performance.predictions, 'prediction')}${html(coverageText(performance))}</p><div class="table"><table><tr><th></th><th>metric</th><th>value (95 % interval), reference, limit</th></tr>${rows.join('')}</table></div>${confusion(performance)}`;
}

/** Larger ones cannot be read. */
const MOST_CLASSES = 12;

function confusion({ confusion: found }: JudgedPerformance): string {
  if (found === null || found.classes.length === 0 || found.classes.length > MOST_CLASSES) return '';
  const head = found.classes.map((label) => `<th>${name(label)}</th>`).join('');
  const rows = found.counts.map(
    (counts, i) =>
      `<tr><th>${name(found.classes[i] ?? '')}</th>${counts.map((rowsOf) => `<td>${count(rowsOf)}</td>`).join('')}</tr>`,
  );
  return `<details><summary>truth (rows) against prediction (columns)</summary><div class="table"><table><tr><th></th>${head}</tr>${rows.join('')}</table></div></details>`;
}

function notes({ findings }: Comparison): string {
  if (findings.length === 0) return '';
  return `<h2>Notes on the data</h2><ul class="notes">${findings.map((finding) => `<li>${html(formatProblem(finding))}</li>`).join('')}</ul>`;
}

function words(status: Verdict): string {
  return status.replaceAll('-', ' ');
}
