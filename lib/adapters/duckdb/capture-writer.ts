/** Log lines to one Parquet object with the capture columns: zstd, rows in the order of the log, times UTC. */
import { isUtf8 } from 'node:buffer';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CAPTURE_COLUMNS, type CaptureColumn } from '../../contracts/capture.ts';
import { EVENT_LIMITS, eventSchema } from '../../contracts/event.ts';
import type { CaptureWriter } from '../../pipeline/ports.ts';
import { type DuckDb, identifier, literal } from './load.ts';
import { isPlainEvent } from './plain-event.ts';
import { CAPTURE_TYPES } from './query.ts';

/** How a value lies in the temporary NDJSON: times as milliseconds, so that every RFC 3339 text gives the same instant everywhere. */
const SPOOLED: Readonly<Record<CaptureColumn, string>> = { ...CAPTURE_TYPES, time: 'BIGINT', arrival: 'BIGINT' };
const MAPS = ['segment', 'numeric', 'categorical', 'invalid'] as const;

export class DuckDbCaptureWriter implements CaptureWriter {
  private readonly db: DuckDb;

  constructor(db: DuckDb) {
    this.db = db;
  }

  async encode(
    lines: readonly Uint8Array[],
    appendTimes: readonly number[],
  ): Promise<{ readonly body: Uint8Array; readonly rows: number; readonly failed: number }> {
    const rows: string[] = [];
    for (const [i, line] of lines.entries()) {
      const row = captureRow(line, appendTimes[i] ?? Number.NaN);
      if (row !== null) rows.push(row);
    }
    const file = join(this.db.folder, this.db.name('capture'));
    const [spool, target] = [`${file}.ndjson`, `${file}.parquet`];
    try {
      await writeFile(spool, rows.length === 0 ? '' : `${rows.join('\n')}\n`);
      await this.db.run(
        `COPY (SELECT ${SELECTED} FROM read_json(${literal(spool)}, format = 'newline_delimited', columns = {${READ}})) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd)`,
      );
      return { body: await readFile(target), rows: rows.length, failed: lines.length - rows.length };
    } finally {
      await Promise.all([rm(spool, { force: true }), rm(target, { force: true })]);
    }
  }
}

const READ = CAPTURE_COLUMNS.map((name) => `${identifier(name)}: ${literal(SPOOLED[name])}`).join(', ');
const SELECTED = CAPTURE_COLUMNS.map((name) =>
  SPOOLED[name] === CAPTURE_TYPES[name]
    ? identifier(name)
    : `make_timestamp(${identifier(name)} * 1000) AS ${identifier(name)}`,
).join(', ');

/** One line of the temporary NDJSON, or `null` when the line is no event (contracts/event.ts). Never throws. */
export function captureRow(line: Uint8Array, appendTime: number): string | null {
  if (line.length > EVENT_LIMITS.recordBytes || !isUtf8(line)) return null;
  let event: Partial<Record<CaptureColumn, unknown>>;
  try {
    event = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
    if (!isPlainEvent(event) && !eventSchema.safeParse(event).success) return null;
  } catch {
    return null;
  }
  const time = Date.parse(String(event.time));
  const arrival = event.arrival === undefined ? appendTime : Date.parse(String(event.arrival));
  if (!Number.isFinite(time) || !Number.isFinite(arrival)) return null;
  for (const map of MAPS) if (!isFlat(map, event[map])) return null;
  // Written over in place: the event is ours alone.
  event.time = time;
  event.arrival = arrival;
  if (event.type !== 'label') event.weight ??= 1;
  // A number as its shortest decimal: 1, 1.0 and 1e0 are the same class, whoever wrote them.
  if (typeof event.predicted === 'number') event.predicted = String(event.predicted);
  if (typeof event.truth === 'number') event.truth = String(event.truth);
  const text = JSON.stringify(event);
  // Only a lone surrogate, or a backslash before such digits, is written like this.
  return text.includes('\\ud') ? JSON.stringify(wellFormed(event)) : text;
}

/** The schema library passes over a member called `__proto__`; here it is a name like any other. */
function isFlat(map: string, members: unknown): boolean {
  if (typeof members !== 'object' || members === null || !Object.hasOwn(members, '__proto__')) return true;
  const value = Object.getOwnPropertyDescriptor(members, '__proto__')?.value as unknown;
  if (map === 'numeric') return value === null || (typeof value === 'number' && Number.isFinite(value));
  return typeof value === 'string' || (value === null && map === 'categorical');
}

/** Lone surrogates have no UTF-8: they become U+FFFD. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Surrogate}/gu, '\ufffd');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [wellFormed(name), wellFormed(member)]));
}
