/** Rows of a finished query: integers and text only, by the types that Athena tells with them. */
import type { ColumnInfo, ResultSet } from '@aws-sdk/client-athena';

export type QueryRow = Readonly<Record<string, string | number | bigint | null>>;

const INTEGERS = new Set(['tinyint', 'smallint', 'integer', 'int', 'bigint']);
const TEXTS = new Set(['varchar', 'char', 'string']);

/**
 * Rows of one page. The first page of a SELECT begins with the names of the columns.
 * @throws TypeError naming a column of another type
 */
export function rowsOfPage(page: ResultSet, isFirst: boolean): QueryRow[] {
  const columns = page.ResultSetMetadata?.ColumnInfo ?? [];
  const readers = columns.map(readerOf);
  const names = columns.map(({ Name }) => Name ?? '');
  const rows = page.Rows ?? [];
  const from = isFirst && isHeader(rows[0]?.Data, names) ? 1 : 0;
  return rows.slice(from).map(({ Data }) => {
    const row: Record<string, string | number | bigint | null> = {};
    for (const [i, read] of readers.entries()) {
      const text = Data?.[i]?.VarCharValue;
      row[names[i] ?? ''] = text === undefined ? null : read(text);
    }
    return row;
  });
}

function isHeader(
  data: readonly { readonly VarCharValue?: string | undefined }[] | undefined,
  names: readonly string[],
): boolean {
  return data?.length === names.length && names.every((name, i) => data[i]?.VarCharValue === name);
}

function readerOf({ Name, Type }: ColumnInfo): (text: string) => string | number | bigint {
  const type = (Type ?? '').toLowerCase();
  if (INTEGERS.has(type)) return integer;
  if (TEXTS.has(type)) return (text) => text;
  throw new TypeError(
    `column ${Name}: the query port returns integers and text only, got ${type}; cast it to BIGINT or VARCHAR`,
  );
}

function integer(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
