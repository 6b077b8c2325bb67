/** Joins labels with captured predictions. */
import { DuckDbQuery } from '../adapters/duckdb/query.ts';
import { announce } from '../pipeline/bulletins.ts';
import { Labeler } from '../pipeline/labeler.ts';
import { labelerPart } from '../pipeline/timed-parts.ts';
import { type RoleParts, whenFailing } from './role.ts';
import type { Shared } from './shared.ts';

export async function labelerRole(shared: Shared): Promise<RoleParts> {
  const { log, store, clock, registry, pace } = shared;
  const episodes = shared.episodes();
  const labeler = new Labeler({
    log,
    store,
    clock,
    models: registry,
    query: new DuckDbQuery(await shared.database(), await shared.objects()),
    onResult: async (result) => {
      await episodes.apply(result.model, [result]);
    },
    // Whoever exports the state of models is another process.
    onStep: (results) => announce({ store, clock }, results),
  });
  return { parts: [labelerPart(labeler, pace.label)], notReady: whenFailing('labeler') };
}
