/** Which columns of a table are watched and as what: as the monitor says, inferred where it is silent. */
import type { Table, TableColumn } from '../adapters/duckdb/table.ts';
import type { ColumnRole } from '../contracts/baseline.ts';
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { nearest, type Problem, ProblemError } from '../contracts/problem.ts';

export interface WatchedColumn {
  readonly source: TableColumn;
  readonly name: string;
  readonly role: ColumnRole;
  readonly type: 'numeric' | 'categorical';
  /** The monitor names it: it stays, whatever it looks like. */
  readonly declared: boolean;
  /** Its policy is `bucket`: no bin may tell of single rows. */
  readonly bucketed?: boolean;
}

export interface TableColumns {
  readonly watched: readonly WatchedColumn[];
  readonly time: TableColumn | null;
  readonly truth: TableColumn | null;
  readonly score: TableColumn | null;
  readonly prediction: TableColumn | null;
  readonly weight: TableColumn | null;
  /** Columns left out, each with why. */
  readonly findings: readonly Problem[];
}

type Roles = Monitor['columns'];

export interface ColumnChoice {
  readonly columns: Roles;
  readonly features?: Monitor['features'];
  readonly task: Monitor['task'];
  /** Columns that may be absent though the monitor names them: truth and weight of data that has none yet. */
  readonly optional?: readonly (keyof Roles)[];
}

/** Reference data may be without these, though the monitor names them. */
export const OPTIONAL_ROLES: readonly (keyof Roles)[] = ['truth', 'weight', 'latency', 'id', 'version'];

/** @throws ProblemError naming every column that is named and not there */
export function chooseColumns(table: Table, choice: ColumnChoice): TableColumns {
  const problems: Problem[] = [];
  const findings: Problem[] = [];
  const absent = (path: string, name: string): void => {
    const near = nearest(
      name,
      table.columns.map((column) => column.name),
    );
    problems.push({
      code: 'no-such-column',
      path: `${table.shown}: ${path}`,
      message: `there is no column ${JSON.stringify(name)}`,
      expected: `one of ${table.columns.map((column) => column.name).join(', ')}`,
      fix: near === undefined ? undefined : `did you mean ${near}?`,
    });
  };
  const role = (key: keyof Roles): TableColumn | null => {
    const name = choice.columns[key];
    if (name === undefined) return null;
    const column = table.column(name);
    if (column === undefined && !(choice.optional ?? []).includes(key)) absent(`columns.${key}`, name);
    return column ?? null;
  };
  const time = role('time');
  const truth = role('truth');
  const score = role('score');
  const prediction = role('prediction');
  const weight = role('weight');
  const taken = new Set(Object.values(choice.columns));
  const watched: WatchedColumn[] = [];
  if (choice.features !== undefined) {
    for (const [name, { type, policy }] of Object.entries(choice.features)) {
      if (policy === 'drop') continue;
      const source = table.column(name);
      if (source === undefined) absent(`features.${name}`, name);
      else watched.push({ source, name, role: 'feature', type, declared: true, bucketed: policy === 'bucket' });
    }
  } else
    for (const source of table.columns) {
      const { name, kind, sqlType } = source;
      if (taken.has(name)) continue;
      if (name.length > EVENT_LIMITS.nameLength || name === '' || name === '__proto__' || name.includes('\u0000'))
        findings.push(
          leftOut(
            name,
            'its name is empty, too long, `__proto__`, or has a NUL in it',
            `at most ${EVENT_LIMITS.nameLength} characters`,
          ),
        );
      else if (kind === 'time')
        findings.push(leftOut(name, 'it is a time', undefined, 'name it as `columns.time` if events happened then'));
      else if (kind === 'other') findings.push(leftOut(name, `its type is ${sqlType}`, 'numbers, text or booleans'));
      else watched.push({ source, name, role: 'feature', type: kind, declared: false });
    }
  if (score !== null) watched.push({ source: score, name: score.name, role: 'score', type: 'numeric', declared: true });
  if (prediction !== null) {
    const numeric =
      choice.task === 'regression' || (choice.task === 'none' && /^(?:FLOAT|DOUBLE|DECIMAL)/.test(prediction.sqlType));
    watched.push({
      source: prediction,
      name: prediction.name,
      role: 'prediction',
      type: numeric ? 'numeric' : 'categorical',
      declared: true,
    });
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return { watched, time, truth, score, prediction, weight, findings };
}

export function leftOut(name: string, why: string, expected?: string, fix?: string): Problem {
  return { code: 'left-out', path: name, message: `is left out: ${why}`, expected, fix };
}

/** Rows below which nothing is taken for an identifier. */
const ROWS_TO_TELL = 100;

/** Text that is different in nearly every row says nothing about drift. */
export function isIdentifierText(distinct: number, count: number): boolean {
  return count >= ROWS_TO_TELL && distinct > 0.95 * count;
}

/** Whole numbers that number the rows, or that are called an id and are all different. */
export function isIdentifierNumber(
  name: string,
  facts: { readonly integer: boolean; readonly min: number | null; readonly max: number | null },
  distinct: number,
  count: number,
): boolean {
  if (count < ROWS_TO_TELL || !facts.integer || distinct !== count || facts.min === null || facts.max === null)
    return false;
  return facts.max - facts.min + 1 === count || /(?:^|[^a-z])(?:id|uuid|key|index|idx|row)$|[a-z]Id$/i.test(name);
}
