/**
 * The bytes of the log. All numbers are little endian; times are milliseconds since 1970.
 *
 * A segment is a head and then frames. A frame is what was written at once: appends are all in one frame or nowhere,
 * whatever partitions they go to. Within a frame the records of one partition are one block.
 *
 *   segment  magic[8] crc u32, head bytes u32, sequence u32, salt u32, identity[16], partitions u32, 0 u32,
 *            then the heads of the partitions where the segment begins
 *   heads    for each partition: next position f64, append time of the newest record f64 (NaN: never had one)
 *   frame    magic u32, crc u32 of the rest of the head, head bytes u32, body bytes u32, blocks u32, records u32,
 *            then for each block: partition u32, records u32, bytes u32, 0 u32, first position f64, newest append time f64
 *   record   crc u32 of the rest, data bytes u32, append time f64, data
 *
 * Checksums begin from the segment's random salt, and those of records also from their position: data that imitates a
 * frame is no frame, and a record is never taken for its neighbour.
 */
import { crc32 } from './checksum.ts';

export const FRAME_HEAD = 24;
export const BLOCK_HEAD = 32;
export const RECORD_HEAD = 16;
const SEGMENT_HEAD = 48;
const SEGMENT_MAGIC = Buffer.from('mlmlog\x01\n');
/** Begins with a byte that is not valid in UTF-8, so text never looks like it. */
export const FRAME_MAGIC = Buffer.from([0xf7, 0x46, 0x52, 0x4d]);
const FRAME_MAGIC_NUMBER = FRAME_MAGIC.readUInt32LE(0);

/** How far each partition goes, by its index in the partition table. */
export interface Heads {
  readonly next: number[];
  /** NaN where there never was a record. */
  readonly time: number[];
}

export interface SegmentHead {
  readonly sequence: number;
  readonly salt: number;
  /** UUID. */
  readonly identity: string;
  readonly heads: Heads;
  readonly bytes: number;
}

export interface Block {
  readonly partition: number;
  readonly records: number;
  readonly bytes: number;
  readonly first: number;
  readonly time: number;
  /** Where its first record begins in the file. */
  readonly offset: number;
}

export interface Frame {
  readonly offset: number;
  /** Where the next frame begins. */
  readonly end: number;
  readonly blocks: readonly Block[];
}

export const HEADS_ENTRY = 16;

export function writeHeads(buffer: Buffer, offset: number, heads: Heads): void {
  heads.next.forEach((next, i) => {
    buffer.writeDoubleLE(next, offset + i * HEADS_ENTRY);
    buffer.writeDoubleLE(heads.time[i] ?? Number.NaN, offset + i * HEADS_ENTRY + 8);
  });
}

export function readHeads(buffer: Buffer, offset: number, partitions: number): Heads {
  const next: number[] = [];
  const time: number[] = [];
  for (let i = 0; i < partitions; i++) {
    next.push(buffer.readDoubleLE(offset + i * HEADS_ENTRY));
    time.push(buffer.readDoubleLE(offset + i * HEADS_ENTRY + 8));
  }
  return { next, time };
}

export function encodeSegmentHead(head: Omit<SegmentHead, 'bytes'>): Buffer {
  const partitions = head.heads.next.length;
  const buffer = Buffer.alloc(SEGMENT_HEAD + partitions * HEADS_ENTRY);
  SEGMENT_MAGIC.copy(buffer);
  buffer.writeUInt32LE(buffer.length, 12);
  buffer.writeUInt32LE(head.sequence, 16);
  buffer.writeUInt32LE(head.salt, 20);
  Buffer.from(head.identity.replaceAll('-', ''), 'hex').copy(buffer, 24);
  buffer.writeUInt32LE(partitions, 40);
  writeHeads(buffer, SEGMENT_HEAD, head.heads);
  buffer.writeUInt32LE(crc32(buffer.subarray(12)), 8);
  return buffer;
}

/** Bytes of the head at the beginning of a segment, of which at least 48 are given; `null` when it is none. */
export function segmentHeadBytes(start: Buffer): number | null {
  if (start.length < SEGMENT_HEAD || !start.subarray(0, 8).equals(SEGMENT_MAGIC)) return null;
  const bytes = start.readUInt32LE(12);
  return bytes >= SEGMENT_HEAD && bytes <= SEGMENT_HEAD + 65_536 * HEADS_ENTRY ? bytes : null;
}

/** `null` when the head is damaged. */
export function decodeSegmentHead(buffer: Buffer): SegmentHead | null {
  const bytes = segmentHeadBytes(buffer);
  if (bytes === null || buffer.length < bytes) return null;
  const partitions = buffer.readUInt32LE(40);
  if (SEGMENT_HEAD + partitions * HEADS_ENTRY !== bytes) return null;
  if (crc32(buffer.subarray(12, bytes)) !== buffer.readUInt32LE(8)) return null;
  return {
    sequence: buffer.readUInt32LE(16),
    salt: buffer.readUInt32LE(20),
    identity: buffer.toString('hex', 24, 40).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    heads: readHeads(buffer, SEGMENT_HEAD, partitions),
    bytes,
  };
}

/** Writes the head of a frame whose blocks follow one another right after it. Returns the bytes of the head. */
export function writeFrameHead(buffer: Buffer, blocks: readonly Omit<Block, 'offset'>[], salt: number): number {
  const head = FRAME_HEAD + blocks.length * BLOCK_HEAD;
  let body = 0;
  let records = 0;
  blocks.forEach((block, i) => {
    const at = FRAME_HEAD + i * BLOCK_HEAD;
    buffer.writeUInt32LE(block.partition, at);
    buffer.writeUInt32LE(block.records, at + 4);
    buffer.writeUInt32LE(block.bytes, at + 8);
    buffer.writeUInt32LE(0, at + 12);
    buffer.writeDoubleLE(block.first, at + 16);
    buffer.writeDoubleLE(block.time, at + 24);
    body += block.bytes;
    records += block.records;
  });
  buffer.writeUInt32LE(FRAME_MAGIC_NUMBER, 0);
  buffer.writeUInt32LE(head, 8);
  buffer.writeUInt32LE(body, 12);
  buffer.writeUInt32LE(blocks.length, 16);
  buffer.writeUInt32LE(records, 20);
  buffer.writeUInt32LE(crc32(buffer.subarray(8, head), salt), 4);
  return head;
}

/** Bytes of the head of a frame, given its first 24; `null` when no frame begins here. */
export function frameHeadBytes(start: Buffer): number | null {
  if (start.length < FRAME_HEAD || start.readUInt32LE(0) !== FRAME_MAGIC_NUMBER) return null;
  const head = start.readUInt32LE(8);
  const blocks = start.readUInt32LE(16);
  return blocks <= 65_536 && head === FRAME_HEAD + blocks * BLOCK_HEAD ? head : null;
}

/** `null` when the head is damaged. `offset`: where the frame begins in the file. */
export function decodeFrame(head: Buffer, offset: number, salt: number): Frame | null {
  if (crc32(head.subarray(8), salt) !== head.readUInt32LE(4)) return null;
  const blocks: Block[] = [];
  let at = offset + head.length;
  for (let i = FRAME_HEAD; i < head.length; i += BLOCK_HEAD) {
    const bytes = head.readUInt32LE(i + 8);
    blocks.push({
      partition: head.readUInt32LE(i),
      records: head.readUInt32LE(i + 4),
      bytes,
      first: head.readDoubleLE(i + 16),
      time: head.readDoubleLE(i + 24),
      offset: at,
    });
    at += bytes;
  }
  return { offset, end: at, blocks };
}

export function writeRecord(
  buffer: Buffer,
  offset: number,
  record: { readonly data: Uint8Array; readonly time: number; readonly position: number },
  salt: number,
): number {
  const end = offset + RECORD_HEAD + record.data.length;
  buffer.writeUInt32LE(record.data.length, offset + 4);
  buffer.writeDoubleLE(record.time, offset + 8);
  buffer.set(record.data, offset + RECORD_HEAD);
  buffer.writeUInt32LE(crc32(buffer.subarray(offset + 4, end), recordSeed(salt, record.position)), offset);
  return end;
}

/** Whether a whole record, head and data, is what was written at this position. */
export function isIntact(record: Buffer, salt: number, position: number): boolean {
  return crc32(record.subarray(4), recordSeed(salt, position)) === record.readUInt32LE(0);
}

function recordSeed(salt: number, position: number): number {
  return (salt ^ (position % 4_294_967_296)) >>> 0;
}
