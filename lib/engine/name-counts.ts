/** Exact counts of the K names with the smallest hash among all that were added. */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { SmallestHash } from './smallest-hash.ts';

interface Tally {
  count: number;
}
const newTally = (): Tally => ({ count: 0 });

export class NameCounts {
  private readonly tallies: SmallestHash<Tally>;

  constructor(limit: number) {
    this.tallies = new SmallestHash(limit);
  }

  get size(): number {
    return this.tallies.size;
  }

  add(name: string, count: number): void {
    const tally = this.tallies.claim(name, newTally);
    if (tally !== null) tally.count += count;
  }

  merge(other: NameCounts): void {
    for (const { text, value } of other.tallies.sorted()) this.add(text, value.count);
  }

  /** Most frequent first, ties by code units. */
  top(): (readonly [name: string, count: number])[] {
    return this.tallies
      .sorted()
      .map(({ text, value }) => [text, value.count] as const)
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  }

  write(writer: ByteWriter): void {
    const sorted = this.tallies.sorted();
    writer.varint(sorted.length);
    for (const { text, value } of sorted) {
      writer.text(text);
      writer.varint(value.count);
    }
  }

  /** `total`: what the counts must not exceed together. */
  static read(reader: ByteReader, limit: number, total: number): NameCounts {
    const names = new NameCounts(limit);
    const size = reader.varint();
    if (size > limit) throw reader.corrupt('too many names');
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const name = reader.text();
      const count = reader.varint();
      sum += count;
      names.add(name, count);
      if (count === 0 || sum > total || names.size !== i + 1) throw reader.corrupt('counts of names do not add up');
    }
    return names;
  }
}
