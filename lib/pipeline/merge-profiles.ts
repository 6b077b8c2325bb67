/** Merging encoded profiles of one shape: by stage for a stored profile, or all together for a window. */
import type { PackEntry, PackIndexEntry } from '../engine/pack.ts';
import { Profile } from '../engine/profile.ts';
import type { Shape } from '../engine/shape.ts';
import { type GroupSource, groupName } from './grain-sources.ts';
import type { PackReader } from './pack-reader.ts';

/** Adds the rows of some sources to `into`; `take` chooses among their entries. */
export async function addProfiles(
  into: Profile,
  shape: Shape,
  reader: PackReader,
  { sources, take }: { sources: readonly GroupSource[]; take: (entry: PackIndexEntry) => boolean },
): Promise<void> {
  for (const { key, entries } of sources) {
    const wanted = entries.filter(take);
    if (wanted.length === 0) continue;
    for (const body of await reader.bodies(key, wanted)) into.merge(Profile.decode(body, shape));
  }
}

/**
 * One entry for each model, version, grain, stage and shape. Where `shapeOf` knows no shape (the baseline is gone, the engine is newer)
 * the profiles stay side by side, unmerged: nothing is lost.
 */
export async function mergedEntries(
  reader: PackReader,
  sources: readonly GroupSource[],
  shapeOf: (model: string, version: string, digest: string) => Shape | null,
): Promise<PackEntry[]> {
  const parts = new Map<string, { entry: PackIndexEntry; bodies: Uint8Array[] }>();
  for (const { key, entries } of sources) {
    const bodies = await reader.bodies(key, entries);
    for (const [i, entry] of entries.entries()) {
      const name = `${groupName(entry)}/${entry.stage}`;
      const body = bodies[i] as Uint8Array;
      const part = parts.get(name);
      if (part === undefined) parts.set(name, { entry, bodies: [body] });
      else part.bodies.push(body);
    }
  }
  const merged: PackEntry[] = [];
  for (const { entry, bodies } of parts.values()) {
    const { model, version, grainStart, stage, shapeDigest } = entry;
    const shape = shapeOf(model, version, shapeDigest);
    const profiles = shape === null ? null : bodies.map((body) => Profile.decode(body, shape));
    const first = profiles?.[0];
    if (profiles === null || first === undefined) {
      for (const { source, body } of unmerged(sources, bodies, entry))
        merged.push({ model, version, grainStart, stage, shapeDigest, rows: source.rows, body });
      continue;
    }
    for (const other of profiles.slice(1)) first.merge(other);
    merged.push({ model, version, grainStart, stage, shapeDigest, rows: first.rows, body: first.encode() });
  }
  return merged;
}

/** Each body with the index entry that tells its rows. */
function unmerged(
  sources: readonly GroupSource[],
  bodies: readonly Uint8Array[],
  like: PackIndexEntry,
): { source: PackIndexEntry; body: Uint8Array }[] {
  const name = groupName(like);
  const entries = sources
    .flatMap((source) => source.entries)
    .filter((entry) => entry.stage === like.stage && groupName(entry) === name);
  return entries.map((source, i) => ({ source, body: bodies[i] as Uint8Array }));
}
