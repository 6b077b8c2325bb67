/** Keeps the episodes of models from within a function: what links and context its transitions carry. */
import { changeContext } from '../lib/pipeline/change-context.ts';
import { EpisodeKeeper } from '../lib/pipeline/episodes.ts';
import type { Clock, ObjectStore } from '../lib/pipeline/ports.ts';
import type { Registry } from '../lib/pipeline/registry.ts';

export interface EpisodeKeeperParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
  /** What links begin with; without it transitions carry none but the runbook of their monitor. */
  readonly linkBase: string | undefined;
}

export function episodeKeeper({ store, clock, registry, linkBase }: EpisodeKeeperParts): EpisodeKeeper {
  const base = linkBase?.replace(/\/+$/, '');
  const monitorOf = (model: string) => registry.monitorAt(model, clock.now())?.monitor ?? null;
  return new EpisodeKeeper({
    store,
    clock,
    monitor: monitorOf,
    links: {
      runbook: ({ model, signal }) =>
        monitorOf(model)?.alerts.runbook ?? (base === undefined ? '' : `${base}/runbook#${signal}`),
      page: ({ model }) => (base === undefined ? '' : `${base}/#/models/${encodeURIComponent(model)}`),
    },
    context: (model, from, to) => changeContext(registry, model, Date.parse(from), Date.parse(to)),
  });
}
