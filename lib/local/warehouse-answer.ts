/** The rows that a warehouse answered the statements of a profile with, read from the files a user kept them in. */
import { literal } from '../adapters/duckdb/load.ts';
import type { Table } from '../adapters/duckdb/table.ts';
import { KIND } from '../adapters/warehouse/cells.ts';
import { textOfHex } from '../adapters/warehouse/literal.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ValueStep } from '../engine/numeric-bins.ts';
import type { CountColumn, CountRow } from '../engine/performance-counts.ts';

/** What the first statement says of a column. */
export interface ColumnSummary {
  readonly missing: number;
  readonly notFinite: number;
  readonly wrongType: number;
  /** Rows with a number or a category. */
  readonly count: number;
  readonly distinct: number;
  readonly fractions: number;
  readonly mean: number | null;
  /** Population standard deviation. */
  readonly std: number | null;
  readonly steps: readonly ValueStep[];
  readonly top: readonly (readonly [category: string, count: number])[];
}

export interface TableSummary {
  /** What the data was called when it was asked for. */
  readonly called: string;
  readonly rows: number;
  /** Rows with a time. */
  readonly timed: number;
  /** Milliseconds since 1970. */
  readonly earliest: number | null;
  readonly latest: number | null;
  readonly columns: readonly ColumnSummary[];
}

/** Names of the columns that both answers have. */
const MARKS = ['part', 'col', 'n'];

/** @throws ProblemError when the files are no answers, or not to this question */
export async function readSummary(table: Table, label: string, names: readonly string[]): Promise<TableSummary> {
  checkColumns(table, [
    ...MARKS,
    'kind',
    'val',
    'cat',
    'below',
    'uniq',
    'fractions',
    'mean',
    'squares',
    'timed',
    'earliest',
    'latest',
  ]);
  const told = await table.db.rows(
    `SELECT CAST(cat AS VARCHAR) AS cat, CAST(n AS BIGINT) AS n, CAST(timed AS BIGINT) AS timed, CAST(earliest AS BIGINT) AS earliest, CAST(latest AS BIGINT) AS latest FROM ${table.relation} WHERE part = ${literal(`${label} rows`)}`,
  );
  const facts = told[0];
  if (facts === undefined) throw await otherQuestion(table, label);
  if (told.length > 1) throw notWhole(table, 'holds the first answer more than once', `${told.length} times`);
  const rows = Number(facts['n']);
  const columns: ColumnSummary[] = [];
  for (const [i, name] of names.entries()) columns.push(await columnSummary(table, label, { i, name, rows }));
  const orNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value));
  return {
    called: textOfHex(String(facts['cat']).slice(1)),
    rows,
    timed: Number(facts['timed']),
    earliest: orNull(facts['earliest']),
    latest: orNull(facts['latest']),
    columns,
  };
}

async function columnSummary(
  table: Table,
  label: string,
  { i, name, rows }: { readonly i: number; readonly name: string; readonly rows: number },
): Promise<ColumnSummary> {
  const found = await table.db.rows(
    `SELECT CAST(kind AS BIGINT) AS kind, CAST(val AS DOUBLE) AS val, CAST(cat AS VARCHAR) AS cat, CAST(n AS BIGINT) AS n, CAST(below AS BIGINT) AS below, CAST(uniq AS BIGINT) AS uniq, CAST(fractions AS BIGINT) AS fractions, CAST(mean AS DOUBLE) AS mean, CAST(squares AS DOUBLE) AS squares
    FROM ${table.relation} WHERE part = ${literal(label)} AND CAST(col AS BIGINT) = ${i} ORDER BY kind, below`,
  );
  const of = (kind: number): typeof found => found.filter((row) => Number(row['kind']) === kind);
  const sum = (kind: number): number => of(kind).reduce((all, row) => all + Number(row['n']), 0);
  const [missing, notFinite, wrongType] = [sum(KIND.missing), sum(KIND.notFinite), sum(KIND.wrongType)];
  const count = rows - missing - notFinite - wrongType;
  const kept = [...of(KIND.number), ...of(KIND.category)];
  const first = kept[0];
  const last = kept.at(-1);
  // Numbers: the last step ends at the last row. Categories: those beyond the ones that are kept have no row here.
  const through = last === undefined ? 0 : Number(last['below']) + Number(last['n']);
  const once = found.every((row, at) => {
    const before = found[at - 1];
    return before === undefined || before['kind'] !== row['kind'] || Number(before['below']) < Number(row['below']);
  });
  if (
    !once ||
    count < through ||
    (count > 0 && first === undefined) ||
    (of(KIND.number).length > 0 && through !== count)
  )
    throw notWhole(
      table,
      `does not hold the whole answer for the column ${JSON.stringify(name)} once`,
      `${through} of ${count} values`,
    );
  const mean = first?.['mean'] === null || first === undefined ? null : Number(first['mean']);
  return {
    missing,
    notFinite,
    wrongType,
    count,
    distinct: Number(first?.['uniq'] ?? 0),
    fractions: Number(first?.['fractions'] ?? 0),
    mean,
    std: mean === null ? null : Math.sqrt(Number(first?.['squares']) / count),
    steps: of(KIND.number).map((row) => ({
      value: Number(row['val']) + 0,
      count: Number(row['n']),
      before: Number(row['below']),
    })),
    top: of(KIND.category).map((row) => [textOfHex(String(row['cat']).slice(1)), Number(row['n'])] as const),
  };
}

function notWhole(table: Table, message: string, got: string): ProblemError {
  const fix = 'give the results of all the statements, each once and whole';
  return new ProblemError([{ code: 'incomplete-answer', path: table.shown, message, got, fix }]);
}

/** Rows by window and bin. */
export class WindowsAnswer {
  private readonly table: Table;
  private readonly label: string;
  private readonly places: ReadonlyMap<number | null, number>;

  private constructor(table: Table, label: string, starts: readonly number[] | null) {
    this.table = table;
    this.label = label;
    this.places = starts === null ? new Map([[null, 0]]) : new Map(starts.map((start, i) => [start, i]));
  }

  /**
   * @param starts of the windows, milliseconds since 1970; `null`: all rows are one window
   * @throws ProblemError when the files hold no answer to this question
   */
  static async open(table: Table, label: string, starts: readonly number[] | null): Promise<WindowsAnswer> {
    const has = table.columns.some(({ name }) => name === 'packed');
    const [found] = has
      ? await table.db.rows(`SELECT count(*) AS n FROM ${table.relation} WHERE part = ${literal(label)}`)
      : [];
    if (Number(found?.['n'] ?? 0) === 0) {
      if (has) checkColumns(table, [...MARKS, 'w', 'bin', 'packed']);
      throw await otherQuestion(table, label);
    }
    return new WindowsAnswer(table, label, starts);
  }

  /** For each window: rows by bin, then those of no bin. `outside`: rows in no window. */
  async bins(
    { i, name, rows }: { readonly i: number; readonly name: string; readonly rows: number },
    bins: number,
  ): Promise<{ readonly windows: number[][]; readonly outside: number }> {
    const windows = Array.from({ length: this.places.size }, () => new Array<number>(bins + 1).fill(0));
    let outside = 0;
    let total = 0;
    for (const row of await this.rows('', `AND CAST(col AS BIGINT) = ${i}`)) {
      const n = Number(row['n']);
      total += n;
      const window = this.windowOf(row);
      if (window === undefined) outside += n;
      else windows[window]![Math.min(Number(row['bin']), bins)]! += n;
    }
    if (total !== rows)
      throw new ProblemError([
        {
          code: 'table-changed',
          path: this.table.shown,
          message: `the statements did not count the same rows of the column ${JSON.stringify(name)}`,
          got: `${total} rows by window`,
          expected: `${rows} rows, as in the first answer`,
          fix: 'give the results of all the statements, each once and whole; if the table has grown in between, read a snapshot of it',
        },
      ]);
    return { windows, outside };
  }

  /** Labelled rows by window. */
  async labels(): Promise<number[]> {
    const labels = new Array<number>(this.places.size).fill(0);
    for (const row of await this.rows(' labels', '')) {
      const window = this.windowOf(row);
      if (window !== undefined) labels[window] = Number(row['n']);
    }
    return labels;
  }

  /** Groups of performance by window, as rows of these columns. */
  async groups(keys: readonly CountColumn[], sums: readonly CountColumn[]): Promise<CountRow[][]> {
    const groups = Array.from({ length: this.places.size }, (): CountRow[] => []);
    const names = [...keys, ...sums].map(({ name }) => name);
    for (const row of await this.rows(' performance', '')) {
      const window = this.windowOf(row);
      if (window === undefined) continue;
      const cells = String(row['packed']).split(' ');
      groups[window]?.push(Object.fromEntries(names.map((name, at) => [name, unpacked(cells[at] ?? '-')])));
    }
    return groups;
  }

  private windowOf(row: CountRow): number | undefined {
    return this.places.get(row['w'] === null || row['w'] === undefined ? null : Number(row['w']));
  }

  private async rows(part: string, where: string): Promise<CountRow[]> {
    return (await this.table.db.rows(
      `SELECT CAST(w AS BIGINT) AS w, CAST(bin AS BIGINT) AS bin, CAST(n AS BIGINT) AS n, CAST(packed AS VARCHAR) AS packed FROM ${this.table.relation} WHERE part = ${literal(`${this.label}${part}`)} ${where}`,
    )) as CountRow[];
  }
}

function unpacked(cell: string): string | null {
  if (cell === '-') return null;
  return cell.startsWith('x') ? textOfHex(cell.slice(1)) : cell;
}

function checkColumns(table: Table, names: readonly string[]): void {
  const absent = names.filter((name) => table.column(name) === undefined);
  if (absent.length > 0)
    throw new ProblemError([
      {
        code: 'no-answer',
        path: table.shown,
        message: 'is no result of a statement of `mlmon profile sql`',
        got: `columns ${table.columns.map(({ name }) => name).join(', ')}`.slice(0, 200),
        expected: `with ${absent.join(', ')}`,
        fix: 'keep all rows and columns of the result, with its header',
      },
    ]);
}

async function otherQuestion(table: Table, label: string): Promise<ProblemError> {
  const found = await table.db.rows(
    `SELECT DISTINCT CAST(part AS VARCHAR) AS part FROM ${table.relation} ORDER BY 1 LIMIT 8`,
  );
  const kind = label.split(' ')[0];
  const same = found.some(({ part }) => String(part).startsWith(`${kind} `));
  return new ProblemError([
    {
      code: same ? 'other-question' : 'no-answer',
      path: table.shown,
      message: same
        ? `answers another question than this monitor${kind === 'windows' ? ' and the first answer ask' : ' asks'}`
        : `has no rows of the ${kind === 'windows' ? 'second' : 'first'} statement`,
      got: found.map(({ part }) => String(part)).join(', '),
      expected: label,
      fix:
        kind === 'windows'
          ? 'run what `mlmon profile sql … --counts FIRST` prints, and give both results'
          : 'run what `mlmon profile sql` prints for this monitor, and give its result',
    },
  ]);
}
