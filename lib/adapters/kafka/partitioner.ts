/** The partition of a key as the Java client chooses it by default, so that our producers and others agree. */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** MurmurHash2, 32 bits, with the seed of `org.apache.kafka.common.utils.Utils.murmur2`; signed. */
export function murmur2(data: Uint8Array): number {
  const { length } = data;
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let k =
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    k = Math.imul(k, M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = length & 3;
  if (rest === 3) hash ^= (data[whole + 2] as number) << 16;
  if (rest >= 2) hash ^= (data[whole + 1] as number) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (data[whole] as number), M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** `toPositive(murmur2(key)) % partitions`: in [0, partitions). */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
