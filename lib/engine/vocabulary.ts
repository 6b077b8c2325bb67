/**
 * The bin of a category. Parsing makes new strings, so a Map would hash each of them whole; here its end and its length choose
 * the place, and one comparison decides. Where that crowds (`user-000001`, `user-000002`, …), the whole text chooses it.
 */
import { hash52 } from './hash.ts';

/** Places that may be looked at for one category before the whole text is hashed instead. */
const CROWDED = 6;

export class Vocabulary {
  private readonly words: readonly string[];
  /** Bin by place, -1 where there is none; at least four times as many places as words. */
  private places: Int32Array;
  private readonly whole: boolean;

  /** `words`: distinct; their positions are their bins. */
  constructor(words: readonly string[]) {
    this.words = words;
    this.places = this.place(glance);
    this.whole = this.longestSearch(glance) > CROWDED;
    if (this.whole) this.places = this.place(hash52);
  }

  /** -1 when it is not in the vocabulary. */
  find(word: string): number {
    const { places, words } = this;
    const last = places.length - 1;
    let at = (this.whole ? hash52(word) : glance(word)) & last;
    for (;;) {
      const bin = places[at]!;
      if (bin < 0 || words[bin] === word) return bin;
      at = (at + 1) & last;
    }
  }

  private place(hash: (word: string) => number): Int32Array {
    const places = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(4 * this.words.length, 4)))).fill(-1);
    for (const [bin, word] of this.words.entries()) {
      let at = hash(word) & (places.length - 1);
      while (places[at]! >= 0) at = (at + 1) & (places.length - 1);
      places[at] = bin;
    }
    return places;
  }

  private longestSearch(hash: (word: string) => number): number {
    let longest = 0;
    for (const [bin, word] of this.words.entries()) {
      let length = 1;
      for (let at = hash(word); this.places[at & (this.places.length - 1)] !== bin; at++) length++;
      longest = Math.max(longest, length);
    }
    return longest;
  }
}

/** From the length and the last two code units. */
function glance(word: string): number {
  const { length } = word;
  if (length < 2) return length === 0 ? 0 : word.charCodeAt(0);
  return (
    Math.imul(word.charCodeAt(length - 1) + (word.charCodeAt(length - 2) << 8) + (length << 16), 0x9e3779b1) >>> 15
  );
}
