/** Data of replays: a time and ten columns of ten laws, rows at equal distances, the same for the same seed. */
import { openDuckDb } from '../lib/adapters/duckdb/load.ts';

export interface ReplayData {
  /** Day of the first row. */
  readonly from: string;
  readonly hours: number;
  readonly rows: number;
  /** From -1 to 1. */
  readonly seed: number;
}

export async function replayData(file: string, { from, hours, rows, seed }: ReplayData): Promise<void> {
  // Random numbers of several threads would come in another order each time.
  const db = await openDuckDb({ threads: 1 });
  const normal = 'sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())';
  const columns = [
    `50 + 10 * ${normal} AS normal`,
    `exp(3 + 0.8 * ${normal}) AS lognormal`,
    'random() AS uniform',
    '-20 * ln(1 - random()) AS exponential',
    'CAST(floor(12 * random() * random()) AS INTEGER) AS counts',
    `CASE WHEN random() < 0.02 THEN NULL ELSE ${normal} END AS missing`,
    "'plan-' || CAST(floor(5 * random() * random()) AS INTEGER) AS five",
    "'city-' || CAST(floor(50 * random() * random()) AS INTEGER) AS fifty",
    "CASE WHEN random() < 0.02 THEN 'yes' ELSE 'no' END AS rare",
    "'kind-' || CAST(floor(3 * random()) AS INTEGER) AS three",
  ];
  const at = `to_microseconds(CAST(i * ${(hours * 3_600_000_000) / rows} AS BIGINT))`;
  try {
    await db.run(`SELECT setseed(${seed})`);
    await db.run(
      `COPY (SELECT TIMESTAMP '${from}' + ${at} AS "when", ${columns.join(', ')} FROM range(${rows}) t(i)) TO '${file}' (FORMAT parquet)`,
    );
  } finally {
    await db.close();
  }
}
