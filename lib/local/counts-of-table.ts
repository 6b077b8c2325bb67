/** Counts of a table in the bins of a baseline: what the verdict reads, as if the table were one window. */
import { categoryBinning, countAll, numberBinning, numberFacts, topUnseen } from '../adapters/duckdb/summaries.ts';
import { presentSql, type Table } from '../adapters/duckdb/table.ts';
import type { ColumnBaseline } from '../contracts/baseline.ts';
import type { ColumnCounts } from '../engine/column-counts.ts';

/** Unseen categories that are named. */
const UNSEEN = 32;

/** One entry a column, in order; `null` where the table has no such column. */
export async function countsOfTable(
  table: Table,
  columns: readonly ColumnBaseline[],
  progress: (what: string) => void = () => undefined,
): Promise<(ColumnCounts | null)[]> {
  const sources = columns.map(({ name }) => table.column(name));
  const numeric = columns.flatMap((column, i) => {
    const source = sources[i];
    return column.type === 'numeric' && source !== undefined ? [{ i, source }] : [];
  });
  const facts = await numberFacts(
    table,
    numeric.map(({ source }) => source),
  );
  const factsOf = new Map(numeric.map(({ i }, at) => [i, facts[at]]));
  const counts: (ColumnCounts | null)[] = [];
  for (const [i, column] of columns.entries()) {
    progress(`counting ${column.name}`);
    const source = sources[i];
    if (source === undefined) {
      counts.push(null);
      continue;
    }
    if (column.type === 'numeric') {
      const fact = factsOf.get(i);
      const bins = await countAll(table, numberBinning(source, column.bins.edges));
      counts.push({
        n: table.rows,
        missing: fact?.missing ?? 0,
        nonFinite: fact?.nonFinite ?? 0,
        invalid: fact?.invalid ?? 0,
        bins: bins.slice(0, -1),
        unseen: { total: 0, top: [] },
        weighted: null,
        mean: fact?.mean ?? null,
        std: fact?.std ?? null,
      });
      continue;
    }
    const binning = await categoryBinning(
      table,
      source,
      column.categories,
      column.categories.map((_, bin) => bin),
      column.categories.length,
    );
    const bins = await countAll(table, binning);
    const total = bins.at(-2) ?? 0;
    counts.push({
      n: table.rows,
      missing: bins.at(-1) ?? 0,
      nonFinite: 0,
      invalid: 0,
      bins: bins.slice(0, -2),
      unseen: { total, top: total === 0 ? [] : await topUnseen(table, source, binning, UNSEEN) },
      weighted: null,
      mean: null,
      std: null,
    });
  }
  return counts;
}

/** Columns of the table that none of `known` names, with the rows that have a value. */
export async function newColumns(
  table: Table,
  known: ReadonlySet<string>,
): Promise<{ readonly name: string; readonly rows: number }[]> {
  const columns = table.columns.filter(({ name, kind }) => !known.has(name) && kind !== 'time' && kind !== 'other');
  if (columns.length === 0) return [];
  const [row] = await table.db.rows(
    `SELECT ${columns.map((column, i) => `count(*) FILTER (WHERE ${presentSql(column)}) AS mlmon_${i}`).join(', ')} FROM ${table.relation}`,
  );
  return columns.map(({ name }, i) => ({ name, rows: Number(row?.[`mlmon_${i}`] ?? 0) }));
}
