/** CRC-32 (ISO 3309, as in gzip), seeded. Node has it built in from 20.15. */
import zlib from 'node:zlib';

const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** The same in plain code. O(bytes). */
export function portableCrc32(bytes: Uint8Array, seed = 0): number {
  let value = ~seed;
  for (let i = 0; i < bytes.length; i++) {
    value = (value >>> 8) ^ (TABLE[(value ^ (bytes[i] as number)) & 0xff] as number);
  }
  return ~value >>> 0;
}

export const crc32: (bytes: Uint8Array, seed?: number) => number = zlib.crc32 ?? portableCrc32;
