/** A table with everything that engines read differently, as a Parquet file, and the monitor that watches it. */
import { type DuckDb, literal } from '../../lib/adapters/duckdb/load.ts';
import { TRINO } from '../../lib/adapters/warehouse/trino-dialect.ts';
import { type Monitor, type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';

/** Every value of `texts` as a constant of DuckDB. */
const list = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`;

export const ODD_TEXTS = [
  '',
  ' ',
  'NA',
  'null',
  "o'clock",
  '"',
  '\\',
  '\\n',
  'a\nb',
  'tab\t',
  'Zürich',
  'zurich',
  '東京',
  '😀',
  'a,b;c|d',
  '007',
  '7',
  '1e3',
  'x'.repeat(300),
  '`',
  '$x',
  '{0}',
  '%',
  '--',
  '\u00e9',
  'e\u0301',
];
const ODD_NUMBERS = [
  '12',
  ' 7 ',
  '-3.5',
  '+4',
  '.5',
  '6.',
  '1e3',
  '1E-3',
  'abc',
  '',
  'NaN',
  'inf',
  '-Infinity',
  '1e400',
  '0x10',
  '1d',
  '2f',
  '1,5',
  '१',
];
const DOUBLES = [
  "CAST('NaN' AS DOUBLE)",
  "CAST('Infinity' AS DOUBLE)",
  "CAST('-Infinity' AS DOUBLE)",
  "CAST('-0' AS DOUBLE)",
  'CAST(0 AS DOUBLE)',
  "CAST('5e-324' AS DOUBLE)",
  "CAST('1.7976931348623157e308' AS DOUBLE)",
  '-1e300',
  '0.1 + 0.2',
  'NULL',
];

/** Writes the file. Row `i` is a function of `i`, so every call writes the same. */
export async function writeNastyTable(db: DuckDb, file: string, rows: number): Promise<void> {
  const u = (salt: number): string => `((hash(i * 7919 + ${salt}) % 1000003) / 1000003.0::DOUBLE)`;
  await db.run(`COPY (SELECT
    CASE WHEN i % 997 = 5 THEN NULL ELSE TIMESTAMP '2001-03-20 00:00:00' + CAST(i * 900 AS BIGINT) * INTERVAL 1 SECOND END AS "when",
    "when" AT TIME ZONE 'UTC' AS when_zoned,
    strftime("when", '%Y-%m-%dT%H:%M:%S.%gZ') AS when_text,
    epoch("when") AS when_seconds,
    CASE WHEN i % 50 = 7 THEN [${DOUBLES.join(', ')}][1 + (i // 50) % ${DOUBLES.length}] WHEN i % 9 = 0 THEN 2.5 ELSE exp(3 * ${u(1)}) END AS amount,
    CAST(floor(6 * ${u(2)} * ${u(3)}) AS INTEGER) AS few,
    CASE WHEN i % 3 = 0 THEN 9007199254740992 + i % 5 ELSE -(CAST(1 AS BIGINT) << (i % 62)) END AS big,
    1e9 + ${u(13)} AS far,
    CAST(round(100 * ${u(4)}, 2) AS DECIMAL(12, 2)) AS price,
    CAST(${u(5)} * 10 AS FLOAT) AS single,
    CASE WHEN i % 31 = 0 THEN NULL ELSE i % 4 = 0 END AS flag,
    i % 5 = 0 AS flag_as_number,
    ${list(ODD_NUMBERS)}[1 + CAST(floor(${ODD_NUMBERS.length} * ${u(6)}) AS INTEGER)] AS texts_as_numbers,
    CASE WHEN i % 41 = 0 THEN NULL ELSE ${list(ODD_TEXTS)}[1 + CAST(floor(${ODD_TEXTS.length} * ${u(7)} * ${u(8)}) AS INTEGER)] END AS "odd ""name""",
    'city ' || CAST(floor(1500 * ${u(9)} * ${u(10)}) AS INTEGER) AS many,
    i % 7 AS code,
    (i % 3) / 2.0::DOUBLE AS ratio,
    CAST((i % 3) / 2.0 AS DECIMAL(4, 1)) AS tenths,
    DATE '2001-01-01' + CAST(i % 12 AS INTEGER) AS day,
    CAST(NULL AS DOUBLE) AS nothing,
    CASE WHEN ${u(11)} < 0.3 THEN 'late' ELSE 'on time' END AS predicted,
    CASE WHEN i % 60 = 0 THEN NULL ELSE ${u(11)} END AS score,
    CASE WHEN i % 17 = 0 THEN NULL WHEN ${u(12)} < 0.3 THEN 'late' ELSE 'on time' END AS truth,
    CASE WHEN i % 19 = 0 THEN NULL ELSE 1.0::DOUBLE + i % 3 END AS weight
  FROM range(${rows}) AS t(i)) TO ${literal(file)} (FORMAT parquet)`);
}

const NUMBERS = ['amount', 'far', 'few', 'big', 'price', 'single', 'flag_as_number', 'texts_as_numbers', 'nothing'];
const TEXTS = ['flag', 'odd "name"', 'many', 'code', 'ratio', 'tenths', 'day'];

export function nastyMonitor(input: Omit<MonitorInput, 'model'> = {}): Monitor {
  const { monitor, problems } = parseMonitor({
    model: 'nasty',
    task: 'binary-classification',
    positive: 'late',
    columns: { time: 'when', prediction: 'predicted', score: 'score', truth: 'truth', weight: 'weight' },
    window: { every: '1d', timezone: 'Europe/Berlin' },
    features: Object.fromEntries([
      ...NUMBERS.map((name) => [name, { type: 'numeric' }]),
      ...TEXTS.map((name) => [name, { type: 'categorical' }]),
    ]),
    ...input,
  });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

/** Types of Trino by those of DuckDB, with what is written before a constant's text. */
const TRINO_TYPES: Readonly<Record<string, string>> = {
  TIMESTAMP: 'TIMESTAMP(6)',
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP(3) WITH TIME ZONE',
  VARCHAR: 'VARCHAR',
  FLOAT: 'REAL',
};

/** The same rows as one statement that makes a table `nasty` in Trino: as JSON, since many constants are slow. */
export async function trinoTable(db: DuckDb, file: string): Promise<string> {
  const described = await db.rows(`DESCRIBE SELECT * FROM ${literal(file)}`);
  const columns = described.map((row, i) => {
    const type = String(row['column_type']);
    return { name: TRINO.quoted(String(row['column_name'])), type: TRINO_TYPES[type] ?? type, as: `c${i}` };
  });
  const rows = await db.rows(
    `SELECT ${columns.map(({ name }) => `CAST(${name} AS VARCHAR) AS ${name}`).join(', ')} FROM ${literal(file)}`,
  );
  const cell = (value: unknown, type: string): string | null => {
    if (value === null || type === 'VARCHAR') return value as string | null;
    return String(value).replace(/^nan$/, 'NaN').replace(/inf$/, 'Infinity').replace(/\+00$/, ' UTC');
  };
  const cells = rows.map((row) => Object.values(row).map((value, i) => cell(value, columns[i]?.type ?? '')));
  const typed = columns.map(({ name, type, as }) => `CAST(${as} AS ${type}) AS ${name}`);
  const names = columns.map(({ as }) => as);
  const all = `CAST(json_parse(${TRINO.literal(JSON.stringify(cells))}) AS ARRAY(ROW(${names.map((as) => `${as} VARCHAR`).join(', ')})))`;
  return `CREATE TABLE nasty AS SELECT ${typed.join(', ')} FROM UNNEST(${all}) AS t (${names.join(', ')})`;
}
