/**
 * Which partition takes a key: each open partition owns a half-open range of a 32-bit hash space.
 * Splitting or merging closes the old ones and opens children, so the order of equal keys is kept across the change
 * as long as a reader finishes the parents first.
 */

const SPACE = 2 ** 32;

export interface PartitionEntry {
  readonly id: string;
  readonly parents: readonly string[];
  readonly closed: boolean;
  /** Hash range [from, to) within [0, 2^32]. */
  readonly from: number;
  readonly to: number;
}

/** Uniform 32-bit hash of a key: FNV-1a over UTF-16 code units, then the finaliser of MurmurHash3. */
export function keyHash(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** `count` open partitions `p0`, `p1`, … that share the hash space equally. */
export function initialPartitions(count: number): PartitionEntry[] {
  if (!Number.isInteger(count) || count < 1 || count > 1024) {
    throw new RangeError(`partitions: wrong number, got ${count}; expected an integer from 1 to 1024`);
  }
  return Array.from({ length: count }, (_, i) => ({
    id: `p${i}`,
    parents: [],
    closed: false,
    from: Math.floor((SPACE * i) / count),
    to: Math.floor((SPACE * (i + 1)) / count),
  }));
}

/** Index of the open partition that takes this key. */
export function routeKey(table: readonly PartitionEntry[], key: string): number {
  const hash = keyHash(key);
  const index = table.findIndex((entry) => !entry.closed && hash >= entry.from && hash < entry.to);
  if (index === -1) throw new Error(`partition table: no open partition for hash ${hash}`);
  return index;
}

/** The table after one open partition is closed and its range is divided between two children. */
export function splitPartition(table: readonly PartitionEntry[], id: string): PartitionEntry[] {
  const parent = openEntry(table, id);
  const middle = Math.floor((parent.from + parent.to) / 2);
  if (middle === parent.from) throw new RangeError(`partition ${id}: its hash range is too small to split`);
  const child = (offset: number, from: number, to: number): PartitionEntry => ({
    id: `p${table.length + offset}`,
    parents: [id],
    closed: false,
    from,
    to,
  });
  return [...close(table, [id]), child(0, parent.from, middle), child(1, middle, parent.to)];
}

/** The table after two open neighbours are closed and one child takes both ranges. */
export function mergePartitions(table: readonly PartitionEntry[], left: string, right: string): PartitionEntry[] {
  const [low, high] = [openEntry(table, left), openEntry(table, right)].sort((a, b) => a.from - b.from);
  if (low === undefined || high === undefined || low.to !== high.from) {
    throw new RangeError(`partitions ${left}, ${right}: not neighbours in the hash space; merge neighbours only`);
  }
  return [
    ...close(table, [left, right]),
    { id: `p${table.length}`, parents: [low.id, high.id], closed: false, from: low.from, to: high.to },
  ];
}

function close(table: readonly PartitionEntry[], ids: readonly string[]): PartitionEntry[] {
  return table.map((entry) => (ids.includes(entry.id) ? { ...entry, closed: true } : entry));
}

function openEntry(table: readonly PartitionEntry[], id: string): PartitionEntry {
  const entry = table.find((candidate) => candidate.id === id);
  if (entry === undefined || entry.closed) {
    const open = table.filter((candidate) => !candidate.closed).map((candidate) => candidate.id);
    throw new RangeError(`partition ${id}: not an open partition; expected one of ${open.join(', ')}`);
  }
  return entry;
}
