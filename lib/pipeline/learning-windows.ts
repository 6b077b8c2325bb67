/** The windows of a model's learning days, out of its profiles: those that stand out are left out of the baseline. */
import { keys, unsegment, unstamp } from '../contracts/object-keys.ts';
import { learningParts } from '../engine/learning-parts.ts';
import { Profile } from '../engine/profile.ts';
import type { Shape } from '../engine/shape.ts';
import type { LearningWindow } from '../engine/standing-out.ts';
import { readCursors } from './cursor.ts';
import {
  addOpenGroups,
  addStoredGroups,
  coverGroup,
  type Group,
  hoursOf,
  listProfiles,
  type OpenPacks,
  openPacks,
} from './grain-sources.ts';
import { listFolders } from './listing.ts';
import { addProfiles } from './merge-profiles.ts';
import type { PackReader } from './pack-reader.ts';
import type { ObjectStore } from './ports.ts';

/** Windows that are compared with each other; where there are more, days are. */
const MOST_WINDOWS = 1_000;

export interface LearningSource {
  readonly store: ObjectStore;
  readonly reader: PackReader;
}

export interface LearningDays {
  readonly model: string;
  readonly shape: Shape;
  /** Event time, milliseconds, window boundaries: [from, until). */
  readonly from: number;
  readonly until: number;
}

export interface SeenDays {
  /** Windows with rows: the monitor's own, ascending by start. */
  readonly windows: readonly { readonly start: number; readonly rows: number }[];
  /** What is compared: the same windows, or longer ones where they are very many; `null`: too many to compare. */
  readonly compared: readonly LearningWindow[] | null;
  readonly names: readonly string[];
  readonly rows: number;
  /** The version with most rows; `null` without any. */
  readonly version: string | null;
}

/** Start of the oldest grain with rows of the model at or after `from`; `null` when there is none. */
export async function firstGrain(
  { store, reader }: LearningSource,
  model: string,
  from: number,
): Promise<number | null> {
  // Cursors first: what leaves a cursor meanwhile is in a stored profile.
  const open = openPacks(await readCursors(store));
  const starts: number[] = [];
  for (const folder of await listFolders(store, keys.profiles(model))) {
    const version = unsegment(folder);
    const prefix = keys.profiles(model, version);
    const after = from > 0 ? keys.profiles(model, version, from).slice(0, -1) : undefined;
    const [key] = await store.list(prefix, { after, limit: 1 });
    if (key !== undefined) starts.push(unstamp(key.slice(prefix.length).split('/')[0] ?? ''));
  }
  for (const packs of open.values())
    for (const key of packs)
      for (const { grainStart } of (await reader.content(key)).byModel.get(model) ?? [])
        if (grainStart >= from) starts.push(grainStart);
  return starts.length === 0 ? null : Math.min(...starts);
}

export async function seenDays(source: LearningSource, days: LearningDays): Promise<SeenDays> {
  const { shape, from, until } = days;
  const { reader } = source;
  const groups = await groupsOf(source, days);
  const byVersion = new Map<string, number>();
  const byStart = new Map<number, { start: number; end: number; rows: number }>();
  const scale = shape.windows.scales.find(({ ms }) => (until - from) / ms <= MOST_WINDOWS)?.index ?? null;
  const blocks = new Map<number, { start: number; end: number; groups: Group[] }>();
  const all = new Profile(shape);
  for (const group of groups) {
    const rows = await mergeInto(all, group, reader);
    byVersion.set(group.version, (byVersion.get(group.version) ?? 0) + rows);
    const { start, end } = shape.windows.windowAt(group.grainStart);
    byStart.set(start, { start, end, rows: (byStart.get(start)?.rows ?? 0) + rows });
    if (scale === null) continue;
    const block = shape.windows.scaleWindow(scale, group.grainStart);
    const known = blocks.get(block.start) ?? { start: block.start, end: block.end, groups: [] };
    known.groups.push(group);
    blocks.set(block.start, known);
  }
  const partsOf = learningParts(shape, all);
  const compared: LearningWindow[] = [];
  for (const block of [...blocks.values()].sort((a, b) => a.start - b.start)) {
    const profile = new Profile(shape);
    for (const group of block.groups) await mergeInto(profile, group, reader);
    compared.push({ start: block.start, end: block.end, rows: profile.rows, columns: partsOf(profile) });
  }
  const [most] = [...byVersion].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return {
    windows: [...byStart.values()].filter(({ rows }) => rows > 0).sort((a, b) => a.start - b.start),
    compared: scale === null ? null : compared.filter(({ rows }) => rows > 0),
    names: shape.columns.map(({ name }) => name),
    rows: all.rows,
    version: most?.[0] ?? null,
  };
}

async function groupsOf(
  { store, reader }: LearningSource,
  { model, shape, from, until }: LearningDays,
): Promise<Group[]> {
  const open = openPacks(await readCursors(store));
  const versions = new Set((await listFolders(store, keys.profiles(model))).map(unsegment));
  for (const version of await openVersions(open, reader, model)) versions.add(version);
  const groups = new Map<string, Group>();
  const span = { start: from, end: until };
  for (const version of [...versions].sort()) {
    const hours = hoursOf(from, until).filter((hour) => open.has(hour));
    await addOpenGroups(groups, open, reader, { hours, model, version });
    await addStoredGroups(groups, reader, {
      model,
      version,
      profiles: await listProfiles(store, model, version, span),
    });
  }
  return [...groups.values()].filter(
    ({ grainStart, shapeDigest }) => grainStart >= from && grainStart < until && shapeDigest === shape.digest,
  );
}

async function openVersions(open: OpenPacks, reader: PackReader, model: string): Promise<Set<string>> {
  const versions = new Set<string>();
  for (const packs of open.values())
    for (const key of packs)
      for (const { version } of (await reader.content(key)).byModel.get(model) ?? []) versions.add(version);
  return versions;
}

/** Returns the rows merged. */
async function mergeInto(profile: Profile, group: Group, reader: PackReader): Promise<number> {
  const before = profile.rows;
  const sources = await coverGroup(group, reader);
  await addProfiles(profile, profile.shape, reader, { sources, take: () => true });
  return profile.rows - before;
}
