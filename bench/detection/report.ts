/** Figures as text for a terminal, and as the tables of docs/detection.md. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeSection } from '../page-section.ts';
import type { ReplayedFlights } from './flights.ts';
import { LAW_NAMES } from './laws.ts';
import { detectionPlot } from './plot.ts';
import { COLUMN_OPENINGS, STATED_CELLS } from './power.ts';
import { ALLOWED, type AlarmSummary, type Delay, type PeerDelays, type PowerSummary, type Rate } from './summary.ts';

const PAGE = fileURLToPath(new URL('../../docs/detection.md', import.meta.url));
const PLOT = fileURLToPath(new URL('../../docs/detection.svg', import.meta.url));

export interface Findings {
  readonly alarms: readonly AlarmSummary[];
  readonly power: readonly PowerSummary[];
  readonly flights: readonly ReplayedFlights[];
}

export function alarmLine({
  cell,
  months,
  episodes,
  bound,
  over,
  worst,
  byLaw,
  byLength,
  evidently,
  nannyml,
}: AlarmSummary): string {
  const laws = byLaw.map(({ rate, over: above }, i) => `${LAW_NAMES[i]} ${rate.mean.toFixed(2)}${above ? '!' : ''}`);
  return `${over ? 'OVER ' : ''}${cell.name}: ${rateText(episodes)} openings in 30 days (${months} months, lower bound ${bound.toFixed(2)}, worst ${worst}); ${laws.join(', ')}; ${countsText(byLength)}; evidently ${rateText(evidently.openings)} ${percent(evidently.windows)}, nannyml ${rateText(nannyml.openings)} ${percent(nannyml.windows)}`;
}

export function powerLine({ cell, ours, peers, spending, byLength }: PowerSummary): string {
  const late = `${peers.within ? '' : 'LATE '}${spending.within ? '' : 'late '}`;
  return `${late}${cell.name}: ${delayText(ours)} windows (${countsText(byLength)}); evidently ${delayText(peers.evidently)} | ${delayText(spending.evidently)}, nannyml ${delayText(peers.nannyml)} | ${delayText(spending.nannyml)}`;
}

export function flightsText({ every, windows, episodes, expected, days }: ReplayedFlights): string {
  const lines = episodes.map(
    ({ opened, closed, length, signal, features }) =>
      `  ${opened.slice(0, 13)} to ${closed?.slice(0, 13) ?? 'open'} ${signal} over ${length}: ${features.map(({ name, summary }) => `${name}: ${summary}`).join(' | ')}`,
  );
  return [
    `flights by ${every}: ${windows} windows, ${episodes.length} alerts in ${days} days, expected ${expected.low} to ${expected.high} a month`,
    ...lines,
  ].join('\n');
}

export function writePage({ alarms, power, flights }: Findings): void {
  if (alarms.length > 0) {
    writeSection('false-alarms', alarmTable(alarms), PAGE);
    writeSection('laws', lawTable(alarms), PAGE);
  }
  if (power.length > 0) {
    writeSection('power', powerTable(power.filter(({ cell }) => !isStated(cell.name))), PAGE);
    writeSection('correlated', statedTable(power.filter(({ cell }) => isStated(cell.name))), PAGE);
  }
  if (flights.length > 0) writeSection('flights', flights.map(flightTable).join('\n\n'), PAGE);
  if (alarms.length > 0 && power.length > 0)
    writeFileSync(
      PLOT,
      detectionPlot(
        alarms,
        power.filter(({ cell }) => !isStated(cell.name)),
      ),
    );
}

const isStated = (name: string): boolean => STATED_CELLS.some((cell) => cell.name === name);

function alarmTable(alarms: readonly AlarmSummary[]): string {
  const over = alarms.filter((one) => one.over).length;
  const mean = alarms.reduce((sum, { episodes }) => sum + episodes.mean, 0) / alarms.length;
  const months = alarms.reduce((sum, one) => sum + one.months, 0);
  return [
    `${alarms.length} cells, ${months.toLocaleString('en')} months, each with a baseline of its own. Cells over ${ALLOWED} by more than chance: **${over}**. Mean over the cells: ${mean.toFixed(2)} openings in 30 days.`,
    '',
    '| windows | stream | rows | baseline | traffic | openings in 30 days | lower bound | worst month | Evidently: openings, windows in alarm | NannyML: openings, windows in alarm |',
    '| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |',
    ...alarms.map(({ cell, episodes, bound, over: above, worst, evidently, nannyml }) =>
      row([
        cell.cadence,
        cell.kind,
        cell.rows.toLocaleString('en'),
        `${cell.days} days`,
        typeof cell.traffic === 'number'
          ? `× ${cell.traffic} after it`
          : cell.traffic === 'curve'
            ? 'day curve 1:100'
            : 'flat',
        `${above ? '**over** ' : ''}${rateText(episodes)}`,
        Math.max(0, bound).toFixed(2),
        String(worst),
        `${evidently.openings.mean.toFixed(1)}, ${percent(evidently.windows)}`,
        `${nannyml.openings.mean.toFixed(1)}, ${percent(nannyml.windows)}`,
      ]),
    ),
  ].join('\n');
}

function lawTable(alarms: readonly AlarmSummary[]): string {
  const groups = new Map<string, AlarmSummary[]>();
  for (const one of alarms) {
    const key = `${one.cell.cadence}, ${one.cell.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const over = alarms.flatMap(({ byLaw }) => byLaw).filter((law) => law.over).length;
  return [
    `Cells of one law over its share (${ALLOWED / LAW_NAMES.length}) by more than chance: **${over}** of ${alarms.length * LAW_NAMES.length}.`,
    '',
    `| windows, stream | months | ${LAW_NAMES.join(' | ')} |`,
    `| --- | ---: | ${LAW_NAMES.map(() => '---:').join(' | ')} |`,
    ...[...groups].map(([key, found]) => {
      const months = found.reduce((sum, one) => sum + one.months, 0);
      const rates = LAW_NAMES.map(
        (_, i) => found.reduce((sum, one) => sum + one.byLaw[i]!.rate.mean * one.months, 0) / months,
      );
      return row([key, months.toLocaleString('en'), ...rates.map((rate) => rate.toFixed(3))]);
    }),
  ].join('\n');
}

function powerTable(power: readonly PowerSummary[]): string {
  const mean = (of: (one: PowerSummary) => Delay): string =>
    (power.reduce((sum, one) => sum + of(one).mean, 0) / power.length).toFixed(1);
  const late = (of: (one: PowerSummary) => PeerDelays): number => power.filter((one) => !of(one).within).length;
  const line = (name: string, of: (one: PowerSummary) => PeerDelays): string =>
    row([
      name,
      String(late(of)),
      mean(({ ours }) => ours),
      mean((one) => of(one).evidently),
      mean((one) => of(one).nannyml),
    ]);
  return [
    `${power.length} cells of ${power[0]?.trials ?? 0} changes, each with a baseline of its own. Mean delays are in windows, over the grid, a miss counted as the whole wait.`,
    '',
    "| peers' thresholds | cells with a median more than one window after the better peer's | ours | Evidently | NannyML |",
    '| --- | ---: | ---: | ---: | ---: |',
    line('at as many false alarms as ours really opens', ({ peers }) => peers),
    line(`at the whole share of a column, ${COLUMN_OPENINGS} in 30 days`, ({ spending }) => spending),
    '',
    'Median, mean (missed), in windows; `late` where the median is more than one window after that of the better peer.',
    '',
    '| windows | rows | law | change | ours | opened over | Evidently | NannyML | | at the whole share: Evidently | NannyML | |',
    '| --- | ---: | --- | --- | ---: | --- | ---: | ---: | --- | ---: | ---: | --- |',
    ...power.map(({ cell, ours, peers, spending, byLength }) =>
      row([
        cell.cadence,
        cell.rows.toLocaleString('en'),
        cell.law,
        changeText(cell.change),
        delayText(ours),
        countsText(byLength),
        delayText(peers.evidently),
        delayText(peers.nannyml),
        peers.within ? '' : '**late**',
        delayText(spending.evidently),
        delayText(spending.nannyml),
        spending.within ? '' : 'late',
      ]),
    ),
  ].join('\n');
}

function statedTable(power: readonly PowerSummary[]): string {
  return [
    '| stream | change | ours: median, mean (missed) | opened over | Evidently | NannyML |',
    '| --- | --- | ---: | --- | ---: | ---: |',
    ...power.map(({ cell, ours, peers, byLength }) =>
      row([
        cell.kind,
        changeText(cell.change),
        delayText(ours),
        countsText(byLength),
        delayText(peers.evidently),
        delayText(peers.nannyml),
      ]),
    ),
  ].join('\n');
}

function flightTable({ every, windows, days, episodes, expected }: ReplayedFlights): string {
  return [
    `**${every === '1d' ? 'Daily' : 'Hourly'}**: ${windows} windows, ${Math.round(days)} days; ${episodes.length} alerts, at most ${((expected.high * days) / 30).toFixed(1)} to be expected if nothing changed.`,
    '',
    '| opened | closed | signal | seen over | what |',
    '| --- | --- | --- | --- | --- |',
    ...episodes.map(({ opened, closed, signal, length, features }) =>
      row([
        minute(opened),
        closed === null ? 'open' : minute(closed),
        signal,
        length,
        features
          .map(({ name, summary, effect }) => `${name}${effect === null ? '' : ` (${effect.toFixed(2)})`}: ${summary}`)
          .join('<br>'),
      ]),
    ),
  ].join('\n');
}

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function changeText({ kind, by }: PowerSummary['cell']['change']): string {
  switch (kind) {
    case 'mean':
      return `mean + ${by} sd`;
    case 'scale':
      return `scale × ${by}`;
    case 'tail':
      return `${percent(by)} of values × 30`;
    case 'share':
      return by > 1 ? `rate × ${by}` : `${Math.round(100 * by)} points of a category`;
    case 'diffuse':
      return `all categories × e^±${by}`;
    case 'missing':
      return `missing 2 → ${percent(by)}`;
  }
}

function rateText({ mean, error }: Rate): string {
  return `${mean.toFixed(2)} ± ${error.toFixed(2)}`;
}

function delayText({ median, mean, missed }: Delay): string {
  return `${Number.isFinite(median) ? median : 'never'}, ${mean.toFixed(1)} (${missed})`;
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const found = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  return found.length === 0 ? 'none' : found.map(([length, count]) => `${length}: ${count}`).join(', ');
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}
