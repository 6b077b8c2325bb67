/** The categories of one column as they are, for tests that take raw samples. */
import { wholeText } from './load.ts';
import { type Table, type TableColumn, textSql } from './table.ts';

/** In the order of the rows; `null` is missing. Equal values are one text in memory. */
export async function rawTexts(table: Table, column: TableColumn): Promise<(string | null)[]> {
  const values: (string | null)[] = [];
  const known = new Map<string, string>();
  await table.db.eachPiece(
    `SELECT ${wholeText(textSql(column))} AS mlmon_value FROM ${table.relation}`,
    (piece, rows) => {
      for (let i = 0; i < rows; i++) {
        const item = piece.getItem(i);
        if (item === null) {
          values.push(null);
          continue;
        }
        const text = String(item);
        const kept = known.get(text) ?? text;
        if (kept === text) known.set(text, text);
        values.push(kept);
      }
    },
  );
  return values;
}

/** The same with equal values together: far quicker, for tests that do not ask for the order. */
export async function groupedTexts(table: Table, column: TableColumn): Promise<(string | null)[]> {
  const rows = await table.db.rows(
    `SELECT ${wholeText('v')} AS mlmon_value, n AS mlmon_rows FROM (SELECT ${textSql(column)} AS v, count(*) AS n FROM ${table.relation} GROUP BY 1) ORDER BY v NULLS LAST`,
  );
  const values: (string | null)[] = [];
  for (const row of rows) {
    const value = row['mlmon_value'];
    const text = value === null || value === undefined ? null : String(value);
    for (let n = Number(row['mlmon_rows']); n > 0; n--) values.push(text);
  }
  return values;
}
