/** How many rows were captured of windows of event time: one query for all of them, in the subset of SQL of label-query.ts. */
import { modelsAre, type NamedSpan, namedSpans, time } from './span-table.ts';

export interface CountedWindow {
  readonly model: string;
  /** Event time, milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Rows that arrived before it count. */
  readonly until: number;
}

/** Rows `w` (index into `windows`) and `n`; windows without any have none. `arrived`: the arrivals that the capture is read for. */
export function countQuery(
  windows: readonly CountedWindow[],
  arrived: { readonly from: number; readonly to: number },
): string {
  const rows = windows.map(
    ({ model, start, end, until }, w): NamedSpan => ({ w, model, span: [start, end, until].map(time) }),
  );
  return `WITH ${namedSpans('windows', rows, ['start_time', 'end_time', 'taken_until'])}
SELECT w.w, COUNT(*) AS n FROM (
  SELECT model, time, arrival FROM {capture}
  WHERE type IN ('inference', 'request') AND ${modelsAre(windows)} AND arrival >= ${time(arrived.from)} AND arrival < ${time(arrived.to)}
) AS c JOIN windows w ON c.model = w.model AND c.time >= w.start_time AND c.time < w.end_time AND c.arrival < w.taken_until
GROUP BY w.w`;
}
