/** Draws of counts: so many rows over given shares, by rows when they are few (Walker's alias method), else by binomials. */
import type { Random } from '../../lib/stats/random.ts';

export interface ShareTable {
  readonly shares: Float64Array;
  /** For each place the share of all that comes after it, itself included. */
  readonly rest: Float64Array;
  /** Walker's tables. */
  readonly keep: Float64Array;
  readonly alias: Int32Array;
}

/** A binomial costs about as much as so many rows. */
const ROWS_OF_A_BINOMIAL = 8;

export function shareTable(shares: Float64Array): ShareTable {
  const size = shares.length;
  const rest = new Float64Array(size);
  let sum = 0;
  for (let i = size - 1; i >= 0; i--) {
    sum += shares[i]!;
    rest[i] = sum;
  }
  const keep = new Float64Array(size).fill(1);
  const alias = Int32Array.from({ length: size }, (_, i) => i);
  const scaled = shares.map((share) => (share / sum) * size);
  const few: number[] = [];
  const many: number[] = [];
  scaled.forEach((value, i) => {
    (value < 1 ? few : many).push(i);
  });
  while (few.length > 0 && many.length > 0) {
    const poor = few.pop()!;
    const rich = many.at(-1)!;
    keep[poor] = scaled[poor]!;
    alias[poor] = rich;
    scaled[rich]! -= 1 - scaled[poor]!;
    if (scaled[rich]! < 1) few.push(many.pop()!);
  }
  return { shares, rest, keep, alias };
}

/** Adds `rows` rows to `counts[offset …]`. */
export function drawCounts(
  random: Random,
  { shares, rest, keep, alias }: ShareTable,
  rows: number,
  counts: Int32Array,
  offset: number,
): void {
  const size = shares.length;
  if (rows < ROWS_OF_A_BINOMIAL * size) {
    for (let row = 0; row < rows; row++) {
      const u = random.next() * size;
      const place = Math.floor(u);
      counts[offset + (u - place < keep[place]! ? place : alias[place]!)]!++;
    }
    return;
  }
  let left = rows;
  for (let i = 0; i < size && left > 0; i++) {
    const share = shares[i]!;
    if (share === 0) continue;
    const drawn = share >= rest[i]! ? left : random.binomial(left, share / rest[i]!);
    counts[offset + i]! += drawn;
    left -= drawn;
  }
}
