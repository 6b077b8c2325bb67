/**
 * A hash of text for sketches and for choosing which of many names to keep. Not cryptographic: an adversary can find
 * collisions, which costs accuracy of an estimate and never correctness, since ties are broken by the text itself.
 *
 * Two lanes of 32 bits, multiply and xor over the code units, each finished with the mixer of MurmurHash3; 52 bits are
 * kept so that a hash is one double. Linear in the length. Any text is taken, lone surrogates too.
 */

/** Uniform in [0, 2^52). */
export function hash52(text: string): number {
  let a = 0x9e3779b9 ^ text.length;
  let b = 0x85ebca6b;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul((b ^ unit) + (a >>> 15), 0x5bd1e995);
  }
  a ^= b >>> 13;
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  a ^= a >>> 16;
  b ^= a;
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b);
  b = Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b ^= b >>> 16;
  return (a >>> 0) * 0x100000 + (b >>> 12);
}
