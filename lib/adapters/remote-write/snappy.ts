/**
 * The snappy block format, which remote write demands: the length as a varint, then elements. Repetitions become copies of what came
 * up to 64 kB before; all else is literal. Series of one model repeat names and labels, so a body shrinks to about a tenth.
 */
import { varint } from './write-request.ts';

const TABLE_BITS = 14;
/** A shorter one saves next to nothing: it costs three bytes, and another tag for what follows. */
const SHORTEST_COPY = 8;
const LONGEST_COPY = 64;
const FARTHEST = 65_535;

export function snappyBlock(input: Uint8Array): Uint8Array {
  const out: Uint8Array[] = [varint(BigInt(input.length))];
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  /** Where four bytes of this hash were seen last, plus one. */
  const table = new Int32Array(1 << TABLE_BITS);
  let literalFrom = 0;
  let at = 0;
  while (at + 4 <= input.length) {
    const four = view.getUint32(at, true);
    const slot = Math.imul(four, 0x1e35_a7bd) >>> (32 - TABLE_BITS);
    const before = (table[slot] ?? 0) - 1;
    table[slot] = at + 1;
    if (before < 0 || at - before > FARTHEST || view.getUint32(before, true) !== four) {
      at++;
      continue;
    }
    let length = 4;
    while (at + length < input.length && input[before + length] === input[at + length]) length++;
    if (length < SHORTEST_COPY) {
      at++;
      continue;
    }
    addLiteral(out, input.subarray(literalFrom, at));
    addCopy(out, at - before, length);
    at += length;
    literalFrom = at;
  }
  addLiteral(out, input.subarray(literalFrom));
  return Buffer.concat(out);
}

function addLiteral(out: Uint8Array[], bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  const last = bytes.length - 1;
  if (last < 60) out.push(Uint8Array.of(last << 2));
  else if (last < 1 << 8) out.push(Uint8Array.of(60 << 2, last));
  else if (last < 1 << 16) out.push(Uint8Array.of(61 << 2, last & 0xff, last >> 8));
  else if (last < 1 << 24) out.push(Uint8Array.of(62 << 2, last & 0xff, (last >> 8) & 0xff, last >> 16));
  else out.push(Uint8Array.of(63 << 2, last & 0xff, (last >> 8) & 0xff, (last >> 16) & 0xff, last >>> 24));
  out.push(bytes);
}

/** Copies with an offset of two bytes, 1 to 64 bytes each. */
function addCopy(out: Uint8Array[], offset: number, length: number): void {
  for (let rest = length; rest > 0; ) {
    const part = Math.min(rest, LONGEST_COPY);
    out.push(Uint8Array.of(((part - 1) << 2) | 2, offset & 0xff, offset >> 8));
    rest -= part;
  }
}
