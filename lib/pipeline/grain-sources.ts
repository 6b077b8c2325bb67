/**
 * Where the rows of a grain are: in profiles that were stored when its hour was closed, and in packs that cursors still list.
 * Cursors must have been read before the stored profiles are listed: what left a cursor since is then in a stored profile.
 */
import { keys, segment, unsegment, unstamp } from '../contracts/object-keys.ts';
import type { PackIndexEntry } from '../engine/pack.ts';
import { coverOf } from './cover.ts';
import { HOUR_MS, type StoredCursor } from './cursor.ts';
import { listAll } from './listing.ts';
import type { PackReader } from './pack-reader.ts';
import type { ObjectStore } from './ports.ts';

/** An object that holds rows of a group. */
export interface GroupSource {
  readonly key: string;
  readonly leaves: readonly string[];
  /** Those of the group. */
  readonly entries: readonly PackIndexEntry[];
}

/** All rows of one version in one grain under one shape. */
export interface Group {
  readonly model: string;
  readonly version: string;
  readonly grainStart: number;
  readonly shapeDigest: string;
  readonly sources: GroupSource[];
}

/** A stored profile as its key tells, unread. */
export interface StoredProfile {
  readonly key: string;
  readonly grainStart: number;
  readonly shapeDigest: string;
}

/** Hour of event time → keys of the packs open in it, over all cursors. */
export type OpenPacks = ReadonlyMap<number, ReadonlySet<string>>;

export function openPacks(cursors: readonly StoredCursor[]): OpenPacks {
  const open = new Map<number, Set<string>>();
  for (const { cursor } of cursors)
    for (const [stamped, indexes] of Object.entries(cursor.open)) {
      const hour = unstamp(stamped);
      let packs = open.get(hour);
      if (packs === undefined) {
        packs = new Set();
        open.set(hour, packs);
      }
      for (const index of indexes) packs.add(cursor.packs[index] ?? '');
    }
  return open;
}

export function groupName({ model, version, grainStart, shapeDigest }: Omit<Group, 'sources'>): string {
  return `${model}/${segment(version)}/${grainStart}/${shapeDigest}`;
}

/** Adds to `groups` what packs open in `hours` hold of these hours; `only`: of one model and version. */
export async function addOpenGroups(
  groups: Map<string, Group>,
  open: OpenPacks,
  reader: PackReader,
  { hours, model, version }: { hours: Iterable<number>; model?: string; version?: string },
): Promise<void> {
  for (const hour of hours) {
    for (const key of open.get(hour) ?? []) {
      const { leaves, entries, byModel } = await reader.content(key);
      for (const entry of model === undefined ? entries : (byModel.get(model) ?? [])) {
        if (version !== undefined && entry.version !== version) continue;
        if (hourOf(entry.grainStart) !== hour) continue;
        const group = groupOf(groups, entry);
        const source = group.sources.find((one) => one.key === key);
        if (source === undefined) group.sources.push({ key, leaves, entries: [entry] });
        else (source.entries as PackIndexEntry[]).push(entry);
      }
    }
  }
}

/** Stored profiles of one version with grains in [start, end), by key. */
export async function listProfiles(
  store: ObjectStore,
  model: string,
  version: string,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<StoredProfile[]> {
  const prefix = keys.profiles(model, version);
  const found: StoredProfile[] = [];
  // Anything inside the first grain's folder sorts after the folder's name without its slash.
  const after = keys.profiles(model, version, start).slice(0, -1);
  for await (const key of listAll(store, prefix, after)) {
    const [stamped = '', shapeDigest = ''] = key.slice(prefix.length).split('/');
    const grainStart = unstamp(stamped);
    if (grainStart >= end) break;
    found.push({ key, grainStart, shapeDigest: unsegment(shapeDigest) });
  }
  return found;
}

/** Adds stored profiles to `groups`. */
export async function addStoredGroups(
  groups: Map<string, Group>,
  reader: PackReader,
  { model, version, profiles }: { model: string; version: string; profiles: readonly StoredProfile[] },
): Promise<void> {
  for (const { key, grainStart, shapeDigest } of profiles) {
    const { leaves, entries } = await reader.content(key);
    groupOf(groups, { model, version, grainStart, shapeDigest }).sources.push({ key, leaves, entries });
  }
}

/** What to read so that each leaf counts once: the chosen objects with the entries that belong to the group. */
export async function coverGroup(group: Group, reader: PackReader): Promise<GroupSource[]> {
  const { sources } = group;
  if (sources.length <= 1) return [...sources];
  const known = new Map(sources.map((source) => [source.key, source]));
  const chosen: GroupSource[] = [];
  for (const key of coverOf(sources)) {
    const source = known.get(key) ?? (await leafOf(key, group, reader));
    if (source.entries.length > 0) chosen.push(source);
  }
  return chosen;
}

export function hourOf(t: number): number {
  return Math.floor(t / HOUR_MS) * HOUR_MS;
}

/** Hours that overlap [start, end). */
export function hoursOf(start: number, end: number): number[] {
  const hours: number[] = [];
  for (let hour = hourOf(start); hour < end; hour += HOUR_MS) hours.push(hour);
  return hours;
}

async function leafOf(key: string, group: Group, reader: PackReader): Promise<GroupSource> {
  const { leaves, entries } = await reader.content(key);
  const name = groupName(group);
  return { key, leaves, entries: entries.filter((entry) => groupName(entry) === name) };
}

function groupOf(groups: Map<string, Group>, of: Omit<Group, 'sources'>): Group {
  const name = groupName(of);
  let group = groups.get(name);
  if (group === undefined) {
    const { model, version, grainStart, shapeDigest } = of;
    group = { model, version, grainStart, shapeDigest, sources: [] };
    groups.set(name, group);
  }
  return group;
}
