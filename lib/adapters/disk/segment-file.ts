/** One segment on disk: its head, and a window through which its bytes are read. */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { errorCode } from './disk-failure.ts';
import {
  decodeFrame,
  decodeSegmentHead,
  FRAME_HEAD,
  FRAME_MAGIC,
  type Frame,
  frameHeadBytes,
  type SegmentHead,
  segmentHeadBytes,
} from './segment-format.ts';

const HEAD_GUESS = 4096;

/** `00000001.segment`: sorts like its sequence. */
export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(8, '0')}.segment`;
}

/** `null` when the file is no segment. */
function segmentSequence(file: string): number | null {
  const match = /^(\d{8,})\.segment$/.exec(file);
  return match === null ? null : Number(match[1]);
}

/** Sequences of the segments in a folder, ascending. */
export async function readSegmentNames(folder: string): Promise<number[]> {
  return (await readdir(folder))
    .map(segmentSequence)
    .filter((sequence) => sequence !== null)
    .sort((a, b) => a - b);
}

/** The head of a segment and its size; head `null` when damaged; `null` when there is no such file. */
export async function readSegmentHead(path: string): Promise<{ head: SegmentHead | null; size: number } | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const start = await readFully(handle, 0, Math.min(size, HEAD_GUESS));
    const bytes = segmentHeadBytes(start);
    if (bytes === null) return { head: null, size };
    return { head: decodeSegmentHead(bytes <= start.length ? start : await readFully(handle, 0, bytes)), size };
  } finally {
    await handle.close();
  }
}

/** Bytes from `offset`, fewer only at the end of the file. A new buffer each time: slices of it may be kept. */
export async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/**
 * Reads a file forward in chunks; what was read stays valid, since each chunk is a buffer of its own.
 * Memory: one chunk, besides what the caller keeps.
 */
export class Window {
  readonly #handle: FileHandle;
  readonly #chunk: number;
  /** Nothing at or beyond this offset is read. */
  readonly end: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(handle: FileHandle, end: number, chunk: number) {
    this.#handle = handle;
    this.end = end;
    this.#chunk = chunk;
  }

  /** Bytes [offset, offset + length) when they are in memory already. */
  peek(offset: number, length: number): Buffer | null {
    const from = offset - this.#start;
    if (from < 0 || from + length > this.#buffer.length) return null;
    return this.#buffer.subarray(from, from + length);
  }

  /** The same, read where needed; `null` when they go beyond the end. */
  async load(offset: number, length: number): Promise<Buffer | null> {
    const ready = this.peek(offset, length);
    if (ready !== null) return ready;
    if (offset + length > this.end) return null;
    this.#buffer = await readFully(this.#handle, offset, Math.min(this.end - offset, Math.max(length, this.#chunk)));
    this.#start = offset;
    return this.peek(offset, length);
  }

  /** The frame that begins here; `null` when none does or it is not whole. */
  async frame(offset: number, salt: number): Promise<Frame | null> {
    const start = this.peek(offset, FRAME_HEAD) ?? (await this.load(offset, FRAME_HEAD));
    if (start === null) return null;
    const bytes = frameHeadBytes(start);
    if (bytes === null) return null;
    const head = this.peek(offset, bytes) ?? (await this.load(offset, bytes));
    if (head === null) return null;
    const frame = decodeFrame(head, offset, salt);
    return frame === null || frame.end > this.end ? null : frame;
  }

  /** The first frame that begins at or after an offset. O(bytes searched). */
  async findFrame(from: number, salt: number): Promise<Frame | null> {
    let offset = from;
    while (offset + FRAME_HEAD <= this.end) {
      const chunk = await this.load(offset, Math.min(this.#chunk, this.end - offset));
      if (chunk === null) return null;
      const at = chunk.indexOf(FRAME_MAGIC);
      if (at === -1) {
        offset += Math.max(1, chunk.length - FRAME_MAGIC.length + 1);
        continue;
      }
      const frame = await this.frame(offset + at, salt);
      if (frame !== null) return frame;
      offset += at + 1;
    }
    return null;
  }
}
