/**
 * An estimate of how many distinct ids there were: exact up to 1,024 of them, HyperLogLog beyond
 * (Flajolet et al. 2007; 2^14 registers, standard error 0.81 %; estimator of Ertl 2017, arXiv:1702.01284, algorithm 6,
 * which needs no bias table). Order and repetition do not matter; merging is union.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { hash52 } from './hash.ts';

/** Ids that are kept as hashes of 52 bits before registers take over. */
export const EXACT_IDS = 1_024;
const INDEX_BITS = 14;
const REGISTERS = 2 ** INDEX_BITS;
const REST_BITS = 52 - INDEX_BITS;
const REST = 2 ** REST_BITS;
const FIRST_TABLE = 64;
const TABLE = 4_096;
/** Limit of m·α for m → ∞: 1 / (2 ln 2). */
const ALPHA = 0.5 / Math.LN2;

export class IdSketch {
  /** Hashes as they were read, ascending: most sketches are read and merged, and never looked up in. */
  private kept: Float64Array | null = null;
  /** Open addressing on hash + 1, 0 is free; grows from 64 to 4,096 places; made when an id is added, `null` once registers took over. */
  private table: Float64Array | null = null;
  private used = 0;
  private registers: Uint8Array | null = null;

  add(id: string): void {
    this.addHash(hash52(id));
  }

  merge(other: IdSketch): void {
    if (other.kept !== null) {
      if (this.kept === null && this.table === null && this.registers === null) {
        this.kept = other.kept;
        this.used = other.used;
      } else for (const hash of other.kept) this.addHash(hash);
    } else if (other.table !== null) {
      for (const entry of other.table) if (entry !== 0) this.addHash(entry - 1);
    } else if (other.registers !== null) {
      const mine = this.dense();
      for (let i = 0; i < REGISTERS; i++) if (other.registers[i]! > mine[i]!) mine[i] = other.registers[i]!;
    }
  }

  /** 0 for none. */
  estimate(): number {
    if (this.registers === null) return this.used;
    const histogram = new Float64Array(REST_BITS + 2);
    for (const register of this.registers) histogram[register]! += 1;
    let z = REGISTERS * tau(1 - histogram[REST_BITS + 1]! / REGISTERS);
    for (let k = REST_BITS; k >= 1; k--) z = 0.5 * (z + histogram[k]!);
    z += REGISTERS * sigma(histogram[0]! / REGISTERS);
    return (ALPHA * REGISTERS * REGISTERS) / z;
  }

  write(writer: ByteWriter): void {
    if (this.registers === null) {
      writer.byte(0);
      const hashes = this.hashes();
      writer.varint(hashes.length);
      let previous = -1;
      for (const hash of hashes) {
        writer.varint(hash - previous - 1);
        previous = hash;
      }
      return;
    }
    writer.byte(1);
    writer.raw(this.registers);
  }

  static read(reader: ByteReader): IdSketch {
    const sketch = new IdSketch();
    const form = reader.byte();
    if (form === 0) {
      const count = reader.varint();
      if (count > EXACT_IDS) throw reader.corrupt('too many ids');
      const hashes = new Float64Array(count);
      let previous = -1;
      for (let i = 0; i < count; i++) {
        previous += reader.varint() + 1;
        if (previous >= 2 ** 52) throw reader.corrupt('the hash of an id is out of range');
        hashes[i] = previous;
      }
      sketch.kept = hashes;
      sketch.used = count;
      return sketch;
    }
    if (form !== 1) throw reader.corrupt('an unknown form of ids');
    const registers = reader.raw(REGISTERS).slice();
    for (const register of registers) if (register > REST_BITS + 1) throw reader.corrupt('a register is out of range');
    sketch.registers = registers;
    return sketch;
  }

  private addHash(hash: number): void {
    if (this.registers !== null) {
      place(this.registers, hash);
      return;
    }
    const table = this.table ?? this.makeTable();
    const mask = table.length - 1;
    let at = hash & mask;
    const key = hash + 1;
    while (table[at] !== 0) {
      if (table[at] === key) return;
      at = (at + 1) & mask;
    }
    if (this.used === EXACT_IDS) {
      place(this.dense(), hash);
      return;
    }
    table[at] = key;
    this.used++;
    if (this.used * 2 > table.length && table.length < TABLE) this.grow(table);
  }

  /** Of what was read; with nothing in it, an empty one. */
  private makeTable(): Float64Array {
    const { kept } = this;
    let places = FIRST_TABLE;
    while (this.used * 2 > places && places < TABLE) places *= 4;
    const table = new Float64Array(places);
    this.table = table;
    this.kept = null;
    this.used = 0;
    for (const hash of kept ?? []) this.addHash(hash);
    return table;
  }

  private grow(old: Float64Array): void {
    this.table = new Float64Array(Math.min(old.length * 4, TABLE));
    this.used = 0;
    for (const entry of old) if (entry !== 0) this.addHash(entry - 1);
  }

  private dense(): Uint8Array {
    if (this.registers !== null) return this.registers;
    const registers = new Uint8Array(REGISTERS);
    for (const hash of this.hashes()) place(registers, hash);
    this.registers = registers;
    this.kept = null;
    this.table = null;
    this.used = 0;
    return registers;
  }

  /** Ascending. */
  private hashes(): Float64Array {
    if (this.kept !== null) return this.kept;
    return (this.table ?? new Float64Array())
      .filter((entry) => entry !== 0)
      .map((entry) => entry - 1)
      .sort();
  }
}

/** Register = the upper 14 bits; value = position of the first one bit among the other 38, 39 when there is none. */
function place(registers: Uint8Array, hash: number): void {
  const index = Math.floor(hash * (1 / REST));
  const rest = hash - index * REST;
  const high = Math.floor(rest / 0x100000000);
  const rank = high > 0 ? REST_BITS - 32 - (32 - Math.clz32(high)) + 1 : REST_BITS - 32 + Math.clz32(rest >>> 0) + 1;
  if (rank > registers[index]!) registers[index] = rank;
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY;
  let x = start;
  let y = 1;
  let z = x;
  for (;;) {
    x *= x;
    const before = z;
    z += x * y;
    y += y;
    if (z === before) return z;
  }
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let x = start;
  let y = 1;
  let z = 1 - x;
  for (;;) {
    x = Math.sqrt(x);
    const before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
    if (z === before) return z / 3;
  }
}
