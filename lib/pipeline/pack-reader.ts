/**
 * Reading packs and stored profiles: their index first, then only the bodies that are needed. A stored profile and a compacted pack are
 * packs as well; they name the leaf packs whose rows they hold in an entry of its own.
 */
import {
  CorruptPackError,
  decodePackIndex,
  encodePack,
  PACK_PREFIX_BYTES,
  type PackEntry,
  type PackIndexEntry,
  packHeadLength,
  verifyPackBody,
} from '../engine/pack.ts';
import type { ObjectStore } from './ports.ts';

/** What an object holds, and of which leaf packs. */
export interface PackContent {
  readonly key: string;
  /** Sorted; a leaf pack's own key for itself. */
  readonly leaves: readonly string[];
  readonly entries: readonly PackIndexEntry[];
  readonly byModel: ReadonlyMap<string, readonly PackIndexEntry[]>;
}

/** A pack that a cursor or a stored profile names is not in the store. */
export class MissingPackError extends Error {
  override readonly name = 'MissingPackError';
}

/** Read at once: the head of most packs, all of most stored profiles. */
const FIRST_BYTES = 65_536;
/** Of all remembered objects together: entries of their indexes, and bytes of those that were read whole. */
const REMEMBERED_ENTRIES = 400_000;
const REMEMBERED_BYTES = 32 * 1_048_576;
/** Bodies less than this apart are read in one request. */
const BRIDGED_BYTES = 16_384;
/** Of one read that serves several models, and of all such reads that are kept. */
const SHARED_BYTES = 2 * 1_048_576;
const KEPT_BYTES = 64 * 1_048_576;

/** Model names are never empty, so this entry cannot be mistaken for rows. */
const LEAVES = { model: '', version: 'leaves', grainStart: 0, stage: 0, shapeDigest: '0000000000000000', rows: 0 };

/** A pack made of others: equal entries and leaves have equal bytes. */
export function encodeMerged(entries: readonly PackEntry[], leaves: readonly string[]): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify([...leaves].sort()));
  return encodePack([...entries, { ...LEAVES, body }], []);
}

interface Remembered {
  readonly content: PackContent;
  /** The whole object, when it was short. */
  readonly bytes: Uint8Array | null;
}

/** A part of an object that holds the bodies of several models. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array | null>;
}

export class PackReader {
  readonly #store: ObjectStore;
  /** Models whose bodies are read with one another's. */
  #together: ReadonlySet<string> = new Set();
  /** By object; `null` where their bodies lie too far apart. */
  readonly #stretches = new Map<string, Stretch | null>();
  #kept = 0;
  /** Objects are immutable; the least recently used go first. */
  readonly #remembered = new Map<string, Remembered>();
  #entries = 0;
  #bytes = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /**
   * From now on these models are worked on: where their bodies lie side by side in an object, one request reads those of all. Entries are
   * sorted by model, so that is where their names are neighbours.
   */
  together(models: readonly string[]): void {
    this.#together = new Set(models);
    this.#forgetStretches();
  }

  /**
   * The index of an object.
   * @throws MissingPackError, CorruptPackError, UnsupportedVersionError
   */
  async content(key: string): Promise<PackContent> {
    return (await this.#open(key)).content;
  }

  /**
   * The encoded profiles of some entries of an object, in their order, checksums verified.
   * @throws MissingPackError, CorruptPackError
   */
  async bodies(key: string, entries: readonly PackIndexEntry[]): Promise<Uint8Array[]> {
    const { bytes, content } = await this.#open(key);
    if (bytes !== null) return entries.map((entry) => verifyPackBody(entry, bytes.subarray(entry.start, entry.end)));
    const stretch = entries.every(({ model }) => this.#together.has(model)) ? this.#stretch(content) : null;
    if (stretch !== null && entries.every(({ start, end }) => start >= stretch.start && end <= stretch.end)) {
      const shared = await stretch.bytes;
      if (shared === null) throw missing(key);
      return entries.map((entry) =>
        verifyPackBody(entry, shared.subarray(entry.start - stretch.start, entry.end - stretch.start)),
      );
    }
    const bodies = new Map<PackIndexEntry, Uint8Array>();
    const ordered = [...entries].sort((a, b) => a.start - b.start);
    for (let from = 0; from < ordered.length; ) {
      const first = ordered[from] as PackIndexEntry;
      let to = from + 1;
      let { end } = first;
      for (let next = ordered[to]; next !== undefined && next.start <= end + BRIDGED_BYTES; next = ordered[++to])
        end = Math.max(end, next.end);
      const range = await this.#store.getRange(key, first.start, end);
      if (range === null) throw missing(key);
      for (const entry of ordered.slice(from, to))
        bodies.set(entry, verifyPackBody(entry, range.subarray(entry.start - first.start, entry.end - first.start)));
      from = to;
    }
    return entries.map((entry) => bodies.get(entry) as Uint8Array);
  }

  /** Reads it when it is first asked for; all who ask wait for the same request. */
  #stretch({ key, byModel }: PackContent): Stretch | null {
    const known = this.#stretches.get(key);
    if (known !== undefined) return known;
    const entries = [...this.#together].flatMap((model) => byModel.get(model) ?? []);
    const start = Math.min(...entries.map((entry) => entry.start));
    const end = Math.max(...entries.map((entry) => entry.end));
    const wanted = entries.reduce((sum, entry) => sum + entry.end - entry.start, 0);
    let stretch: Stretch | null = null;
    if (entries.length > 1 && end - start <= Math.min(SHARED_BYTES, 2 * wanted)) {
      if (this.#kept + end - start > KEPT_BYTES) this.#forgetStretches();
      this.#kept += end - start;
      stretch = { start, end, bytes: this.#store.getRange(key, start, end) };
      // Whoever asks is told; one that failed is not kept.
      stretch.bytes.catch(() => this.#stretches.delete(key));
    }
    this.#stretches.set(key, stretch);
    return stretch;
  }

  #forgetStretches(): void {
    this.#stretches.clear();
    this.#kept = 0;
  }

  async #open(key: string): Promise<Remembered> {
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      this.#remembered.delete(key);
      this.#remembered.set(key, known);
      return known;
    }
    let head = await this.#store.getRange(key, 0, FIRST_BYTES);
    if (head === null) throw missing(key);
    if (head.length < PACK_PREFIX_BYTES) throw new CorruptPackError(`${key}: ${head.length} bytes are no pack`);
    const length = packHeadLength(head);
    if (length > head.length) head = (await this.#store.getRange(key, 0, length)) ?? head;
    const index = decodePackIndex(head);
    const bytes = index.length <= head.length ? head : null;
    const own = index.entries.find(isLeaves);
    const entries = own === undefined ? index.entries : index.entries.filter((entry) => entry !== own);
    const content: PackContent = {
      key,
      leaves: own === undefined ? [key] : await this.#leaves(key, own, bytes),
      entries,
      byModel: grouped(entries),
    };
    const opened = { content, bytes };
    this.#remember(opened);
    return opened;
  }

  async #leaves(key: string, entry: PackIndexEntry, bytes: Uint8Array | null): Promise<string[]> {
    const body = bytes?.subarray(entry.start, entry.end) ?? (await this.#store.getRange(key, entry.start, entry.end));
    if (body === null) throw missing(key);
    return JSON.parse(new TextDecoder().decode(verifyPackBody(entry, body))) as string[];
  }

  #remember(opened: Remembered): void {
    this.#remembered.set(opened.content.key, opened);
    this.#count(opened, 1);
    for (const [key, oldest] of this.#remembered) {
      if ((this.#entries <= REMEMBERED_ENTRIES && this.#bytes <= REMEMBERED_BYTES) || oldest === opened) return;
      this.#remembered.delete(key);
      this.#count(oldest, -1);
    }
  }

  #count({ content, bytes }: Remembered, sign: number): void {
    this.#entries += sign * (content.entries.length + content.leaves.length);
    this.#bytes += sign * (bytes?.byteLength ?? 0);
  }
}

/** A pack that is missing, damaged or of a newer release: its hour waits, everything else goes on. */
export function isUnreadable(error: unknown): boolean {
  const names = ['CorruptPackError', 'UnsupportedVersionError', 'MissingPackError'];
  return error instanceof Error && names.includes(error.name);
}

function grouped(entries: readonly PackIndexEntry[]): Map<string, PackIndexEntry[]> {
  const groups = new Map<string, PackIndexEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.model);
    if (group === undefined) groups.set(entry.model, [entry]);
    else group.push(entry);
  }
  return groups;
}

function isLeaves({ model, version }: PackIndexEntry): boolean {
  return model === LEAVES.model && version === LEAVES.version;
}

function missing(key: string): MissingPackError {
  return new MissingPackError(`${key}: named by a cursor or a stored profile, but not in the store; restore it`);
}
