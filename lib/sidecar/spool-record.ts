/**
 * One record of the spool: what came in, as it came, so that taking it costs a copy and no parsing.
 *
 *   version u8, kind u8, zero u16, length of head u32, length of first u32, keep f64, time f64, then head (JSON), first, second
 */
export const RECORD_KINDS = ['event', 'half', 'exchange'] as const;
/**
 * `event`: a structured CloudEvent of one event, in `first`. `half`: a post of KServe's logger; the head has its headers, `first` the body.
 * `exchange`: request (`first`) and response (`second`) of an inference that was proxied.
 */
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Headers as Node gives them: names and values by turns. */
export type HalfHead = readonly string[];

export interface ExchangeHead {
  readonly id: string;
  readonly path: string;
  /** From the end of the request to the end of the response. */
  readonly latencyMs: number;
  readonly requestEncoding?: string;
  readonly responseEncoding?: string;
  /** Bytes of JSON, where tensors follow it as bytes. */
  readonly requestJson?: number;
  readonly responseJson?: number;
}

export interface SpoolRecord {
  readonly kind: RecordKind;
  /** Probability with which it was kept, (0, 1]. */
  readonly keep: number;
  /** When it was taken, milliseconds since 1970. */
  readonly time: number;
  readonly head: unknown;
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

const VERSION = 1;
const FIXED = 28;
const NOTHING = new Uint8Array();

export function encodeRecord(record: {
  readonly kind: RecordKind;
  readonly keep: number;
  readonly time: number;
  readonly head?: HalfHead | ExchangeHead;
  /** In pieces, as they came. */
  readonly first: readonly Uint8Array[];
  readonly second?: readonly Uint8Array[];
}): Buffer {
  const { kind, keep, time, head, first, second = [] } = record;
  const text = head === undefined ? '' : JSON.stringify(head);
  const headBytes = Buffer.byteLength(text, 'utf8');
  const firstBytes = sizeOf(first);
  const bytes = Buffer.allocUnsafe(FIXED + headBytes + firstBytes + sizeOf(second));
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt8(RECORD_KINDS.indexOf(kind), 1);
  bytes.writeUInt16LE(0, 2);
  bytes.writeUInt32LE(headBytes, 4);
  bytes.writeUInt32LE(firstBytes, 8);
  bytes.writeDoubleLE(keep, 12);
  bytes.writeDoubleLE(time, 20);
  let at = FIXED + bytes.write(text, FIXED, 'utf8');
  for (const pieces of [first, second])
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
  return bytes;
}

/** Shares memory with `bytes`. `null` when they are no record of this version. */
export function decodeRecord(bytes: Uint8Array): SpoolRecord | null {
  if (bytes.length < FIXED || bytes[0] !== VERSION) return null;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = RECORD_KINDS[buffer[1]!];
  const from = FIXED + buffer.readUInt32LE(4);
  const to = from + buffer.readUInt32LE(8);
  const keep = buffer.readDoubleLE(12);
  if (kind === undefined || to > buffer.length || !(keep > 0 && keep <= 1)) return null;
  let head: unknown = null;
  try {
    if (from > FIXED) head = JSON.parse(buffer.toString('utf8', FIXED, from));
  } catch {
    return null;
  }
  return {
    kind,
    keep,
    time: buffer.readDoubleLE(20),
    head,
    first: from === to ? NOTHING : buffer.subarray(from, to),
    second: buffer.subarray(to),
  };
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  return bytes;
}
