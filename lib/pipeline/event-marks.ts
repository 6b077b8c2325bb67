/**
 * Finds events by marks of their ids, so that what is to be erased can be remembered without being kept. A mark is the SHA-256 of
 * `<salt>/<model>/<id>`; models have no slash.
 */
import { createHash } from 'node:crypto';
import type { EventsToGo } from './ports.ts';

export function markOf(salt: string, model: string, id: string): string {
  // Half a surrogate has no UTF-8: captured, it is the same as here.
  const text = id.replace(/\p{Surrogate}/gu, '\ufffd');
  return createHash('sha256').update(`${salt}/${model}/${text}`, 'utf8').digest('hex');
}

function goesFrom({ model, marked }: EventsToGo, id: string): boolean {
  return marked === undefined || marked.marks.has(markOf(marked.salt, model, id));
}

/** Whether a line of NDJSON is an event that goes, or cannot be read as one and holds the id of one that goes. */
export function lineGoes(line: string, events: readonly EventsToGo[]): boolean {
  const event = objectIn(line);
  if (event === null) return textGoes(line, events);
  const { model, id } = event;
  if (typeof model !== 'string' || typeof id !== 'string') return textGoes(line, events);
  return events.some((one) => one.model === model && goesFrom(one, id));
}

/** Whether a text, whatever it is, holds the id of an event that goes: in quotes, or as a word. Of `all of a model` nothing is known from a text. */
export function textGoes(text: string, events: readonly EventsToGo[]): boolean {
  const marked = events.filter((one) => one.marked !== undefined);
  if (marked.length === 0) return false;
  for (const token of tokensOf(text)) if (marked.some((one) => goesFrom(one, token))) return true;
  return false;
}

/** Of an excerpt and what is said of it: the model is that of the excerpt where it names one. */
export function excerptGoes(excerpt: string, detail: string, events: readonly EventsToGo[]): boolean {
  const named = objectIn(excerpt)?.model;
  const asked = typeof named === 'string' ? events.filter(({ model }) => model === named) : events;
  return textGoes(`${excerpt}\n${detail}`, asked);
}

/** JSON strings, decoded, and words. */
function tokensOf(text: string): Set<string> {
  const tokens = new Set<string>();
  for (const [, inner = ''] of text.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
    tokens.add(inner);
    try {
      tokens.add(JSON.parse(`"${inner}"`) as string);
    } catch {
      // Not JSON: as it stands, then.
    }
  }
  for (const separators of [/[\s"',;{}()[\]<>=&?]+/, /[\s"',;{}()[\]<>=&?:|\\/]+/])
    for (const word of text.split(separators)) tokens.add(word);
  tokens.delete('');
  return tokens;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}
