/**
 * Closing hours: what packs hold of an hour is merged into stored profiles that name these packs, then the cursors let them go.
 * In this order, and each write conditional: a crash or a second closer in between only leaves a profile that repeats another,
 * and readers count each leaf pack once (cover.ts).
 */
import { createHash } from 'node:crypto';
import { keys, unsegment, unstamp } from '../contracts/object-keys.ts';
import type { PackEntry } from '../engine/pack.ts';
import {
  CURSOR_LIMITS,
  changeCursor,
  compacted,
  cursorBytes,
  HOUR_MS,
  readCursor,
  readCursors,
  released,
  type StoredCursor,
} from './cursor.ts';
import {
  addOpenGroups,
  addStoredGroups,
  coverGroup,
  type Group,
  type GroupSource,
  listProfiles,
  type OpenPacks,
  openPacks,
} from './grain-sources.ts';
import { inTurn } from './in-turn.ts';
import { mergedEntries } from './merge-profiles.ts';
import { encodeMerged, isUnreadable, type PackReader } from './pack-reader.ts';
import { type Clock, comparePositions, type ObjectStore } from './ports.ts';
import { putPack } from './put-pack.ts';
import type { Registry } from './registry.ts';

export interface GrainsOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly reader: PackReader;
  /** How long after its end, and after its oldest open pack, an hour is closed, milliseconds. @default 1 h */
  readonly closeAfterMs?: number;
  /** Most hours closed in one run. @default 96 */
  readonly hoursPerRun?: number;
  /**
   * Asked for before profiles of these models are merged, some at a time: for a process that cannot hold the baselines of all.
   * @default the registry knows all models
   */
  readonly select?: (models: readonly string[]) => Promise<void>;
  /** Nothing more is to be begun; what was not stored stays open. @default never */
  readonly isLate?: () => boolean;
  /** Told of packs that cannot be read: their hours stay open. */
  readonly onProblem?: (problem: Error) => void;
}

/** Stored profiles of one grain and shape; with more, the next one holds all rows again. */
const MOST_PARTS = 4;
const CONCURRENCY = 8;
/** Models whose profiles are merged in one go. */
const MODELS_AT_ONCE = 20;

export class Grains {
  readonly #options: GrainsOptions;

  constructor(options: GrainsOptions) {
    this.#options = options;
  }

  /** Closes the hours that are due, the oldest first, and compacts crowded ones. Returns whether more are due. */
  async close(): Promise<{ readonly closed: number; readonly more: boolean }> {
    const { store, registry, clock, closeAfterMs = HOUR_MS, hoursPerRun = 96, isLate = () => false } = this.#options;
    await registry.refresh();
    const now = clock.now();
    const cursors = await readCursors(store);
    const due = hoursToClose(cursors, now, closeAfterMs);
    const closed = await this.#closeHours(due.slice(0, hoursPerRun), cursors);
    for (const cursor of cursors) await this.#compact(cursor);
    return { closed, more: due.length > hoursPerRun || (isLate() && closed < due.length) };
  }

  /** Makes room in one cursor: its oldest hours are closed early, until half of it is free. */
  async relieve(cursorKey: string): Promise<void> {
    const { store, registry } = this.#options;
    await registry.refresh();
    const { cursor } = await readCursor(store, cursorKey);
    const [, log = '', file = ''] = cursorKey.split('/');
    const stored: StoredCursor = { key: cursorKey, log, partition: file.replace(/\.json$/, ''), cursor };
    const hours = Object.keys(cursor.open)
      .map(unstamp)
      .sort((a, b) => a - b);
    let count = 0;
    for (let rest = cursor; count < hours.length && cursorBytes(rest).byteLength > CURSOR_LIMITS.bytes / 2; ) {
      count = Math.min(hours.length, Math.max(1, count * 2));
      const all = new Set(cursor.packs);
      rest = released(cursor, new Map(hours.slice(0, count).map((hour) => [hour, all]))) ?? rest;
    }
    await this.#closeHours(hours.slice(0, count), [stored]);
  }

  async #closeHours(hours: readonly number[], cursors: readonly StoredCursor[]): Promise<number> {
    if (hours.length === 0) return 0;
    const { store, reader, onProblem } = this.#options;
    const open = openPacks(cursors);
    const groups = new Map<string, Group>();
    const closable: number[] = [];
    for (const hour of hours) {
      try {
        const ofHour = new Map<string, Group>();
        await addOpenGroups(ofHour, open, reader, { hours: [hour] });
        for (const [name, group] of ofHour) groups.set(name, group);
        closable.push(hour);
      } catch (error) {
        onProblem?.(error as Error);
      }
    }
    const failed = await this.#storeProfiles(groups);
    const done = new Map<number, ReadonlySet<string>>();
    for (const hour of closable) if (!failed.has(hour)) done.set(hour, open.get(hour) ?? new Set());
    for (const { key } of cursors) await changeCursor(store, key, (cursor) => released(cursor, done));
    return done.size;
  }

  /** Writes what no stored profile names yet. Returns the hours of which that failed, for a pack that cannot be read. */
  async #storeProfiles(groups: ReadonlyMap<string, Group>): Promise<Set<number>> {
    const failed = new Set<number>();
    const versions = new Map<string, Group[]>();
    for (const group of groups.values()) {
      const name = `${group.model}/${group.version}`;
      const list = versions.get(name);
      if (list === undefined) versions.set(name, [group]);
      else list.push(group);
    }
    const models = new Map<string, Group[][]>();
    for (const list of versions.values()) {
      const { model } = list[0] as Group;
      models.set(model, [...(models.get(model) ?? []), list]);
    }
    const names = [...models.keys()].sort();
    for (let from = 0; from < names.length; from += MODELS_AT_ONCE) {
      const chunk = names.slice(from, from + MODELS_AT_ONCE).flatMap((model) => models.get(model) ?? []);
      await this.#storeChunk(chunk, failed);
    }
    return failed;
  }

  async #storeChunk(chunk: readonly (readonly Group[])[], failed: Set<number>): Promise<void> {
    const { store, select, isLate = () => false, onProblem } = this.#options;
    const hourFails = ({ grainStart }: Group, error: Error | null): void => {
      failed.add(Math.floor(grainStart / HOUR_MS) * HOUR_MS);
      if (error !== null) onProblem?.(error);
    };
    const attempt = async (group: Group, work: () => Promise<void>): Promise<void> => {
      if (isLate()) return hourFails(group, null);
      try {
        await work();
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        hourFails(group, error as Error);
      }
    };
    const missing: { readonly group: Group; readonly sources: readonly GroupSource[] }[] = [];
    await inTurn(chunk, CONCURRENCY, async (list) => {
      const { model, version } = list[0] as Group;
      const start = Math.min(...list.map(({ grainStart }) => grainStart));
      const end = Math.max(...list.map(({ grainStart }) => grainStart)) + 1;
      const profiles = isLate() ? [] : await listProfiles(store, model, version, { start, end });
      for (const group of list)
        await attempt(group, async () => {
          const { grainStart, shapeDigest } = group;
          const present = profiles.filter((one) => one.grainStart === grainStart && one.shapeDigest === shapeDigest);
          const sources = await this.#toStore(
            group,
            present.map(({ key }) => key),
          );
          if (sources !== null) missing.push({ group, sources });
        });
    });
    if (missing.length === 0) return;
    const models = [...new Set(missing.map(({ group }) => group.model))];
    if (select !== undefined) {
      await select(models);
      this.#options.reader.together(models);
    }
    await inTurn(missing, CONCURRENCY, ({ group, sources }) =>
      attempt(group, () => this.#storeProfile(group, sources)),
    );
  }

  /** What the next stored profile of the group is made of; `null` when one that is there holds all of it. */
  async #toStore(group: Group, present: readonly string[]): Promise<readonly GroupSource[] | null> {
    const { reader } = this.#options;
    const { model, version, grainStart, shapeDigest, sources } = group;
    if (present.length === 0) return sources;
    const stored = new Map<string, Group>();
    const profiles = present.map((key) => ({ key, grainStart, shapeDigest }));
    await addStoredGroups(stored, reader, { model, version, profiles });
    const all = [...stored.values()].flatMap((one) => one.sources);
    const named = new Set(all.flatMap(({ leaves }) => leaves));
    // Left behind by a closer that stopped before the cursors let go.
    if (sources.every(({ leaves }) => leaves.every((leaf) => named.has(leaf)))) return null;
    const overlaps = sources.some(({ leaves }) => leaves.some((leaf) => named.has(leaf)));
    return overlaps || present.length >= MOST_PARTS ? [...all, ...sources] : sources;
  }

  async #storeProfile(group: Group, sources: readonly GroupSource[]): Promise<void> {
    const { store, registry, reader } = this.#options;
    const { model, version, grainStart, shapeDigest } = group;
    const chosen = await coverGroup({ ...group, sources: [...sources] }, reader);
    const entries = await mergedEntries(reader, chosen, (...of) => registry.shapeByDigest(...of));
    const leaves = leavesOf(sources);
    const key = keys.profile(model, version, grainStart, shapeDigest, digestOf(leaves));
    await putPack(store, key, encodeMerged(entries, leaves));
  }

  /** Hours of one cursor with too many packs: these become one, for that hour. */
  async #compact({ key, partition, cursor }: StoredCursor): Promise<void> {
    const { store, reader, registry, onProblem, select, isLate = () => false } = this.#options;
    for (const [stamped, indexes] of Object.entries(cursor.open)) {
      if (!isCrowded(indexes) || isLate()) continue;
      const hour = unstamp(stamped);
      const packs = new Set(indexes.map((index) => cursor.packs[index] ?? ''));
      const open: OpenPacks = new Map([[hour, packs]]);
      const groups = new Map<string, Group>();
      try {
        await addOpenGroups(groups, open, reader, { hours: [hour] });
        const sources: GroupSource[] = [];
        for (const group of groups.values()) sources.push(...(await coverGroup(group, reader)));
        const entries: PackEntry[] = [];
        for (const some of byModels(sources)) {
          await select?.(some.models);
          entries.push(...(await mergedEntries(reader, some.sources, (...of) => registry.shapeByDigest(...of))));
        }
        const leaves = leavesOf(await Promise.all([...packs].map((pack) => reader.content(pack))));
        const into = compactedKey([...packs], unsegment(partition), `${stamped}/${digestOf(leaves)}`);
        await putPack(store, into, encodeMerged(entries, leaves));
        await changeCursor(store, key, (present) => compacted(present, hour, packs, into));
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        onProblem?.(error as Error);
      }
    }
  }
}

/** Hours whose time has come, ascending. */
export function hoursToClose(cursors: readonly StoredCursor[], now: number, closeAfterMs = HOUR_MS): number[] {
  return [...oldestPacks(cursors)]
    .filter(([hour, appended]) => now >= Math.max(hour + HOUR_MS, appended) + closeAfterMs)
    .map(([hour]) => hour)
    .sort((a, b) => a - b);
}

/** Some cursor lists so many packs for an hour that they should be one. */
export function hasCrowdedHours(cursors: readonly StoredCursor[]): boolean {
  return cursors.some(({ cursor }) => Object.values(cursor.open).some(isCrowded));
}

function isCrowded(indexes: readonly number[]): boolean {
  return indexes.length > CURSOR_LIMITS.packsPerHour;
}

/** Hour → append time of the oldest pack open in it. */
function oldestPacks(cursors: readonly StoredCursor[]): Map<number, number> {
  const oldest = new Map<number, number>();
  for (const { cursor } of cursors)
    for (const [stamped, indexes] of Object.entries(cursor.open)) {
      const hour = unstamp(stamped);
      for (const index of indexes)
        oldest.set(hour, Math.min(oldest.get(hour) ?? Number.POSITIVE_INFINITY, cursor.appended[index] ?? 0));
    }
  return oldest;
}

/** The same sources, cut into those of some models each. */
function byModels(sources: readonly GroupSource[]): { models: readonly string[]; sources: readonly GroupSource[] }[] {
  const all = [...new Set(sources.flatMap(({ entries }) => entries.map(({ model }) => model)))].sort();
  const parts: { models: readonly string[]; sources: readonly GroupSource[] }[] = [];
  for (let from = 0; from < all.length; from += MODELS_AT_ONCE) {
    const models = all.slice(from, from + MODELS_AT_ONCE);
    const of = sources.map((source) => ({
      ...source,
      entries: source.entries.filter(({ model }) => models.includes(model)),
    }));
    parts.push({ models, sources: of.filter(({ entries }) => entries.length > 0) });
  }
  return parts;
}

function leavesOf(sources: readonly { readonly leaves: readonly string[] }[]): string[] {
  return [...new Set(sources.flatMap(({ leaves }) => leaves))].sort();
}

function digestOf(leaves: readonly string[]): string {
  return createHash('sha256').update(leaves.join('\n')).digest('hex').slice(0, 32);
}

/** A key like a leaf's, over the positions of all its parts; its digest is that of the sorted inputs. */
function compactedKey(packs: readonly string[], partition: string, inputs: string): string {
  const parts = packs.map((key) => {
    const [, day = '', , file = ''] = key.split('/');
    const [first = '0', last = '0'] = file.split('-');
    return { day, first, last };
  });
  const first = parts.map((part) => part.first).sort(comparePositions)[0] ?? '0';
  const last =
    parts
      .map((part) => part.last)
      .sort(comparePositions)
      .at(-1) ?? '0';
  const day = parts.map((part) => part.day).sort()[0] ?? '';
  const digest = createHash('sha256').update(inputs).digest('hex');
  return keys.pack(Date.parse(`${day}T00:00:00Z`), partition, first, last, digest);
}
