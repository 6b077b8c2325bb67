/** Turns the appends of a group into one frame, in a buffer that is used again. */
import type { Position } from '../../pipeline/ports.ts';
import { type PartitionEntry, routeKey } from '../partition-table.ts';
import {
  BLOCK_HEAD,
  type Block,
  FRAME_HEAD,
  type Frame,
  type Heads,
  RECORD_HEAD,
  writeFrameHead,
  writeRecord,
} from './segment-format.ts';

/** A buffer larger than this is not kept for the next group. */
const MOST_KEPT = 8 * 1024 * 1024;

export interface Place {
  readonly partition: string;
  readonly position: Position;
}

/** One call of `append` on its way to the disk. */
export interface PendingAppend {
  readonly records: readonly { readonly key: string; readonly data: Uint8Array }[];
  readonly time: number;
  /** Data and record heads. */
  readonly bytes: number;
  /** Where its records go; filled by the encoder. */
  places: Place[];
  readonly resolve: (places: readonly Place[]) => void;
  readonly reject: (error: Error) => void;
}

export interface EncodedFrame {
  /** Valid until the next frame is encoded. */
  readonly bytes: Buffer;
  readonly frame: Frame;
  /** The heads once the frame is written. */
  readonly heads: Heads;
}

/** Most bytes of a frame with these records, over the record bytes. */
export function frameOverhead(partitions: number): number {
  return FRAME_HEAD + partitions * BLOCK_HEAD;
}

export class FrameEncoder {
  #buffer = Buffer.alloc(0);

  /** `offset`: where the frame will be in the file; `heads` is not changed. O(bytes). */
  encode(
    appends: readonly PendingAppend[],
    table: readonly PartitionEntry[],
    heads: Heads,
    target: { readonly offset: number; readonly salt: number },
  ): EncodedFrame {
    const routes = appends.map((append) => append.records.map((record) => routeKey(table, record.key)));
    const blocks = layOut(appends, routes, heads, target.offset);
    const length = (blocks.at(-1)?.offset ?? 0) + (blocks.at(-1)?.bytes ?? 0) - target.offset;
    const buffer = this.#room(length);
    writeFrameHead(buffer, blocks, target.salt);

    const next = [...heads.next];
    const time = [...heads.time];
    const cursor: number[] = [];
    for (const block of blocks) {
      cursor[block.partition] = block.offset - target.offset;
      time[block.partition] = block.time;
    }
    appends.forEach((append, i) => {
      append.places = append.records.map((record, j) => {
        const partition = routes[i]?.[j] as number;
        const position = next[partition] as number;
        next[partition] = position + 1;
        const written = { data: record.data, time: append.time, position };
        cursor[partition] = writeRecord(buffer, cursor[partition] as number, written, target.salt);
        return { partition: table[partition]?.id as string, position: String(position) };
      });
    });
    return {
      bytes: buffer.subarray(0, length),
      frame: { offset: target.offset, end: target.offset + length, blocks },
      heads: { next, time },
    };
  }

  #room(length: number): Buffer {
    if (this.#buffer.length >= length && (this.#buffer.length <= MOST_KEPT || length > MOST_KEPT)) return this.#buffer;
    const buffer = Buffer.allocUnsafeSlow(Math.max(64 * 1024, 2 ** Math.ceil(Math.log2(length))));
    this.#buffer = buffer;
    return buffer;
  }
}

/** The blocks of the partitions that take something, one after another. */
function layOut(
  appends: readonly PendingAppend[],
  routes: readonly (readonly number[])[],
  heads: Heads,
  offset: number,
): Block[] {
  const records: number[] = [];
  const bytes: number[] = [];
  const times: number[] = [];
  appends.forEach((append, i) => {
    append.records.forEach((record, j) => {
      const partition = routes[i]?.[j] as number;
      records[partition] = (records[partition] ?? 0) + 1;
      bytes[partition] = (bytes[partition] ?? 0) + RECORD_HEAD + record.data.length;
      times[partition] = append.time;
    });
  });
  const used = [...records.keys()].filter((partition) => records[partition] !== undefined);
  let at = offset + frameOverhead(used.length);
  return used.map((partition) => {
    const block = {
      partition,
      records: records[partition] as number,
      bytes: bytes[partition] as number,
      first: heads.next[partition] as number,
      time: times[partition] as number,
      offset: at,
    };
    at += block.bytes;
    return block;
  });
}
