/** A sparse index of one segment, made while its frames are written or walked for the first time. */
import type { Frame } from './segment-format.ts';

/** Distance between entries, bytes of the segment. */
const EVERY = 64 * 1024;

export class SegmentIndex {
  readonly #begin: number;
  readonly #offsets: number[] = [];
  /** The next position of every partition where the frame at that offset begins. */
  readonly #nexts: (readonly number[])[] = [];
  /** The same where the indexed part ends. */
  readonly #next: number[];
  #through: number;
  /** Newest append time of the first frame; `null` before it is known. */
  firstTime: number | null = null;

  /** `begin`: the offset of the first frame; `next`: the next position of every partition there. */
  constructor(begin: number, next: readonly number[]) {
    this.#begin = begin;
    this.#through = begin;
    this.#next = [...next];
  }

  /** Takes a frame if it is the one after those it has. */
  add(frame: Frame): void {
    if (frame.offset !== this.#through) return;
    this.firstTime ??= frame.blocks[0]?.time ?? null;
    const last = this.#offsets.at(-1);
    if (last === undefined || frame.offset - last >= EVERY) {
      this.#offsets.push(frame.offset);
      this.#nexts.push([...this.#next]);
    }
    for (const block of frame.blocks) this.#next[block.partition] = block.first + block.records;
    this.#through = frame.end;
  }

  /** Damaged bytes hold no frame. */
  skip(from: number, to: number): void {
    if (from === this.#through) this.#through = to;
  }

  /** The offset of a frame at or before the one with this position. O(log entries). */
  lookUp(partition: number, position: number): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#nexts[middle]?.[partition] ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return this.#offsets[low - 1] ?? this.#begin;
  }
}
