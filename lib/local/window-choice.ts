/** How a replay is cut: by a duration, or by a number of rows. */
import { isDuration } from '../contracts/duration.ts';
import { type Problem, shown } from '../contracts/problem.ts';
import { LEAST_ROWS } from '../engine/score-judge.ts';

export type WindowChoice =
  | { readonly kind: 'duration'; readonly every: string }
  | { readonly kind: 'rows'; readonly rows: number };

const MOST_ROWS = 1_000_000_000;

/** `1d`, `1h`, or `1000` for rows; the problem when it is neither. */
export function readWindowChoice(text: string): WindowChoice | Problem {
  if (isDuration(text)) return { kind: 'duration', every: text };
  const rows = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (rows >= LEAST_ROWS && rows <= MOST_ROWS) return { kind: 'rows', rows };
  return {
    code: 'wrong-value',
    path: '--window',
    message: 'is neither a duration nor a number of rows that can be judged',
    got: shown(text),
    expected: `a duration (15m, 1h, 1d), or ${LEAST_ROWS} rows or more (1000)`,
  };
}
