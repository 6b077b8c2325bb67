/** What the collector could not read, into the quarantine: one object for each reason of a request, under a name of its own. */
import { randomUUID } from 'node:crypto';
import type { QuarantineReason } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import type { QuarantineSink } from './collector.ts';
import type { ObjectStore } from './ports.ts';
import { excerptOf, putQuarantine, type QuarantineEntry } from './quarantine.ts';

/** The partition of what never came to the log. */
const PARTITION = 'collector';

export function collectorQuarantine(store: ObjectStore): QuarantineSink {
  return async (items) => {
    const byReason = new Map<QuarantineReason, QuarantineEntry[]>();
    const position = randomUUID();
    for (const { reason, detail, at, text } of items) {
      const entry = {
        at: new Date(at).toISOString(),
        reason,
        detail,
        excerpt: excerptOf(text),
        partition: PARTITION,
        position,
      };
      const entries = byReason.get(reason);
      if (entries === undefined) byReason.set(reason, [entry]);
      else entries.push(entry);
    }
    const at = items[0]?.at ?? 0;
    for (const [reason, entries] of byReason)
      await putQuarantine(store, keys.quarantine(at, reason, PARTITION, position), entries);
  };
}
