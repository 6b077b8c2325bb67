/**
 * Keeps what belongs to the K texts with the smallest hash among all that were ever claimed, whatever the order.
 * A text of the final K has been among the K since it was first claimed, so what is kept for it is complete:
 * its counts are exact, and merging in any order gives the same (bottom-k sampling).
 */
import { hash52 } from './hash.ts';

interface Entry<T> {
  readonly text: string;
  readonly hash: number;
  readonly value: T;
}

export class SmallestHash<T> {
  readonly limit: number;
  private readonly entries = new Map<string, Entry<T>>();
  /** The entry that goes next; known when full. */
  private worst: Entry<T> | null = null;

  /** `limit`: K ≥ 1. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.entries.size;
  }

  /** What is kept for `text`, made if it is new and among the smallest; `null` when it is not kept. */
  claim(text: string, make: () => T): T | null {
    const known = this.entries.get(text);
    if (known !== undefined) return known.value;
    const hash = hash52(text);
    if (this.worst !== null) {
      if (!before(hash, text, this.worst)) return null;
      this.entries.delete(this.worst.text);
    }
    const entry = { text, hash, value: make() };
    this.entries.set(text, entry);
    if (this.entries.size === this.limit) this.worst = this.sorted().at(-1) ?? null;
    return entry.value;
  }

  /** Ascending by hash, ties by code units: the same for the same content. */
  sorted(): Entry<T>[] {
    return [...this.entries.values()].sort((a, b) => (before(a.hash, a.text, b) ? -1 : 1));
  }
}

function before(hash: number, text: string, other: { readonly text: string; readonly hash: number }): boolean {
  return hash === other.hash ? text < other.text : hash < other.hash;
}
