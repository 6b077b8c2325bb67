/** Replayed windows as a calendar: a line a day, a month or a year, one mark a window. */
import { durationMs } from '../contracts/duration.ts';
import type { WindowResult } from '../contracts/result.ts';
import { TimeZone } from '../engine/time-zone.ts';
import type { ReplayedHistory } from '../local/backtest.ts';
import type { Paint } from './report-text.ts';

const DAY = 86_400_000;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** Marks of a line at most; more windows share marks, the worst showing. */
const WIDTH = 100;
const ROWS_WIDTH = 50;
/** Quiet lines in a row that are shown. */
const QUIET_LINES = 3;

/** From quiet to loud. */
const MARKS = [' ', '·', '?', 'x', '■', '▲'] as const;
export type Mark = (typeof MARKS)[number];

export const LEGEND = '· quiet   x drifted, not confirmed   ▲ opens an alert   ■ an alert is open   ? no verdict';

export interface CalendarLine {
  readonly label: string;
  readonly marks: readonly Mark[];
  /** For each mark the window that it shows, the loudest of those that share it; -1 where there is none. */
  readonly shows: readonly number[];
}

export function calendar(history: ReplayedHistory, paint: Paint): string[] {
  const lines = calendarLines(history);
  const width = Math.max(...lines.map(({ label }) => label.length));
  const text: string[] = [];
  for (let i = 0; i < lines.length; ) {
    let to = i;
    while (to < lines.length && isQuiet(lines[to]!)) to++;
    const quiet = to - i;
    const shown = quiet > QUIET_LINES ? 1 : Math.max(1, quiet);
    for (const line of lines.slice(i, i + shown))
      text.push(`  ${line.label.padEnd(width)}  ${line.marks.map((mark) => painted(mark, paint)).join('')}`.trimEnd());
    if (quiet > QUIET_LINES) text.push(paint('dim', `  ${'…'.padEnd(width)}  and ${quiet - 1} more lines, all quiet`));
    i += Math.max(shown, quiet);
  }
  return text;
}

export function calendarLines(history: ReplayedHistory): CalendarLine[] {
  const { results } = history;
  const openedAt = new Set(history.episodes.map(({ opened }) => opened));
  const open = history.episodes.map(({ opened, closed }) => [opened, closed] as const);
  const lines = new Map<string, { readonly marks: Mark[]; readonly shows: number[] }>();
  placedWindows(history).forEach(({ label, place }, i) => {
    const { marks, shows } = lines.get(label) ?? { marks: [], shows: [] };
    lines.set(label, { marks, shows });
    while (marks.length <= place) {
      marks.push(' ');
      shows.push(-1);
    }
    const mark = markOf(results[i]!, openedAt, open);
    if (shows[place] !== -1 && MARKS.indexOf(mark) <= MARKS.indexOf(marks[place] ?? ' ')) return;
    marks[place] = mark;
    shows[place] = i;
  });
  return [...lines].map(([label, line]) => ({ label, ...line }));
}

interface Placed {
  /** Of its line. */
  readonly label: string;
  readonly place: number;
}

/** The place of each window in the calendar. */
export function placedWindows(history: ReplayedHistory): Placed[] {
  const { results, window } = history;
  return window.kind === 'rows' ? byRows(results, window.rows) : byTime(history, window.every);
}

function byRows(results: readonly WindowResult[], rows: number): Placed[] {
  return results.map((_, i) => ({
    label: `row ${(Math.floor(i / ROWS_WIDTH) * ROWS_WIDTH * rows).toLocaleString('en')}`,
    place: i % ROWS_WIDTH,
  }));
}

function byTime({ results, timezone }: ReplayedHistory, every: string): Placed[] {
  const zone = new TimeZone(timezone);
  const ms = durationMs(every);
  return results.map(({ start }) => {
    const at = Date.parse(start);
    const local = new Date(at + zone.offset(at));
    const iso = local.toISOString();
    const midnight = Date.parse(`${iso.slice(0, iso.indexOf('T'))}T00:00:00Z`);
    const date = iso.slice(0, iso.indexOf('T'));
    if (ms < DAY)
      return {
        label: `${date} ${WEEKDAYS[local.getUTCDay()]}`,
        place: Math.floor((local.getTime() - midnight) / Math.max(ms, DAY / WIDTH)),
      };
    const month = date.slice(0, date.lastIndexOf('-'));
    if (ms < 7 * DAY) return { label: month, place: Math.floor(((local.getUTCDate() - 1) * DAY) / ms) };
    const year = month.slice(0, month.lastIndexOf('-'));
    return { label: year, place: Math.floor((midnight - Date.parse(`${year}-01-01T00:00:00Z`)) / ms) };
  });
}

function markOf(
  { end, rows, status }: WindowResult,
  openedAt: ReadonlySet<string>,
  open: readonly (readonly [opened: string, closed: string | null])[],
): Mark {
  if (openedAt.has(end)) return '▲';
  const at = Date.parse(end);
  if (open.some(([from, to]) => at > Date.parse(from) && (to === null || at < Date.parse(to)))) return '■';
  if (status === 'drifted') return 'x';
  if (rows === 0) return ' ';
  return status === 'ok' ? '·' : '?';
}

function isQuiet({ marks }: CalendarLine): boolean {
  return marks.every((mark) => mark === '·' || mark === ' ');
}

function painted(mark: Mark, paint: Paint): string {
  if (mark === '▲' || mark === '■') return paint('red', mark);
  return mark === 'x' || mark === '?' ? paint('yellow', mark) : mark;
}
