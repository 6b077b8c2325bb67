/** The data: 3 million US flights of January to June 2001, from the npm package vega-datasets, read a day at a time. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export interface Flight {
  /** Its row in the file: stable, so ids are. */
  readonly row: number;
  /** Scheduled departure, milliseconds; the file's local times are taken as UTC. */
  readonly departure: number;
  /** Minutes late at arrival; negative when early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** Later than this is "late", minutes. */
export const LATE_AFTER = 15;
export const DAY = 86_400_000;
export const JANUARY = { from: Date.UTC(2001, 0, 1), to: Date.UTC(2001, 1, 1) } as const;
/** What is replayed: February to June. */
export const REPLAY = { from: Date.UTC(2001, 1, 1), to: Date.UTC(2001, 6, 1) } as const;

export function flightsFile(): string {
  // The package exports its script alone; the data lie beside the folder of that.
  return join(createRequire(import.meta.url).resolve('vega-datasets'), '..', '..', 'data', 'flights-3m.parquet');
}

export class Flights {
  readonly #connection: Awaited<ReturnType<DuckDBInstance['connect']>>;

  private constructor(connection: Awaited<ReturnType<DuckDBInstance['connect']>>) {
    this.#connection = connection;
  }

  static async open(): Promise<Flights> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '512MB' });
    const connection = await instance.connect();
    const file = flightsFile().replaceAll("'", "''");
    await connection.run(
      `CREATE VIEW flights AS SELECT file_row_number AS n, epoch_ms(date) AS departure, delay, distance, origin, destination FROM read_parquet('${file}', file_row_number = true)`,
    );
    return new Flights(connection);
  }

  /** Flights that depart in [from, to), in order of departure. */
  async between(from: number, to: number): Promise<Flight[]> {
    const reader = await this.#connection.runAndReadAll(
      `SELECT n, departure, delay, distance, origin, destination FROM flights WHERE departure >= ${from} AND departure < ${to} ORDER BY departure, n`,
    );
    const [row, departure, delay, distance, origin, destination] = reader.getColumns();
    return Array.from({ length: reader.currentRowCount }, (_, i) => ({
      row: Number(row?.[i]),
      departure: Number(departure?.[i]),
      delay: Number(delay?.[i]),
      distance: Number(distance?.[i]),
      origin: String(origin?.[i]),
      destination: String(destination?.[i]),
    }));
  }
}
