/**
 * The primitives that profiles and packs are written in. One value has one encoding, so equal content has equal bytes.
 *
 * - varint: unsigned little-endian base 128, at most 2^53 - 1; big: the same without that bound; signed: zig-zag of big
 * - double: IEEE 754, little-endian
 * - text: varint 2·n, n bytes of UTF-8; a string with lone surrogates: varint 2·n+1, n code units of two bytes each
 * - counts: runs (zeros, others) that alternate until the length, known to the reader, is reached
 */
import { createHash } from 'node:crypto';

/** The bytes are not what was written: cut, changed, or never ours. */
export class CorruptPackError extends Error {
  override readonly name = 'CorruptPackError';
}

/** Written by a newer release than this one: upgrade the reader; nothing is wrong with the bytes. */
export class UnsupportedVersionError extends Error {
  override readonly name = 'UnsupportedVersionError';
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LONE_SURROGATE = /\p{Surrogate}/u;
export const CHECKSUM_BYTES = 8;

/** The first 8 bytes of SHA-256. */
export function checksum(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, CHECKSUM_BYTES);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

export class ByteWriter {
  private buffer = new Uint8Array(1_024);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  /** A copy of what was written so far. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`varint: a whole number from 0 to 2^53 - 1 is required, got ${value}`);
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.buffer[this.length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.length++] = rest;
  }

  big(value: bigint): void {
    if (value < 0n) throw new RangeError(`big: not negative is required, got ${value}`);
    let rest = value;
    while (rest >= 128n) {
      this.byte(Number(rest & 127n) + 128);
      rest >>= 7n;
    }
    this.byte(Number(rest));
  }

  signed(value: bigint): void {
    this.big(value < 0n ? -2n * value - 1n : 2n * value);
  }

  double(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  text(value: string): void {
    if (LONE_SURROGATE.test(value)) {
      this.varint(value.length * 2 + 1);
      for (let i = 0; i < value.length; i++) {
        const unit = value.charCodeAt(i);
        this.byte(unit & 255);
        this.byte(unit >>> 8);
      }
      return;
    }
    const bytes = encoder.encode(value);
    this.varint(bytes.length * 2);
    this.raw(bytes);
  }

  /** Whole numbers ≥ 0; the reader must know how many. */
  counts(values: Float64Array): void {
    let i = 0;
    while (i < values.length) {
      const from = i;
      while (i < values.length && values[i] === 0) i++;
      this.varint(i - from);
      const first = i;
      while (i < values.length && values[i] !== 0) i++;
      this.varint(i - first);
      for (let j = first; j < i; j++) this.varint(values[j]!);
    }
  }

  private reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + more));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what ByteWriter wrote. Every read is bounded by the bytes there are; all failures are CorruptPackError. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly what: string;
  offset: number;

  /** `what` names the bytes in errors, e.g. `pack index`. */
  constructor(bytes: Uint8Array, what: string, offset = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.what = what;
    this.offset = offset;
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  corrupt(message: string): CorruptPackError {
    return new CorruptPackError(`${this.what}: ${message} at byte ${this.offset}`);
  }

  byte(): number {
    if (this.remaining < 1) throw this.corrupt('ends too early');
    return this.bytes[this.offset++]!;
  }

  uint32(): number {
    if (this.remaining < 4) throw this.corrupt('ends too early');
    const value = this.view.getUint32(this.offset, true);
    this.offset += 4;
    return value;
  }

  raw(length: number): Uint8Array {
    if (this.remaining < length) throw this.corrupt('ends too early');
    const value = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && i > 0)) break;
        return value;
      }
      scale *= 128;
    }
    throw this.corrupt('a number is out of range');
  }

  /** At most 32 bytes: far beyond what any sum of ours can reach. */
  big(): bigint {
    let value = 0n;
    for (let i = 0; i < 32; i++) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << BigInt(7 * i);
      if (byte < 128) {
        if (byte === 0 && i > 0) break;
        return value;
      }
    }
    throw this.corrupt('a number is out of range');
  }

  signed(): bigint {
    const value = this.big();
    return value & 1n ? -((value + 1n) >> 1n) : value >> 1n;
  }

  /** Finite. */
  double(): number {
    if (this.remaining < 8) throw this.corrupt('ends too early');
    const value = this.view.getFloat64(this.offset, true);
    if (!Number.isFinite(value)) throw this.corrupt('a double is not finite');
    this.offset += 8;
    return value;
  }

  text(): string {
    const head = this.varint();
    const length = Math.floor(head / 2);
    if (head % 2 === 0) {
      const bytes = this.raw(length);
      try {
        return decoder.decode(bytes);
      } catch {
        throw this.corrupt('a text is not UTF-8');
      }
    }
    if (length * 2 > this.remaining) throw this.corrupt('ends too early');
    let value = '';
    for (let i = 0; i < length; i++) value += String.fromCharCode(this.byte() | (this.byte() << 8));
    return value;
  }

  counts(into: Float64Array): void {
    const { bytes } = this;
    let i = 0;
    while (i < into.length) {
      const zeros = this.varint();
      if (zeros > into.length - i) throw this.corrupt('a run of zeros is too long');
      i += zeros;
      const others = this.varint();
      if (others > into.length - i || zeros + others === 0) throw this.corrupt('a run of counts is too long or empty');
      for (let j = 0; j < others; j++) {
        // Most counts are small. Beyond the end this is undefined, and `varint` says what is wrong.
        const short = bytes[this.offset]!;
        if (short > 0 && short < 128) {
          this.offset++;
          into[i++] = short;
          continue;
        }
        const value = this.varint();
        if (value === 0) throw this.corrupt('a zero among counts');
        into[i++] = value;
      }
    }
  }

  end(): void {
    if (this.remaining !== 0) throw this.corrupt('goes on after its end');
  }
}
