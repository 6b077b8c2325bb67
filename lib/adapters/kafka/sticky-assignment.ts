/**
 * Who reads which partition: as even as can be, and everybody keeps what can be kept. Members go on reading while it is decided, and give
 * up only what moves, so a rebalance stops nobody. Pure.
 */

/** What a member tells when it joins, in the user data of the protocol. */
export interface Owned {
  readonly partitions: readonly number[];
}

/** Name of the protocol: a group whose members speak another does not let us in. */
export const PROTOCOL = 'mlmon-sticky';

const MOST_PARTITIONS = 100_000;

export function encodeOwned(owned: Owned): Buffer {
  return Buffer.from(JSON.stringify({ partitions: owned.partitions }));
}

/** What cannot be read owns nothing: the member then gets whatever is left. */
export function decodeOwned(data: Uint8Array | string | null | undefined): Owned {
  try {
    const value: unknown = JSON.parse(Buffer.from(data ?? '').toString('utf8'));
    const partitions = (value as { readonly partitions?: unknown } | null)?.partitions;
    if (!Array.isArray(partitions) || partitions.length > MOST_PARTITIONS) return { partitions: [] };
    return { partitions: partitions.filter((one): one is number => Number.isInteger(one) && one >= 0) };
  } catch {
    return { partitions: [] };
  }
}

/**
 * @param members what each owned; two may claim the same partition, of which the first by name keeps it
 * @param count partitions 0 … count − 1
 * @returns of every member its partitions, ascending; the numbers of two members differ by at most one
 */
export function assignSticky(members: ReadonlyMap<string, Owned>, count: number): Map<string, number[]> {
  const names = [...members.keys()].sort();
  const least = Math.floor(count / names.length);
  /** So many members get one more than the least. */
  let more = count % names.length;
  const claimed = new Set<number>();
  const wishes = names.map((name) => {
    const mine = [...new Set(members.get(name)?.partitions ?? [])]
      .filter((partition) => partition < count && !claimed.has(partition))
      .sort((a, b) => a - b);
    for (const partition of mine) claimed.add(partition);
    return { name, mine };
  });
  const result = new Map<string, number[]>(names.map((name) => [name, []]));
  const taken = new Set<number>();
  // Who has most is asked first, so that one more goes to those who need not give it up.
  for (const { name, mine } of [...wishes].sort((a, b) => b.mine.length - a.mine.length)) {
    const hasMore = more > 0 && mine.length > least;
    if (hasMore) more--;
    const kept = mine.slice(0, hasMore ? least + 1 : least);
    for (const partition of kept) taken.add(partition);
    result.set(name, kept);
  }
  const free = Array.from({ length: count }, (_, partition) => partition).filter((partition) => !taken.has(partition));
  for (const name of names) {
    const mine = result.get(name) as number[];
    if (mine.length < least) mine.push(...free.splice(0, least - mine.length));
  }
  for (const name of names) {
    const mine = result.get(name) as number[];
    if (more > 0 && mine.length === least && free.length > 0) {
      mine.push(...free.splice(0, 1));
      more--;
    }
    mine.sort((a, b) => a - b);
  }
  return result;
}
