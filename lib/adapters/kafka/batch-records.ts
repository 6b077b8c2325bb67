/** From what a broker answers to records of the log. Pure. */
import type { LogRecord } from '../../pipeline/ports.ts';

/** A batch as the client gives it. */
export interface FetchedBatch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  /** Bit 3: the broker set the time; 4: transactional; 5: control. */
  readonly attributes: number;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly records: readonly {
    readonly offsetDelta: number;
    readonly key: Uint8Array | null;
    readonly value: Uint8Array | null;
  }[];
}

export interface FetchedPartition {
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  readonly records?: readonly FetchedBatch[];
}

export interface Decoded {
  readonly records: readonly LogRecord[];
  /** Where to read on: after every batch, also those that hold no events. */
  readonly next: number;
  /** Offset of a batch whose time was set by its producer; `null`: none. */
  readonly timedByProducer: number | null;
  readonly bytes: number;
}

const LOG_APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
const EMPTY = new Uint8Array();

/**
 * Records at and after `from`. Left out: markers of transactions, what a transaction that was given up wrote, and what a batch
 * holds before `from`. Times never descend, starting at `floor`: the clock of a new leader may be behind that of the old one.
 */
export function decodePartition(partition: FetchedPartition, from: number, floor: number): Decoded {
  const records: LogRecord[] = [];
  const aborted = partition.abortedTransactions
    .map(({ producerId, firstOffset }) => ({ producerId, from: Number(firstOffset) }))
    .sort((a, b) => a.from - b.from);
  const given: Set<bigint> = new Set();
  let next = from;
  let time = floor;
  let bytes = 0;
  let timedByProducer: number | null = null;
  for (const batch of partition.records ?? []) {
    const first = Number(batch.firstOffset);
    const last = first + batch.lastOffsetDelta;
    while (aborted.length > 0 && (aborted[0]?.from ?? 0) <= last) given.add(aborted.shift()?.producerId as bigint);
    if (last < from) continue;
    next = last + 1;
    if ((batch.attributes & CONTROL) !== 0) {
      // The key of a marker: version, then 0 for an abort.
      const key = batch.records[0]?.key;
      if (key != null && key.length >= 4 && key[2] === 0 && key[3] === 0) given.delete(batch.producerId);
      continue;
    }
    if ((batch.attributes & TRANSACTIONAL) !== 0 && given.has(batch.producerId)) continue;
    if ((batch.attributes & LOG_APPEND_TIME) === 0) {
      timedByProducer ??= first;
      continue;
    }
    time = Math.max(time, Number(batch.maxTimestamp));
    for (const { offsetDelta, value } of batch.records) {
      const offset = first + offsetDelta;
      if (offset < from) continue;
      const data = value ?? EMPTY;
      bytes += data.byteLength;
      records.push({ position: String(offset), appendTime: time, data });
    }
  }
  return { records, next, timedByProducer, bytes };
}
