/**
 * Firehose as it writes the capture: buffers of the stream to Parquet with the columns and types of the Glue table, named after
 * their oldest record, at least once; a record in which one line cannot be converted goes to the error prefix as a whole.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDb, literal } from '../../../lib/adapters/duckdb/load.ts';
import type { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { JSON_COLUMNS } from './fake-athena.ts';

export interface Delivered {
  /** When the stream took it, milliseconds. */
  readonly at: number;
  readonly data: Uint8Array;
}

export interface FakeFirehoseOptions {
  readonly db: DuckDb;
  readonly store: MemoryStore;
  readonly bufferMs: number;
  /** Whether an object is delivered a second time. */
  readonly twice?: () => boolean;
}

export class FakeFirehose {
  #waiting: Delivered[] = [];
  #objects = 0;
  readonly #options: FakeFirehoseOptions;

  constructor(options: FakeFirehoseOptions) {
    this.#options = options;
  }

  take(record: Delivered): void {
    this.#waiting.push(record);
  }

  /** Delivers the buffers that are full at this time. */
  async deliver(now: number): Promise<void> {
    const { bufferMs, twice } = this.#options;
    for (;;) {
      const oldest = this.#waiting[0];
      if (oldest === undefined || oldest.at + bufferMs > now) return;
      const end = this.#waiting.findIndex(({ at }) => at >= oldest.at + bufferMs);
      const records = end < 0 ? this.#waiting : this.#waiting.slice(0, end);
      this.#waiting = end < 0 ? [] : this.#waiting.slice(end);
      for (let copy = 0; copy === 0 || (copy === 1 && twice?.() === true); copy++)
        await this.#write(records, oldest.at);
    }
  }

  async #write(records: readonly Delivered[], oldest: number): Promise<void> {
    const { store } = this.#options;
    const good: string[] = [];
    const failures: string[] = [];
    for (const { data, at } of records) {
      const lines = new TextDecoder()
        .decode(data)
        .split('\n')
        .filter((line) => line !== '');
      if (lines.every(converts)) good.push(...lines);
      else
        failures.push(
          JSON.stringify({
            attemptsMade: 1,
            arrivalTimestamp: at,
            lastErrorCode: 'DataFormatConversion.MalformedData',
            lastErrorMessage: 'Data does not match the schema.',
            attemptEndingTimestamp: at,
            rawData: Buffer.from(data).toString('base64'),
            sequenceNumber: '1',
            subSequenceNumber: null,
            dataCatalogTable: { databaseName: 'monitoring', tableName: 'capture' },
          }),
        );
    }
    this.#objects += 1;
    const stamp = new Date(oldest).toISOString().slice(0, 19).replace(/[T:]/g, '-');
    const name = `mlmon-1-${stamp}-${String(this.#objects).padStart(8, '0')}`;
    const hour = keys.captureHour(oldest);
    if (good.length > 0) await store.putIfAbsent(`${hour}${name}.parquet`, await this.#parquet(good));
    if (failures.length > 0)
      await store.putIfAbsent(
        `${keys.captureFailures()}${hour.slice('capture/'.length)}${name}`,
        new TextEncoder().encode(failures.map((line) => `${line}\n`).join('')),
      );
  }

  async #parquet(lines: readonly string[]): Promise<Uint8Array> {
    const { db } = this.#options;
    const file = join(db.folder, db.name('firehose'));
    await writeFile(`${file}.ndjson`, `${lines.join('\n')}\n`);
    await db.run(
      `COPY (SELECT * FROM read_json(${literal(`${file}.ndjson`)}, format = 'newline_delimited', columns = {${JSON_COLUMNS}})) TO ${literal(`${file}.parquet`)} (FORMAT parquet, COMPRESSION snappy)`,
    );
    const body = await readFile(`${file}.parquet`);
    await Promise.all([rm(`${file}.ndjson`), rm(`${file}.parquet`)]);
    return body;
  }
}

/** Every JSON object does, but for a map that is none. */
function converts(line: string): boolean {
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return (
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      ['segment', 'numeric', 'categorical', 'invalid'].every(
        (name) =>
          value[name] === undefined ||
          value[name] === null ||
          (typeof value[name] === 'object' && !Array.isArray(value[name])),
      )
    );
  } catch {
    return false;
  }
}
