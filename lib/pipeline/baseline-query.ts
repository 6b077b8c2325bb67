/**
 * The captured events of a model as a table of reference data, one row an event and one column a feature, in one statement: what
 * `mlmon profile` makes a baseline of. Each event counts once however often it was sent, halves of an inference are put together, and the
 * latest label to arrive wins. Beyond the subset of label-query.ts it needs `ELEMENT_AT`, which Trino and Spark have.
 */
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { text, time } from './span-table.ts';

export interface BaselineSpan {
  /** Event time, milliseconds since 1970: [from, to). */
  readonly from: number;
  readonly to: number;
  /** Labels that arrived before it count. */
  readonly labelsUntil: number;
  /** Stretches of event time within it that are left out: [from, to). @default none */
  readonly leaveOut?: readonly { readonly from: number; readonly to: number }[];
}

/** SQL over `e` (event), `a` (its response, where that came apart) and `l` (its label), and the name of the column that it makes. */
export type CapturedColumn = readonly [sql: string, name: string];

/**
 * Columns are named as the monitor's `columns` say, and where they say nothing `time`, `truth`, `prediction`, `score` and `weight`. All are text.
 * @throws ProblemError when the features of the monitor are not declared, or what was captured of them are hashes or buckets
 */
export function baselineQuery(monitor: Monitor, span: BaselineSpan): string {
  const features = featuresOf(monitor);
  const { columns } = monitor;
  return capturedEvents(monitor.model, span, [
    ['CAST(e.time AS VARCHAR)', columns.time ?? 'time'],
    ['l.truth', columns.truth ?? 'truth'],
    ['COALESCE(e.predicted, a.predicted)', columns.prediction ?? 'prediction'],
    ['CAST(COALESCE(e.score, a.score) AS VARCHAR)', columns.score ?? 'score'],
    ['CAST(e.weight AS VARCHAR)', columns.weight ?? 'weight'],
    ...features.map(({ name, type }): CapturedColumn => [`ELEMENT_AT(e.${type}, ${text(name)})`, name]),
  ]);
}

/** One row an event, with these columns. */
export function capturedEvents(
  model: string,
  { from, to, labelsUntil, leaveOut = [] }: BaselineSpan,
  columns: readonly CapturedColumn[],
): string {
  const without = leaveOut.map((out) => ` AND NOT (time >= ${time(out.from)} AND time < ${time(out.to)})`).join('');
  return `WITH captured AS (
  SELECT type, version, id, time, arrival, score, predicted, weight, truth, numeric, categorical FROM {capture}
  WHERE model = ${text(model)} AND arrival >= ${time(from - EVENT_LIMITS.futureMs)} AND arrival < ${time(labelsUntil)}
),
asked AS (
  SELECT type, version, id, time, score, predicted, weight, numeric, categorical,
    ROW_NUMBER() OVER (PARTITION BY id, version ORDER BY arrival, time) AS place
  FROM captured WHERE type IN ('inference', 'request') AND time >= ${time(from)} AND time < ${time(to)}${without}
),
answered AS (
  SELECT version, id, score, predicted, ROW_NUMBER() OVER (PARTITION BY id, version ORDER BY arrival, time) AS place
  FROM captured WHERE type = 'response'
),
labels AS (
  SELECT id, truth, ROW_NUMBER() OVER (PARTITION BY id ORDER BY arrival DESC, time DESC, truth DESC) AS place
  FROM captured WHERE type = 'label'
)
SELECT ${columns.map(([sql, name]) => `${sql} AS ${quoted(name)}`).join(',\n  ')}
FROM asked e
  LEFT JOIN answered a ON e.type = 'request' AND a.id = e.id AND a.version = e.version AND a.place = 1
  LEFT JOIN labels l ON l.id = e.id AND l.place = 1
WHERE e.place = 1`;
}

function featuresOf(monitor: Monitor): { readonly name: string; readonly type: 'numeric' | 'categorical' }[] {
  const all = Object.entries(monitor.features ?? {}).filter(([, { policy }]) => policy !== 'drop');
  const problems: Problem[] = all.flatMap(([name, { policy }]) =>
    policy === 'keep'
      ? []
      : [
          {
            code: 'policy',
            path: `features.${name}.policy`,
            message: 'what was captured are no values, and would be taken for some and hidden a second time',
            got: policy,
            expected: 'keep or drop',
            fix: 'make the baseline of the data that the model was trained on',
          },
        ],
  );
  if (all.length === 0)
    problems.push({
      code: 'no-features',
      path: 'features',
      message: 'none is declared, and a statement must name its columns',
      fix: 'declare them with their types; `mlmon init` writes a monitor that does',
    });
  if (problems.length > 0) throw new ProblemError(problems);
  return all.map(([name, { type }]) => ({ name, type }));
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
