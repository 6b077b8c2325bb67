/**
 * Which stored objects to read for one grain so that every leaf pack counts exactly once, although merged profiles and compacted packs
 * repeat what leaves hold.
 */
export interface Covering {
  readonly key: string;
  /** Keys of the leaf packs whose rows it holds; of a leaf itself, its own key. */
  readonly leaves: readonly string[];
}

/**
 * The largest sources that do not overlap, and the leaves that they leave out one by one. Deterministic.
 * Linear in the number of leaves named.
 */
export function coverOf(sources: readonly Covering[]): string[] {
  const bySize = [...sources].sort((a, b) => b.leaves.length - a.leaves.length || (a.key < b.key ? -1 : 1));
  const covered = new Set<string>();
  const chosen = new Set<string>();
  const partly: Covering[] = [];
  for (const source of bySize) {
    const known = source.leaves.reduce((count, leaf) => count + (covered.has(leaf) ? 1 : 0), 0);
    if (known === source.leaves.length) continue;
    if (known > 0) {
      partly.push(source);
      continue;
    }
    chosen.add(source.key);
    for (const leaf of source.leaves) covered.add(leaf);
  }
  for (const { leaves } of partly)
    for (const leaf of leaves) {
      if (covered.has(leaf)) continue;
      covered.add(leaf);
      chosen.add(leaf);
    }
  return [...chosen].sort();
}
