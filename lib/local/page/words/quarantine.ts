/** Reasons of the quarantine in words. */
import type { QuarantineReason } from '../../../contracts/event.ts';
import { own } from './safe.ts';

const WORDS: Readonly<Record<QuarantineReason, string>> = {
  json: 'not readable as JSON',
  schema: 'not an event',
  'too-large': 'too large',
  future: 'from the future',
  'unknown-model': 'model nobody declared',
  policy: 'breaks its field policy',
};

export function quarantineWords(reason: string): string {
  return own(WORDS, reason) ?? reason;
}

/** The commonest first; reasons that never occurred are left out. */
export function sortedReasons(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a);
}
