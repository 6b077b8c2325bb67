/**
 * The pack: what one batch of one partition added, many profiles in one immutable object. A head with the index, then the
 * bodies, so that an evaluator reads the head and only the bodies it needs. Equal content has equal bytes.
 *
 *   magic "MPK1" · version (1) · three zeros · length of the head (4) · zeros (4)       16 bytes
 *   index: entries (model, version, grain start, stage, shape, rows, length and checksum of the body), then the ledger
 *   checksum of all of the head before it                                              8 bytes, the head ends here
 *   bodies in the order of the entries
 */
import {
  ByteReader,
  ByteWriter,
  CHECKSUM_BYTES,
  CorruptPackError,
  checksum,
  sameBytes,
  UnsupportedVersionError,
} from './bytes.ts';

export { CorruptPackError, UnsupportedVersionError } from './bytes.ts';

export const PACK_VERSION = 1;
/** Bytes that `packHeadLength` needs. */
export const PACK_PREFIX_BYTES = 16;
const MAGIC = 0x314b504d;
/** Of a head: an index of a million entries is still below it. */
const LARGEST_HEAD = 256 * 1_048_576;

/** What an entry is about. */
export interface PackKey {
  readonly model: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly grainStart: number;
  /** See WindowRule.classify. */
  readonly stage: number;
  /** 16 hexadecimal digits. */
  readonly shapeDigest: string;
  /** Of the profile: to be known without its body. */
  readonly rows: number;
}

export interface PackEntry extends PackKey {
  /** An encoded profile. */
  readonly body: Uint8Array;
}

/** Rows of one model version by hour of append time, whatever their event time. */
export interface LedgerRow {
  /** Empty where a line was too broken to tell. */
  readonly model: string;
  readonly version: string;
  /** Start of the hour of append time, milliseconds since 1970. */
  readonly hour: number;
  /** Lines, of every outcome. */
  readonly received: number;
  readonly beyond: number;
  readonly labels: number;
  readonly quarantined: Readonly<Record<string, number>>;
}

export interface PackIndexEntry extends PackKey {
  /** Of its body in the pack. */
  readonly start: number;
  readonly end: number;
  /** First 8 bytes of SHA-256 of the body, hexadecimal. */
  readonly checksum: string;
}

export interface PackIndex {
  readonly headLength: number;
  readonly length: number;
  readonly entries: readonly PackIndexEntry[];
  readonly ledger: readonly LedgerRow[];
}

/** Entries may share a key (packs joined without merging); order does not matter. Ledger rows of one key are added up. */
export function encodePack(entries: readonly PackEntry[], ledger: readonly LedgerRow[]): Uint8Array {
  const sorted = [...entries].sort((a, b) => compareKeys(a, b) || Buffer.compare(a.body, b.body));
  const index = new ByteWriter();
  index.varint(sorted.length);
  for (const { model, version, grainStart, stage, shapeDigest, rows, body } of sorted) {
    if (!/^[0-9a-f]{16}$/.test(shapeDigest)) throw new RangeError(`not a shape digest: ${shapeDigest}`);
    index.text(model);
    index.text(version);
    index.signed(BigInt(grainStart));
    index.varint(stage);
    index.raw(Buffer.from(shapeDigest, 'hex'));
    index.varint(rows);
    index.varint(body.length);
    index.raw(checksum(body));
  }
  const added = addLedgers(ledger);
  index.varint(added.length);
  for (const row of added) writeLedgerRow(index, row);
  const indexed = index.finish();
  const pack = new ByteWriter();
  pack.uint32(MAGIC);
  pack.uint32(PACK_VERSION);
  pack.uint32(PACK_PREFIX_BYTES + indexed.length + CHECKSUM_BYTES);
  pack.uint32(0);
  pack.raw(indexed);
  pack.raw(checksum(pack.finish()));
  for (const { body } of sorted) pack.raw(body);
  return pack.finish();
}

/** Length of the head, from the first 16 bytes of a pack: what to read for `decodePackIndex`. */
export function packHeadLength(first: Uint8Array): number {
  const reader = new ByteReader(first, 'pack');
  if (reader.remaining < PACK_PREFIX_BYTES || reader.uint32() !== MAGIC) throw reader.corrupt('this is no pack');
  const version = reader.uint32();
  if (version > PACK_VERSION && version < 256)
    throw new UnsupportedVersionError(
      `pack: written in version ${version} of the format, this release reads up to ${PACK_VERSION}; upgrade it`,
    );
  const length = reader.uint32();
  if (
    version !== PACK_VERSION ||
    reader.uint32() !== 0 ||
    length > LARGEST_HEAD ||
    length < PACK_PREFIX_BYTES + CHECKSUM_BYTES
  )
    throw reader.corrupt('the prefix makes no sense');
  return length;
}

/** `bytes`: at least the head of a pack; more is not looked at. */
export function decodePackIndex(bytes: Uint8Array): PackIndex {
  const headLength = packHeadLength(bytes);
  if (bytes.length < headLength)
    throw new CorruptPackError(`pack: ends within its head, at byte ${bytes.length} of ${headLength}`);
  const signed = bytes.subarray(0, headLength - CHECKSUM_BYTES);
  if (!sameBytes(checksum(signed), bytes.subarray(signed.length, headLength)))
    throw new CorruptPackError('pack: the checksum of the head does not fit');
  const reader = new ByteReader(signed, 'pack index', PACK_PREFIX_BYTES);
  const entries: PackIndexEntry[] = [];
  let start = headLength;
  for (let left = reader.varint(); left > 0; left--) {
    const key = {
      model: reader.text(),
      version: reader.text(),
      grainStart: readTime(reader),
      stage: reader.varint(),
      shapeDigest: Buffer.from(reader.raw(8)).toString('hex'),
      rows: reader.varint(),
    };
    const end = start + reader.varint();
    entries.push({ ...key, start, end, checksum: Buffer.from(reader.raw(CHECKSUM_BYTES)).toString('hex') });
    start = end;
  }
  const ledger: LedgerRow[] = [];
  for (let left = reader.varint(); left > 0; left--) ledger.push(readLedgerRow(reader));
  reader.end();
  return { headLength, length: start, entries, ledger };
}

/** `body`: bytes [start, end) of the pack, as the index says. Throws CorruptPackError unless they are what was written. */
export function verifyPackBody(entry: PackIndexEntry, body: Uint8Array): Uint8Array {
  if (Buffer.from(checksum(body)).toString('hex') !== entry.checksum)
    throw new CorruptPackError(
      `pack: the body of ${entry.model}/${entry.version} at byte ${entry.start} is not what was written`,
    );
  return body;
}

/** A whole pack, with every checksum verified. */
export function decodePack(bytes: Uint8Array): {
  readonly entries: PackEntry[];
  readonly ledger: readonly LedgerRow[];
} {
  const index = decodePackIndex(bytes);
  if (bytes.length !== index.length)
    throw new CorruptPackError(`pack: ${bytes.length} bytes; expected ${index.length}`);
  const entries = index.entries.map((entry) => {
    const { model, version, grainStart, stage, shapeDigest, rows } = entry;
    const body = verifyPackBody(entry, bytes.subarray(entry.start, entry.end));
    return { model, version, grainStart, stage, shapeDigest, rows, body };
  });
  return { entries, ledger: index.ledger };
}

/** One row a model, version and hour; sorted; rows and reasons without any count are left out. */
export function addLedgers(rows: readonly LedgerRow[]): LedgerRow[] {
  const added = new Map<string, LedgerRow>();
  for (const row of rows) {
    const key = JSON.stringify([row.model, row.version, row.hour]);
    const known = added.get(key);
    added.set(key, known === undefined ? row : addRows(known, row));
  }
  return [...added.values()]
    .map((row) => ({
      ...row,
      quarantined: Object.fromEntries(Object.entries(row.quarantined).filter(([, count]) => count > 0)),
    }))
    .filter((row) => row.received + row.beyond + row.labels + sum(row.quarantined) > 0)
    .sort((a, b) => compare(a.model, b.model) || compare(a.version, b.version) || a.hour - b.hour);
}

function addRows(a: LedgerRow, b: LedgerRow): LedgerRow {
  const reasons = new Map(Object.entries(a.quarantined));
  for (const [reason, count] of Object.entries(b.quarantined)) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return {
    model: a.model,
    version: a.version,
    hour: a.hour,
    received: a.received + b.received,
    beyond: a.beyond + b.beyond,
    labels: a.labels + b.labels,
    quarantined: Object.fromEntries(reasons),
  };
}

function writeLedgerRow(writer: ByteWriter, row: LedgerRow): void {
  writer.text(row.model);
  writer.text(row.version);
  writer.signed(BigInt(row.hour));
  writer.varint(row.received);
  writer.varint(row.beyond);
  writer.varint(row.labels);
  const reasons = Object.entries(row.quarantined).sort(([a], [b]) => compare(a, b));
  writer.varint(reasons.length);
  for (const [reason, count] of reasons) {
    writer.text(reason);
    writer.varint(count);
  }
}

function readLedgerRow(reader: ByteReader): LedgerRow {
  const row = {
    model: reader.text(),
    version: reader.text(),
    hour: readTime(reader),
    received: reader.varint(),
    beyond: reader.varint(),
    labels: reader.varint(),
  };
  const quarantined: [string, number][] = [];
  for (let left = reader.varint(); left > 0; left--) quarantined.push([reader.text(), reader.varint()]);
  return { ...row, quarantined: Object.fromEntries(quarantined) };
}

function readTime(reader: ByteReader): number {
  const time = Number(reader.signed());
  if (!Number.isSafeInteger(time)) throw reader.corrupt('a time is out of range');
  return time;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** By model, version, grain start, stage and shape; texts by code units. */
export function compareKeys(a: PackKey, b: PackKey): number {
  return (
    compare(a.model, b.model) ||
    compare(a.version, b.version) ||
    a.grainStart - b.grainStart ||
    a.stage - b.stage ||
    compare(a.shapeDigest, b.shapeDigest)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
