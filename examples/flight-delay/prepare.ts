/** Trains on January and writes what the platform needs to begin: the model, and January's predictions as a data file. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { Flights, JANUARY } from './flights.ts';
import { train } from './model.ts';
import { predictionOf, truthOf } from './traffic.ts';

export const MODEL_FILE = 'model.json';
export const REFERENCE_FILE = 'january.parquet';

export async function prepare(folder: string, say: (message: string) => void): Promise<void> {
  await mkdir(folder, { recursive: true });
  const flights = await Flights.open();
  say('reading January 2001');
  const january = await flights.between(JANUARY.from, JANUARY.to);
  say(`training on ${january.length.toLocaleString('en')} flights`);
  const model = train(january);

  say('predicting January, for the baseline');
  const rows = join(folder, 'january.csv');
  const lines = function* (): Generator<string> {
    yield 'id,version,time,distance,hour,origin,destination,score,predicted,truth,latency_ms\n';
    for (const flight of january) {
      const event = predictionOf(model, flight);
      const { distance, hour } = event.numeric ?? {};
      const { origin, destination } = event.categorical ?? {};
      yield `${[event.id, event.version, event.time, distance, hour, origin, destination, event.score, event.predicted, truthOf(flight), event.latency_ms].join(',')}\n`;
    }
  };
  await pipeline(Readable.from(lines(), { objectMode: true, highWaterMark: 10_000 }), createWriteStream(rows));
  const file = join(folder, REFERENCE_FILE);
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' })).connect();
  const quoted = (path: string): string => `'${path.replaceAll("'", "''")}'`;
  await connection.run(
    `COPY (SELECT * REPLACE (time::TIMESTAMP AS time) FROM read_csv(${quoted(rows)}, all_varchar = false, types = {'version': 'VARCHAR', 'time': 'TIMESTAMP'})) TO ${quoted(`${file}.part`)} (FORMAT parquet)`,
  );
  await rename(`${file}.part`, file);
  await rm(rows);
  await writeFile(join(folder, MODEL_FILE), JSON.stringify(model));
}
