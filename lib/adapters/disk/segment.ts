/** A segment as the log knows it while it is open. */
import type { SegmentHead } from './segment-format.ts';
import { SegmentIndex } from './segment-index.ts';

export class Segment {
  readonly path: string;
  readonly head: SegmentHead;
  readonly index: SegmentIndex;
  /** Where the bytes that may be read end. */
  end: number;

  constructor(path: string, head: SegmentHead, end: number = head.bytes) {
    this.path = path;
    this.head = head;
    this.end = end;
    this.index = new SegmentIndex(head.bytes, head.heads.next);
  }

  get empty(): boolean {
    return this.end <= this.head.bytes;
  }
}

/** Something about the log's files that its owner should know. Never thrown: the log goes on. */
export interface LogProblem {
  /**
   * `torn`: an unfinished write at the end, of which nobody was told, was removed. `damaged`: bytes that were
   * acknowledged cannot be read and are skipped as a gap. `lost`: acknowledged bytes are missing at the end.
   */
  readonly kind: 'torn' | 'damaged' | 'lost';
  readonly file: string;
  /** Byte offset in the file. */
  readonly offset: number;
  readonly message: string;
}

/** `what`: what cannot be read. */
export function damaged(file: string, offset: number, what: string): LogProblem {
  const message = `${file}: ${what} (offset ${offset}), got a wrong checksum; what was there is skipped as a gap; check the disk`;
  return { kind: 'damaged', file, offset, message };
}
