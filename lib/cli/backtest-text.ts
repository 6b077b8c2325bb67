/** A replay as people read it: the calendar, what was expected and what was seen, and each alert with its cause. */
import type { Episode } from '../contracts/episode.ts';
import { noun } from '../contracts/noun.ts';
import { MONTH_DAYS } from '../engine/expected-openings.ts';
import { placeOf, type ReplayedHistory } from '../local/backtest.ts';
import { calendar, LEGEND } from './backtest-calendar.ts';
import { plain } from './plain.ts';
import { NO_PAINT, type Paint } from './report-text.ts';

/** Chance that quiet data shows more false alarms than the range told. */
const SURPRISE = 0.05;
/** Alerts told; more are a sign that something is wrong with all of them. */
const MOST_ALERTS = 40;

export interface ReplayNames {
  readonly reference: string;
  readonly data: string;
}

export function backtestText(history: ReplayedHistory, names: ReplayNames, paint: Paint = NO_PAINT): string {
  const { backtest, window, timezone } = history;
  const cut = window.kind === 'rows' ? counted(window.rows, 'row') : `${window.every} (${timezone})`;
  const lines = [
    `${paint('bold', plain(names.data))} (${counted(history.rows, 'row')}) replayed in ${counted(backtest.windows.length, 'window')} of ${cut}, judged by ${paint('bold', plain(names.reference))} (${counted(history.baseline.rows, 'row')})`,
    paint('dim', nullText(history)),
    '',
    ...calendar(history, paint),
    '',
    paint('dim', `  ${LEGEND}`),
    '',
    ...budgetLines(history, paint),
    '',
    ...history.episodes.slice(0, MOST_ALERTS).flatMap((episode) => alertLines(episode, history, paint)),
    ...(history.episodes.length > MOST_ALERTS
      ? [paint('dim', `and ${counted(history.episodes.length - MOST_ALERTS, 'more alert')}: --format json has all`)]
      : []),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

export function nullText({ baseline, window }: ReplayedHistory): string {
  const made = baseline.window;
  if (made === null || baseline.columns.every(({ calibration }) => calibration === null))
    return 'rows are taken as independent: real traffic varies more than that, so expect more false alarms than are told below';
  const of = window.kind === 'rows' ? counted(window.rows, 'row') : `${made.every} (${made.timezone})`;
  const provisional = baseline.columns.some(({ calibration }) => calibration?.provisional);
  return `calibrated on ${counted(made.count, 'window')} of ${of} of the reference${provisional ? '; provisional for want of windows' : ''}`;
}

function budgetLines({ expected, episodes, days }: ReplayedHistory, paint: Paint): string[] {
  const most = quietMost((expected.high * days) / MONTH_DAYS);
  const seen = episodes.length;
  const text = `${counted(seen, 'alert')} in ${daysText(days)}`;
  return [
    `${paint('bold', 'Expected')} when nothing changes: ${number(expected.low)} to ${number(expected.high)} false alarms a month of ${MONTH_DAYS} days; over these ${daysText(days)} 0 to ${most}`,
    `${paint('bold', 'Observed')}: ${seen > most ? paint('red', text) : text}`,
  ];
}

/** The least k that a Poisson number of this mean exceeds with a chance of at most 5 %. */
export function quietMost(mean: number): number {
  let term = Math.exp(-mean);
  let below = term;
  let k = 0;
  while (1 - below > SURPRISE && k < 1_000) {
    k++;
    term *= mean / k;
    below += term;
  }
  return k;
}

function alertLines(episode: Episode, history: ReplayedHistory, paint: Paint): string[] {
  const { opened, features } = episode;
  const head = `${paint('red', '▲')} ${placeText(history, opened)}  ${alertCause(episode, history, paint)}`;
  return [
    head,
    ...features.slice(0, 8).map(({ name, summary }) => `    ${plain(name)}: ${plain(summary)}`),
    ...more(features.length - 8),
  ];
}

/** `drift, warning, seen over 1d: still open`. */
export function alertCause(episode: Episode, history: ReplayedHistory, paint: Paint = NO_PAINT): string {
  const { signal, severity, closed, length, provisional } = episode;
  const own = history.window.kind === 'duration' ? history.window.every : length;
  const by = length === own ? '' : `, seen over ${length}`;
  const state = closed === null ? 'still open' : `closed ${placeText(history, closed)}`;
  return `${paint('bold', signal)}, ${severity}${by}: ${state}${provisional ? ' (provisional)' : ''}`;
}

export function placeText(history: ReplayedHistory, iso: string): string {
  const at = placeOf(history, iso);
  return typeof at === 'number' ? `row ${count(at)}` : at.replace('.000Z', 'Z').replace(':00Z', 'Z');
}

function more(hidden: number): string[] {
  return hidden > 0 ? [`    and ${hidden} more`] : [];
}

/** `1 window`, `2 windows`. */
export function counted(value: number, one: string): string {
  return `${count(value)} ${noun(value, one)}`;
}

export function daysText(days: number): string {
  return days === 1 ? 'one day' : `${number(days)} days`;
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

export function number(value: number): string {
  return String(Number(value.toPrecision(2 + Math.max(0, Math.floor(Math.log10(Math.max(1, value)))))));
}
