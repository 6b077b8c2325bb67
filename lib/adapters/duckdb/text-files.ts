/** CSV and NDJSON, read once into a temporary Parquet file, with the names and numbers that DuckDB does not see in them. */
import { join } from 'node:path';
import { type DuckDb, identifier, literal, wholeText } from './load.ts';
import { plainPath, type TableFile } from './table-files.ts';

/** Cells of CSV that mean "no value", as pandas reads and writes them. */
export const CSV_MISSING = ['', 'NA', 'N/A', '<NA>', 'NULL', 'null', 'None', '\\N'];
/** Numbers that JSON has no word for, as senders write them. */
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity'];
/** Words for flags, as JSON, Python and R write them. All others (`yes`, `T`) are categories as they stand, although DuckDB knows them. */
const FLAGS = ['true', 'false', 'True', 'False', 'TRUE', 'FALSE'];
/** What cells of CSV are tried as; `FLAGS` later. */
const CSV_TYPES = ['NULL', 'BIGINT', 'DOUBLE', 'TIME', 'DATE', 'TIMESTAMP', 'TIMESTAMPTZ', 'VARCHAR'];
/** Rows that are looked at before all are. */
const FIRST_ROWS = 1_000;
/** DuckDB cannot tell where rows of a CSV end when a name in its header holds another end than they have. A file has one of these. */
const ROW_ENDS = ['', ", new_line = '\\r\\n'", ", new_line = '\\n'"];

/**
 * SQL of a relation with the rows of files of one of the two formats. Types hold for all rows.
 * @throws the error of DuckDB about a file that is not well-formed
 */
export async function readText(db: DuckDb, files: readonly TableFile[]): Promise<string> {
  const paths = `[${files.map(({ path }) => literal(plainPath(path))).join(', ')}]`;
  const isCsv = files[0]?.format === 'csv';
  const kept = join(db.folder, `${db.name('spool')}.parquet`);
  const spooled = `read_parquet(${literal(plainPath(kept))})`;
  const missing = `[${CSV_MISSING.map(literal).join(', ')}]`;
  const source = (sample: number, rowEnd: string): string =>
    isCsv
      ? `read_csv(${paths}, header = true, union_by_name = ${files.length > 1}, hive_partitioning = false, nullstr = ${missing}, auto_type_candidates = [${CSV_TYPES.map(literal).join(', ')}], sample_size = ${sample}${rowEnd})`
      : `read_json(${paths}, format = 'newline_delimited', records = true, union_by_name = true, hive_partitioning = false, sample_size = ${sample}, field_appearance_threshold = 0, map_inference_threshold = -1)`;
  let failure: unknown;
  for (const rowEnd of isCsv ? ROW_ENDS : ['']) {
    // Where the first rows promise a type that a later one breaks, types are taken from all rows.
    for (const sample of [100_000, -1])
      try {
        await db.run(
          `COPY (SELECT * FROM ${source(sample, rowEnd)}) TO ${literal(kept)} (FORMAT parquet, COMPRESSION zstd)`,
        );
        return isCsv ? await flagged(db, await named(db, files, { spooled, rowEnd })) : await numbered(db, spooled);
      } catch (error) {
        if (rowEnd === '') failure = error;
      }
    if (!String(failure).includes('sniffing file')) break;
  }
  throw failure;
}

/** A name in a header that reads as missing (`NA`, `null`) is a name all the same, where DuckDB puts a number. */
async function named(
  db: DuckDb,
  files: readonly TableFile[],
  { spooled, rowEnd }: { readonly spooled: string; readonly rowEnd: string },
): Promise<string> {
  const columns = (await describe(db, spooled)).map(({ name }) => name);
  const counted = columns.filter((name) => /^column\d+$/.test(name));
  if (counted.length === 0) return spooled;
  const found = new Map<string, Set<string>>(counted.map((name) => [name, new Set()]));
  for (const { path } of files) {
    const [header = {}] = await db.rows(
      `SELECT * FROM read_csv(${literal(plainPath(path))}, header = false, all_varchar = true, nullstr = '\u0001', hive_partitioning = false${rowEnd}) LIMIT 1`,
    );
    const cells = Object.values(header).map((cell) => String(cell ?? '').trim());
    for (const [name, own] of found) {
      const cell = cells[Number(name.slice('column'.length))];
      if (cell !== undefined) own.add(cell);
    }
  }
  const taken = new Set(columns.map((name) => name.toLowerCase()));
  const renamed = [...found].flatMap(([name, cells]) => {
    const [cell = '', ...others] = cells;
    const isName = others.length === 0 && cell !== '' && CSV_MISSING.includes(cell) && !taken.has(cell.toLowerCase());
    if (!isName) return [];
    taken.add(cell.toLowerCase());
    return [`${identifier(name)} AS ${identifier(cell)}`];
  });
  return renamed.length === 0 ? spooled : `(SELECT * RENAME (${renamed.join(', ')}) FROM ${spooled})`;
}

/** Columns of CSV with no other text than `FLAGS` are booleans, as they are in Parquet and NDJSON. */
async function flagged(db: DuckDb, relation: string): Promise<string> {
  const holdsFlags = async (names: readonly string[], rows: string, orNothing: boolean): Promise<string[]> => {
    if (names.length === 0) return [];
    const words = FLAGS.map(literal).join(', ');
    const [found] = await db.rows(
      `SELECT ${names.map((name, i) => `bool_and(${name} IN (${words})) AS f${i}`).join(', ')} FROM ${rows}`,
    );
    return names.filter((_, i) => (found?.[`f${i}`] ?? (orNothing ? true : null)) === true);
  };
  const texts = (await describe(db, relation))
    .filter(({ type }) => type === 'VARCHAR')
    .map(({ name }) => identifier(name));
  // Most text shows what it is in its first rows.
  const likely = await holdsFlags(texts, `(SELECT * FROM ${relation} LIMIT ${FIRST_ROWS})`, true);
  const flags = await holdsFlags(likely, relation, false);
  if (flags.length === 0) return relation;
  return `(SELECT * REPLACE (${flags.map((name) => `CAST(${name} AS BOOLEAN) AS ${name}`).join(', ')}) FROM ${relation})`;
}

/** Members of NDJSON that are numbers but for some that are not finite, which stand there as text. */
async function numbered(db: DuckDb, spooled: string): Promise<string> {
  const mixed = (await describe(db, spooled)).filter(({ type }) => type === 'JSON').map(({ name }) => identifier(name));
  if (mixed.length === 0) return spooled;
  const words = NOT_FINITE.map(literal).join(', ');
  const isNumber = (name: string): string =>
    `json_type(${name}) IN ('DOUBLE', 'BIGINT', 'UBIGINT', 'HUGEINT', 'NULL') OR (${name} ->> '$') IN (${words})`;
  const [found] = await db.rows(
    `SELECT ${mixed.map((name, i) => `bool_and(${isNumber(name)}) AS n${i}`).join(', ')} FROM ${spooled}`,
  );
  const numbers = mixed.filter((_, i) => found?.[`n${i}`] === true);
  if (numbers.length === 0) return spooled;
  return `(SELECT * REPLACE (${numbers.map((name) => `CAST(${name} ->> '$' AS DOUBLE) AS ${name}`).join(', ')}) FROM ${spooled})`;
}

async function describe(db: DuckDb, relation: string): Promise<{ readonly name: string; readonly type: string }[]> {
  const rows = await db.rows(
    `SELECT ${wholeText('column_name')} AS name, column_type AS type FROM (DESCRIBE SELECT * FROM ${relation})`,
  );
  return rows.map(({ name, type }) => ({ name: String(name), type: String(type) }));
}
