/** Health as people see it: what the log and the cursors tell, and what the collector of this process knows of itself. */
import type { Health } from '../contracts/api.ts';
import type { Collector } from '../pipeline/collector.ts';

/** Events that the collector put into quarantine never were on the log, so the cursors know nothing of them. Counted since it started. */
export function withCollector(health: Health, { counters, failure }: Collector): Health {
  const quarantined: Record<string, number> = { ...health.counts.quarantined };
  for (const { rejected } of counters.models.values())
    for (const [reason, count] of Object.entries(rejected))
      quarantined[reason] = (quarantined[reason] ?? 0) + (count ?? 0);
  const problem = failure === null ? [] : [`collector: events cannot be made durable: ${failure}`];
  return {
    ...health,
    status: failure === null ? health.status : 'failing',
    problems: [...problem, ...health.problems],
    counts: { ...health.counts, quarantined },
    parts: [{ name: 'collector', state: failure === null ? 'running' : 'failing', error: failure }, ...health.parts],
  };
}

/** Asks again only when the last answer is `ms` old, in real time; those who ask meanwhile share one answer. */
export function remembered<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly at: number; readonly value: Promise<T> } | null = null;
  return () => {
    if (known === null || performance.now() - known.at >= ms) {
      const value = ask();
      known = { at: performance.now(), value };
      value.catch(() => {
        known = null;
      });
    }
    return known.value;
  };
}
