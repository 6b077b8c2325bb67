/**
 * Takes up what Firehose could not convert. It gives up a whole record of the stream when one of its lines does not fit, good lines
 * with it; those are put where a second table reads them, in the hour they arrived in (docs/decisions/0020-capture-on-firehose.md).
 * Once however often it is done: the object's name is made from the object that it comes from.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { EVENT_LIMITS, eventSchema } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import { splitLines } from './archiver.ts';
import { ConflictError, type ObjectStore } from './ports.ts';

const HOUR = 3_600_000;

/** What Firehose writes of one record that it gave up. */
const failureSchema = z.object({
  arrivalTimestamp: z.number(),
  rawData: z.string(),
  lastErrorCode: z.string().optional(),
});

export interface CaptureRedrive {
  /** Records that were given up. */
  readonly records: number;
  /** Their lines that are events, now in the capture. */
  readonly kept: number;
  /** Lines that are none: the profiler, which reads the same stream, has put them into quarantine. */
  readonly dropped: number;
  /** Documents that are no failures of Firehose. */
  readonly unreadable: number;
  /** Why Firehose gave them up, with how many records. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** @param key of an object under `keys.captureFailures()`; `null` when it is not, or is gone */
export async function redriveCapture(store: ObjectStore, key: string): Promise<CaptureRedrive | null> {
  if (!key.startsWith(keys.captureFailures())) return null;
  const stored = await store.get(key);
  if (stored === null) return null;
  const byHour = new Map<number, string[]>();
  const reasons: Record<string, number> = {};
  const sum = { records: 0, kept: 0, dropped: 0, unreadable: 0 };
  // One document after another, with or without a line end between them.
  for (const text of new TextDecoder().decode(stored.body).split(/(?<=\})\s*(?=\{"attemptsMade")/)) {
    if (text.trim() === '') continue;
    const failure = failureOf(text);
    if (failure === null) {
      sum.unreadable += 1;
      continue;
    }
    sum.records += 1;
    const reason = failure.lastErrorCode ?? 'unknown';
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    const hour = Math.floor(failure.arrivalTimestamp / HOUR) * HOUR;
    for (const line of splitLines(Buffer.from(failure.rawData, 'base64'))) {
      const event = eventLine(line, failure.arrivalTimestamp);
      if (event === null) sum.dropped += 1;
      else {
        sum.kept += 1;
        byHour.set(hour, [...(byHour.get(hour) ?? []), event]);
      }
    }
  }
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 32);
  for (const [hour, lines] of byHour)
    try {
      await store.putIfAbsent(keys.redriven(hour, digest), new TextEncoder().encode(`${lines.join('\n')}\n`));
    } catch (error) {
      // Done before: the same key has the same lines.
      if (!(error instanceof ConflictError)) throw error;
    }
  return { ...sum, reasons };
}

function failureOf(text: string): z.infer<typeof failureSchema> | null {
  try {
    return failureSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The line with its arrival; `null` when it is no event. */
function eventLine(line: Uint8Array, arrived: number): string | null {
  if (line.length > EVENT_LIMITS.recordBytes) return null;
  try {
    const event = eventSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)));
    const arrival = event.arrival ?? new Date(arrived).toISOString();
    // Half a surrogate has no UTF-8.
    return JSON.stringify({ ...event, arrival }, (_, value: unknown) =>
      typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value,
    );
  } catch {
    return null;
  }
}
