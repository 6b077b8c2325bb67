/**
 * Snappy as Java producers and brokers write it: blocks in a frame of their own (that of snappy-java), where the client expects one bare
 * block and would fail on it.
 */

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
/** The magic and two versions of four bytes each. */
const HEADER_BYTES = 16;

/** @param block decodes one bare block */
export function decodeFramedSnappy(data: Buffer, block: (data: Buffer) => Buffer): Buffer {
  if (data.length < HEADER_BYTES || !data.subarray(0, MAGIC.length).equals(MAGIC)) return block(data);
  const parts: Buffer[] = [];
  for (let at = HEADER_BYTES; at < data.length; ) {
    const length = at + 4 <= data.length ? data.readInt32BE(at) : -1;
    const end = at + 4 + length;
    if (length < 0 || end > data.length)
      throw new Error(
        `snappy: a block of ${length} bytes at byte ${at} of ${data.length}; expected it to end with the data`,
      );
    parts.push(block(data.subarray(at + 4, end)));
    at = end;
  }
  return Buffer.concat(parts);
}
