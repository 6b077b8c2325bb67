/**
 * A hash of text for sketches and for choosing which of many names to keep. Not cryptographic: an adversary can find
 * collisions, which costs accuracy of an estimate and never correctness, since ties are broken by the text itself.
 *
 * Two lanes of 32 bits take turns over the code units (FNV-1a with two primes), then each is mixed with the other by the
 * finisher of MurmurHash3; 52 bits are kept, so that a hash is one double. Linear in the length; any text, lone surrogates too.
 */

/** Uniform in [0, 2^52). */
export function hash52(text: string): number {
  const { length } = text;
  let a = 0x811c9dc5 ^ length;
  let b = 0x9e3779b9;
  let i = 0;
  for (; i + 1 < length; i += 2) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i + 1), 0x5bd1e995);
  }
  if (i < length) a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
  a = mixed(a ^ (b >>> 15));
  b = mixed(b ^ a);
  return (a >>> 0) * 0x100000 + (b >>> 12);
}

function mixed(lane: number): number {
  let x = lane ^ (lane >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
