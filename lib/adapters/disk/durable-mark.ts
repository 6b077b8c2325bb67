/**
 * How far the log was acknowledged, in a small file that is overwritten in place after each group.
 * It tells readers in other processes what they may read, and a recovery whether damaged bytes at the end are a torn
 * write, which nobody was told of, or a loss. It is not synced: after a power cut it may be old, never ahead of what was
 * synced.
 *
 *   magic u32, crc u32 of the rest, segment u32, partitions u32, offset f64, then the heads of the partitions
 */
import { readFileSync, write, writeSync } from 'node:fs';
import { crc32 } from './checksum.ts';
import { HEADS_ENTRY, type Heads, readHeads, writeHeads } from './segment-format.ts';

const MAGIC = 0x6b72616d;
const HEAD = 24;

export interface DurableMark {
  readonly segment: number;
  /** End of the last acknowledged frame in that segment. */
  readonly offset: number;
  readonly heads: Heads;
}

export class DurableMarkWriter {
  readonly #file: number;
  readonly #inBackground: boolean;
  #buffer = Buffer.alloc(HEAD);
  /** Being written, and the newest that came meanwhile. */
  #writing: Promise<void> | null = null;
  #next: DurableMark | null = null;

  /**
   * `inBackground`: never makes the process wait for the disk. Other processes then see marks a little later, and a mark may be skipped for a
   * newer one.
   */
  constructor(file: number, inBackground = false) {
    this.#file = file;
    this.#inBackground = inBackground;
  }

  write(mark: DurableMark): void {
    if (!this.#inBackground) {
      const length = this.#encode(mark);
      writeSync(this.#file, this.#buffer, 0, length, 0);
      return;
    }
    this.#next = mark;
    this.#writing ??= this.#writeNewest();
  }

  /** Resolves when what was marked is written, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeNewest(): Promise<void> {
    for (let mark = this.#next; mark !== null; mark = this.#next) {
      this.#next = null;
      const length = this.#encode(mark);
      // A mark that cannot be written is an old mark.
      await new Promise<void>((resolve) => write(this.#file, this.#buffer, 0, length, 0, () => resolve()));
    }
    this.#writing = null;
  }

  /** Into the buffer; returns its length. */
  #encode(mark: DurableMark): number {
    const partitions = mark.heads.next.length;
    const length = HEAD + partitions * HEADS_ENTRY;
    if (this.#buffer.length !== length) this.#buffer = Buffer.alloc(length);
    const buffer = this.#buffer;
    buffer.writeUInt32LE(MAGIC, 0);
    buffer.writeUInt32LE(mark.segment, 8);
    buffer.writeUInt32LE(partitions, 12);
    buffer.writeDoubleLE(mark.offset, 16);
    writeHeads(buffer, HEAD, mark.heads);
    buffer.writeUInt32LE(crc32(buffer.subarray(8)), 4);
    return length;
  }
}

/** `null` when there is none or it is damaged. */
export function readDurableMark(path: string): DurableMark | null {
  // Read while it is written it can be half old and half new: the checksum tells, and the next attempt is past it.
  for (let attempt = 0; attempt < 5; attempt++) {
    let buffer: Buffer;
    try {
      buffer = readFileSync(path);
    } catch {
      return null;
    }
    const mark = decode(buffer);
    if (mark !== null) return mark;
  }
  return null;
}

function decode(buffer: Buffer): DurableMark | null {
  if (buffer.length < HEAD || buffer.readUInt32LE(0) !== MAGIC) return null;
  const partitions = buffer.readUInt32LE(12);
  if (buffer.length !== HEAD + partitions * HEADS_ENTRY) return null;
  if (crc32(buffer.subarray(8)) !== buffer.readUInt32LE(4)) return null;
  return {
    segment: buffer.readUInt32LE(8),
    offset: buffer.readDoubleLE(16),
    heads: readHeads(buffer, HEAD, partitions),
  };
}
