/** The windows that reference data is cut into, from the range of its times: the same wherever its rows lie. */
import type { VolumeBaseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { type Span, WindowRule } from '../engine/window.ts';

const QUARTER = 900_000;
/** More windows than this are not calibrated on: choose a longer window. */
const MOST_WINDOWS = 50_000;
const MOST_TICKS = 5_000_000;
/** Times are often kept in whole minutes. */
const TICK = 60_000;

export interface TimeRange {
  /** First and last instant, milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

export interface ReferenceWindows {
  readonly spans: readonly Span[];
  /** The longest step that all bounds are multiples of, milliseconds; `null` when there are too many windows. */
  readonly quantum: number | null;
}

export function noTimes(table: string, column: string): ProblemError {
  return new ProblemError([
    {
      code: 'no-times',
      path: `${table}: ${column}`,
      message: 'is the time column and holds no time that can be read',
      expected: 'timestamps, RFC 3339 text, or seconds since 1970',
    },
  ]);
}

/** @param range with `time` the column's name and `absent` the rows without a time; findings are added */
export function referenceWindows(
  range: TimeRange & { readonly time: string; readonly absent: number },
  window: Monitor['window'],
  findings: Problem[],
): ReferenceWindows {
  const { from, to } = range;
  if (range.absent > 0)
    findings.push({
      code: 'rows-without-time',
      path: range.time,
      message: 'rows without a readable time belong to no window',
      got: `${range.absent} of ${range.rows} ${noun(range.rows, 'row')}`,
    });
  const every = durationMs(window.every);
  const many = (to - from) / every > MOST_WINDOWS;
  const spans = many ? [] : spansBetween(new WindowRule(window, [window.every]), from, to);
  const quantum = commonQuantum(spans, every);
  if (!many && (to - from) / quantum <= MOST_TICKS) return { spans, quantum };
  findings.push({
    code: 'too-many-windows',
    path: 'window.every',
    message: 'is too short for the time that the reference covers, so nothing is calibrated on it',
    got: window.every,
    expected: `at most ${MOST_WINDOWS} windows`,
    fix: 'give less reference data or a longer window',
  });
  return { spans, quantum: null };
}

/** Rows of the windows that the data covers as a whole: data that begins or ends in mid-window would look like low traffic there. */
export function wholeWindows(
  { from, to, rows }: TimeRange,
  spans: readonly Span[],
  counts: readonly number[],
): VolumeBaseline {
  const expectedGap = (to - from) / Math.max(1, rows);
  const whole = spans.map(
    ({ start, end }) => from - start <= 10 * expectedGap + TICK && end - to <= 10 * expectedGap + TICK,
  );
  return {
    starts: spans.filter((_, i) => whole[i]).map(({ start }) => start),
    rows: counts.filter((_, i) => whole[i]),
  };
}

function spansBetween(rule: WindowRule, from: number, to: number): Span[] {
  const spans: Span[] = [];
  for (let at = from; at <= to; ) {
    const span = rule.windowAt(at);
    spans.push({ start: span.start, end: span.end });
    at = span.end;
  }
  return spans;
}

/** A quarter of an hour for nearly all zones and lengths. */
function commonQuantum(spans: readonly Span[], every: number): number {
  let quantum = greatestCommon(QUARTER, every);
  for (const { start, end } of spans) {
    quantum = greatestCommon(quantum, Math.abs(start));
    quantum = greatestCommon(quantum, Math.abs(end));
  }
  return quantum;
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b);
}
