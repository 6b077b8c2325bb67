/**
 * A baseline of captured events through the query port: two statements, of which integers and text come back, and everything else is
 * computed here. What the functions on AWS learn a baseline with; `baselineFromCapture` makes the same of files on this machine.
 */

import { KIND } from '../adapters/warehouse/cells.ts';
import type { SqlDialect } from '../adapters/warehouse/dialect.ts';
import { textOfHex } from '../adapters/warehouse/literal.ts';
import { type ProfileSource, summaryStatement } from '../adapters/warehouse/summary-statement.ts';
import { binCount, windowsStatement } from '../adapters/warehouse/windows-statement.ts';
import type { Baseline, ColumnBaseline, ColumnRole } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { baselineFindings, volumeFindings } from '../engine/baseline-findings.ts';
import { columnBaseline, makeBaseline } from '../engine/baseline-maker.ts';
import { calibrate } from '../engine/calibration.ts';
import { performanceBaseline } from '../engine/performance.ts';
import { CLASSIFICATION_COLUMNS, type CountRow, REGRESSION_COLUMNS } from '../engine/performance-counts.ts';
import { regressionFixedPoint } from '../engine/performance-numbers.ts';
import { classificationCountsOf, regressionCountsOf } from '../engine/performance-rows.ts';
import { type BaselineSpan, type CapturedColumn, capturedEvents } from '../pipeline/baseline-query.ts';
import type { Query } from '../pipeline/ports.ts';
import { text } from '../pipeline/span-table.ts';
import { referenceWindows, wholeWindows } from './reference-windows.ts';
import { SUMMARY_RULE, windowsSource } from './warehouse-profile.ts';

export interface QueriedBaseline {
  readonly query: Query;
  /** Objects of the capture, or their prefixes. */
  readonly objects: readonly string[];
  /** With the features that are to be in it: kept or dropped. */
  readonly monitor: Monitor;
  readonly version: string;
  readonly span: BaselineSpan;
  /** Of the engine behind the port (capture-dialect.ts). */
  readonly dialect: SqlDialect;
}

/** In the relation columns have names of their own: what people call features may differ by case alone, or be called `time`. */
const NAMED = { time: 'x_time', truth: 'x_truth', prediction: 'x_prediction', score: 'x_score', weight: 'x_weight' };

interface Asked {
  readonly alias: string;
  /** `null`: the truth, of which only its being there is asked. */
  readonly role: ColumnRole | null;
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
  readonly sql: string;
}

type Row = Readonly<Record<string, string | number | bigint | null>>;

/** @throws ProblemError when nothing was captured in the span; what the query port throws */
export async function baselineByQuery(request: QueriedBaseline): Promise<Baseline> {
  const { monitor, span, version, dialect } = request;
  const { from, to } = span;
  const called = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
  const asked = columnsOf(monitor);
  const relation = `(${capturedEvents(monitor.model, span, relationColumns(asked))})`;
  const source: ProfileSource = {
    relation,
    called,
    columns: asked.map(({ alias, type }) => ({ name: alias, type })),
    time: NAMED.time,
  };
  const first = await answers(request, asked.length, SUMMARY_CELLS, (part) =>
    summaryStatement(dialect, source, SUMMARY_RULE, 'summary', part),
  );
  const facts = first.find(({ part }) => part === 'summary rows');
  const rows = Number(facts?.['n'] ?? 0);
  if (facts === undefined || rows === 0)
    throw new ProblemError([
      { code: 'no-rows', path: monitor.model, message: `nothing was captured with event times from ${called}` },
    ]);
  const findings: Problem[] = [];
  const summarised = asked.map((one, i) =>
    summaryOf(
      one,
      first.filter(({ part, col }) => part === 'summary' && col === i),
      rows,
    ),
  );
  const hasTruth = summarised.some(({ one, count }) => one.role === null && count > 0);
  // A score or a prediction that never came is none.
  const kept = summarised.filter(({ one, count }) => one.role === 'feature' || (one.role !== null && count > 0));
  const columns = kept.map(({ summary }) => columnBaseline(summary));
  const roles = new Set(kept.map(({ one }) => one.role));
  const named: Monitor = {
    ...monitor,
    columns: {
      time: NAMED.time,
      weight: NAMED.weight,
      ...(hasTruth ? { truth: NAMED.truth } : {}),
      ...(roles.has('prediction') ? { prediction: NAMED.prediction } : {}),
      ...(roles.has('score') ? { score: NAMED.score } : {}),
    },
  };
  const range = { from: Number(facts['earliest']), to: Number(facts['latest']), rows };
  const { spans, quantum } = referenceWindows({ ...range, absent: 0, time: 'time' }, monitor.window, findings);
  const windows = quantum === null ? null : spans;
  const second = windowsSource(named, { sql: relation, called }, columns, windows);
  const counted =
    second === null || windows === null
      ? []
      : await answers(request, columns.length, WINDOW_CELLS, (part) =>
          windowsStatement(dialect, second, 'windows', part),
        );
  const places = new Map(windows?.map(({ start }, i) => [start, i]));
  const starts = windows?.map(({ start }) => start) ?? [];
  let rowsByWindow: number[] = starts.map(() => 0);
  const made = columns.map((column, i): ColumnBaseline => {
    const binned = second?.columns[i];
    const { name } = kept[i]!.one;
    if (binned === undefined || windows === null) return { ...column, name };
    const bins = binCount(binned);
    const blocks = starts.map((start) => ({ start, counts: new Array<number>(bins + 1).fill(0) }));
    for (const row of counted) {
      const place = row['part'] === 'windows' && row['col'] === i ? places.get(Number(row['w'])) : undefined;
      // Missing, not finite and of the wrong type are one.
      if (place !== undefined) blocks[place]!.counts[Math.min(Number(row['bin']), bins)]! += Number(row['n']);
    }
    if (i === 0) rowsByWindow = blocks.map(({ counts }) => counts.reduce((all, n) => all + n, 0));
    const calibrated = { ...column, name, calibration: calibrate(column, blocks, monitor.window) };
    findings.push(...baselineFindings(calibrated, blocks, monitor.window));
    return calibrated;
  });
  const volume = windows === null ? null : wholeWindows(range, windows, rowsByWindow);
  if (volume !== null) findings.push(...volumeFindings(volume));
  const { every, timezone } = monitor.window;
  return makeBaseline({
    model: monitor.model,
    version,
    source: {
      kind: 'windows',
      name: called,
      from: new Date(range.from).toISOString(),
      to: new Date(range.to).toISOString(),
    },
    rows,
    window: windows === null ? null : { every, timezone, count: windows.length },
    columns: made,
    volume,
    performance:
      second === null || second.performance === null
        ? null
        : performanceOf(monitor, made, { counted, places, rowsByWindow }),
    findings,
  });
}

function columnsOf({ features, columns, task }: Monitor): Asked[] {
  const type = task === 'regression' ? 'numeric' : 'categorical';
  const watched = Object.entries(features ?? {})
    .filter(([, { policy }]) => policy !== 'drop')
    .map(([name, feature], i): Asked => {
      const sql = `CAST(ELEMENT_AT(e.${feature.type}, ${text(name)}) AS VARCHAR)`;
      return { alias: `f${i}`, role: 'feature', name, type: feature.type, sql };
    });
  const { score = 'score', prediction = 'prediction' } = columns;
  const others: Asked[] = [
    {
      alias: NAMED.score,
      role: 'score',
      name: score,
      type: 'numeric',
      sql: 'CAST(COALESCE(e.score, a.score) AS VARCHAR)',
    },
    { alias: NAMED.prediction, role: 'prediction', name: prediction, type, sql: 'COALESCE(e.predicted, a.predicted)' },
    { alias: NAMED.truth, role: null, name: 'truth', type: 'categorical', sql: 'l.truth' },
  ];
  return [...watched, ...others];
}

function relationColumns(asked: readonly Asked[]): CapturedColumn[] {
  const since = `date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', e.time)`;
  return [
    [`CAST(${since} AS VARCHAR)`, NAMED.time],
    ['CAST(e.weight AS VARCHAR)', NAMED.weight],
    ...asked.map(({ sql, alias }): CapturedColumn => [sql, alias]),
  ];
}

const SUMMARY_CELLS = [
  'part',
  ...['col', 'kind', 'n', 'below', 'uniq', 'fractions', 'earliest', 'latest'].map(
    (name) => `CAST(${name} AS BIGINT) AS ${name}`,
  ),
  ...['val', 'mean', 'squares'].map((name) => `CAST(${name} AS VARCHAR) AS ${name}`),
  'cat',
];
const WINDOW_CELLS = [
  'part',
  ...['w', 'col', 'bin', 'n'].map((name) => `CAST(${name} AS BIGINT) AS ${name}`),
  'packed',
];

/** Of as few statements as the port takes, each about some of the columns. */
async function answers(
  { query, objects, dialect }: QueriedBaseline,
  columns: number,
  cells: readonly string[],
  render: (part: readonly [number, number]) => string,
): Promise<Row[]> {
  const within = async (from: number, to: number): Promise<Row[]> => {
    const sql = `SELECT ${cells.join(', ')} FROM (\n${render([from, to])}\n) AS answer`;
    if (to - from > 1 && sql.length > (dialect.longest ?? Number.POSITIVE_INFINITY)) {
      const middle = (from + to) >>> 1;
      return [...(await within(from, middle)), ...(await within(middle, to))];
    }
    return query.run(sql, objects);
  };
  return within(0, columns);
}

/** Rows of the first answer as the summary of a column. */
function summaryOf({ alias, role, type, ...one }: Asked, found: readonly Row[], all: number) {
  const of = (kind: number): Row[] =>
    found.filter((row) => row['kind'] === kind).sort((a, b) => Number(a['below']) - Number(b['below']));
  const sum = (kind: number): number => of(kind).reduce((rows, row) => rows + Number(row['n']), 0);
  const [absent, nonFinite, wrongType] = [sum(KIND.missing), sum(KIND.notFinite), sum(KIND.wrongType)];
  const count = all - absent - nonFinite - wrongType;
  const missing = absent + wrongType;
  const head = { name: alias, role: role ?? 'feature', rows: all, missing } as const;
  const [first] = type === 'numeric' ? of(KIND.number) : of(KIND.category);
  const distinct = Number(first?.['uniq'] ?? 0);
  const mean = first === undefined || first['mean'] === null ? null : Number(first['mean']);
  const summary =
    type === 'numeric'
      ? {
          ...head,
          type,
          nonFinite,
          integer: Number(first?.['fractions'] ?? 0) === 0,
          mean,
          std: mean === null ? null : Math.sqrt(Number(first?.['squares']) / count),
          distinct,
          steps: of(KIND.number).map((row) => ({
            value: Number(row['val']) + 0,
            count: Number(row['n']),
            before: Number(row['below']),
          })),
        }
      : {
          ...head,
          type,
          distinct,
          top: of(KIND.category).map((row) => [textOfHex(String(row['cat']).slice(1)), Number(row['n'])] as const),
        };
  return { one: { alias, role, type, ...one }, count, summary };
}

interface Counted {
  readonly counted: readonly Row[];
  readonly places: ReadonlyMap<number, number>;
  readonly rowsByWindow: readonly number[];
}

function performanceOf(
  monitor: Monitor,
  columns: readonly ColumnBaseline[],
  { counted, places, rowsByWindow }: Counted,
) {
  const regression = monitor.task === 'regression';
  const { keys, sums } = regression ? REGRESSION_COLUMNS : CLASSIFICATION_COLUMNS;
  const names = [...keys, ...sums].map(({ name }) => name);
  const groups = rowsByWindow.map((): CountRow[] => []);
  const labels = rowsByWindow.map(() => 0);
  for (const row of counted) {
    const place = places.get(Number(row['w']));
    if (place === undefined) continue;
    if (row['part'] === 'windows labels') labels[place] = Number(row['n']);
    if (row['part'] !== 'windows performance') continue;
    const cells = String(row['packed']).split(' ');
    groups[place]?.push(Object.fromEntries(names.map((name, at) => [name, unpacked(cells[at] ?? '-')])));
  }
  const fixedPoint = regressionFixedPoint({ columns });
  const counts = groups.map((cells, w) => {
    const coverage = { predictions: rowsByWindow[w] ?? 0, labels: labels[w] ?? 0, conflicts: 0 };
    return regression ? regressionCountsOf(cells, fixedPoint, coverage) : classificationCountsOf(cells, coverage);
  });
  return performanceBaseline(counts, monitor);
}

function unpacked(cell: string): string | null {
  if (cell === '-') return null;
  return cell.startsWith('x') ? textOfHex(cell.slice(1)) : cell;
}
