/** Takes rows out of captured Parquet: the schema, the order and the values of the others stay, and so does the compression. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaptureRewriter, EventsToGo } from '../../pipeline/ports.ts';
import { type DuckDb, literal } from './load.ts';

/** Compressions that are written as they are read; anything else becomes the archiver's. */
const COMPRESSIONS = ['SNAPPY', 'ZSTD', 'GZIP', 'UNCOMPRESSED'];

export class DuckDbCaptureRewriter implements CaptureRewriter {
  readonly #db: DuckDb;

  constructor(db: DuckDb) {
    this.#db = db;
  }

  async without(
    body: Uint8Array,
    events: readonly EventsToGo[],
  ): Promise<{ readonly body: Uint8Array; readonly erased: number } | null> {
    const file = join(this.#db.folder, this.#db.name('erase'));
    const [source, target] = [`${file}.parquet`, `${file}.without.parquet`];
    const captured = `read_parquet(${literal(source)}, hive_partitioning = false)`;
    const goes = conditionOf(events);
    try {
      await writeFile(source, body);
      const [counted] = await this.#db.rows(`SELECT count(*) AS gone FROM ${captured} WHERE ${goes}`);
      const erased = Number(counted?.['gone'] ?? 0);
      if (erased === 0) return null;
      const [codec] = await this.#db.rows(`SELECT compression FROM parquet_metadata(${literal(source)}) LIMIT 1`);
      const compression = COMPRESSIONS.find((name) => name === codec?.['compression']) ?? 'ZSTD';
      await this.#db.run(
        `COPY (SELECT * FROM ${captured} WHERE NOT coalesce(${goes}, false)) TO ${literal(target)} (FORMAT parquet, COMPRESSION ${compression})`,
      );
      return { body: await readFile(target), erased };
    } finally {
      await Promise.all([rm(source, { force: true }), rm(target, { force: true })]);
    }
  }
}

function conditionOf(events: readonly EventsToGo[]): string {
  const each = events.map(({ model, marked }) =>
    marked === undefined
      ? `model = ${literal(model)}`
      : `(model = ${literal(model)} AND sha256(${literal(`${marked.salt}/${model}/`)} || id) IN (${[...marked.marks].map(literal).join(', ') || 'NULL'}))`,
  );
  return each.length === 0 ? 'false' : `(${each.join(' OR ')})`;
}
