/** Counts of a table in the bins of a baseline: what the verdict reads, as if the table were one window. */
import { countCategories, presentRows } from '../adapters/duckdb/summaries.ts';
import type { Table, TableColumn } from '../adapters/duckdb/table.ts';
import type { ColumnBaseline, NumericBaseline } from '../contracts/baseline.ts';
import type { ColumnCounts } from '../engine/column-counts.ts';
import type { NumberReader } from './number-columns.ts';

/** Unseen categories that are named. */
const UNSEEN = 32;

/** One entry a column, in order; `null` where the table has no such column. */
export async function countsOfTable(
  table: Table,
  columns: readonly ColumnBaseline[],
  { reader, progress = () => undefined }: { readonly reader: NumberReader; readonly progress?: (what: string) => void },
): Promise<(ColumnCounts | null)[]> {
  const numbers = columns.flatMap((column) => {
    const source = table.column(column.name);
    return column.type === 'numeric' && source !== undefined ? [{ column, source }] : [];
  });
  progress('counting columns');
  // The database groups texts while a thread works on numbers.
  const [counted, texts] = await Promise.all([numberCounts(table, numbers, reader), categoryCounts(table, columns)]);
  const found = new Map([...counted, ...texts]);
  return columns.map((column) => found.get(column) ?? null);
}

type Counted = readonly (readonly [ColumnBaseline, ColumnCounts])[];

async function numberCounts(
  table: Table,
  numbers: readonly { readonly column: NumericBaseline; readonly source: TableColumn }[],
  reader: NumberReader,
): Promise<Counted> {
  const sources = numbers.map(({ source }) => source);
  const answers = await reader.count(
    table,
    sources,
    numbers.map(({ column }) => column.bins.edges),
  );
  const absent = await reader.absent(table, sources, answers);
  return numbers.map(({ column }, i) => {
    const { facts, bins } = answers[i]!;
    const { mean, std } = facts;
    const counts = { n: table.rows, ...absent[i]!, bins, unseen: { total: 0, top: [] }, weighted: null, mean, std };
    return [column, counts] as const;
  });
}

async function categoryCounts(table: Table, columns: readonly ColumnBaseline[]): Promise<Counted> {
  const counted: (readonly [ColumnBaseline, ColumnCounts])[] = [];
  for (const column of columns) {
    const source = table.column(column.name);
    if (column.type !== 'categorical' || source === undefined) continue;
    const { bins, missing, unseen, topUnseen } = await countCategories(table, source, column.categories, UNSEEN);
    counted.push([
      column,
      {
        n: table.rows,
        missing,
        nonFinite: 0,
        invalid: 0,
        bins,
        unseen: { total: unseen, top: topUnseen },
        weighted: null,
        mean: null,
        std: null,
      },
    ]);
  }
  return counted;
}

/** Columns of the table that none of `known` names, with the rows that have a value. */
export async function newColumns(
  table: Table,
  known: ReadonlySet<string>,
): Promise<{ readonly name: string; readonly rows: number }[]> {
  const columns = table.columns.filter(({ name, kind }) => !known.has(name) && kind !== 'time' && kind !== 'other');
  if (columns.length === 0) return [];
  const rows = await presentRows(table, columns);
  return columns.map(({ name }, i) => ({ name, rows: rows[i] ?? 0 }));
}
