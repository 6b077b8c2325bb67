/** Real traffic: the demonstration's flights, judged by January's baseline from February to June, by the day and by the hour. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type DuckDb, literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable, type Table } from '../../lib/adapters/duckdb/table.ts';
import type { Episode } from '../../lib/contracts/episode.ts';
import { backtestTables } from '../../lib/local/backtest.ts';

export interface ReplayedFlights {
  readonly every: '1d' | '1h';
  readonly windows: number;
  readonly days: number;
  readonly episodes: readonly Episode[];
  readonly expected: { readonly low: number; readonly high: number };
}

/** The package exports its script alone; the data lie beside the folder of that. */
function flightsFile(): string {
  return join(createRequire(import.meta.url).resolve('vega-datasets'), '..', '..', 'data', 'flights-3m.parquet');
}

export async function flightsReplayed(): Promise<ReplayedFlights[]> {
  const db = await openDuckDb({ memoryLimit: '1GB', threads: 2 });
  try {
    const replayed: ReplayedFlights[] = [];
    for (const every of ['1d', '1h'] as const) {
      // Within an hour the hour is no news.
      const hour = every === '1d' ? 'hour(date) AS hour, ' : '';
      const columns = `date, delay, distance, origin, destination, ${hour}md5_number_lower(CAST(file_row_number AS VARCHAR)) % 1000000 AS noise`;
      const part = (name: string, where: string): Promise<Table> =>
        prepare(db, join(db.folder, `${name}-${every}.parquet`), columns, where);
      const history = await backtestTables({
        reference: await part('january', "date < TIMESTAMP '2001-02-01'"),
        data: await part('rest', "date >= TIMESTAMP '2001-02-01' AND date < TIMESTAMP '2001-07-01'"),
        monitor: null,
        time: 'date',
        window: { kind: 'duration', every },
      });
      const { days, episodes, expected } = history;
      replayed.push({ every, windows: history.backtest.windows.length, days, episodes, expected });
    }
    return replayed;
  } finally {
    await db.close();
  }
}

async function prepare(db: DuckDb, file: string, columns: string, where: string): Promise<Table> {
  const source = `read_parquet(${literal(flightsFile())}, file_row_number = true)`;
  await db.run(`COPY (SELECT ${columns} FROM ${source} WHERE ${where}) TO ${literal(file)} (FORMAT parquet)`);
  return openTable(db, { files: [file], cwd: '/' });
}
