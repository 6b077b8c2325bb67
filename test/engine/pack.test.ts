import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksum } from '../../lib/engine/bytes.ts';
import {
  addLedgers,
  CorruptPackError,
  compareKeys,
  decodePack,
  decodePackIndex,
  encodePack,
  type LedgerRow,
  PACK_PREFIX_BYTES,
  type PackEntry,
  packHeadLength,
  UnsupportedVersionError,
  verifyPackBody,
} from '../../lib/engine/pack.ts';

const text = fc.oneof(
  fc.constantFrom('', 'a', '\ud800', '__proto__', 'ü'),
  fc.string({ maxLength: 5, unit: 'binary' }),
);
const entries: fc.Arbitrary<PackEntry[]> = fc.array(
  fc.record({
    model: text,
    version: text,
    grainStart: fc.integer({ min: -62_167_219_200_000, max: 253_402_300_800_000 }),
    stage: fc.nat(4),
    shapeDigest: fc.constantFrom('0123456789abcdef', 'fedcba9876543210'),
    rows: fc.nat(),
    body: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 6 },
);
const count = fc.nat(3);
const ledger: fc.Arbitrary<LedgerRow[]> = fc.array(
  fc.record({
    model: fc.constantFrom('a', 'b', ''),
    version: fc.constantFrom('1', '2'),
    hour: fc.constantFrom(0, 3_600_000, -3_600_000),
    received: count,
    beyond: count,
    labels: count,
    quarantined: fc.dictionary(fc.constantFrom('json', 'schema', '__proto__'), count, { noNullPrototype: true }),
  }),
  { maxLength: 8 },
);

describe('a pack', () => {
  it('gives back what was put in, sorted, whatever the order it came in', () => {
    fc.assert(
      fc.property(entries, ledger, (list, rows) => {
        const bytes = encodePack(list, rows);
        expect(Buffer.compare(encodePack([...list].reverse(), [...rows].reverse()), bytes)).toBe(0);
        const { entries: read, ledger: readRows } = decodePack(bytes);
        const sorted = [...list].sort((a, b) => compareKeys(a, b) || Buffer.compare(a.body, b.body));
        expect(read.map(({ body, ...key }) => ({ ...key, body: [...body] }))).toEqual(
          sorted.map(({ body, ...key }) => ({ ...key, body: [...body] })),
        );
        expect(readRows).toEqual(addLedgers(rows));
      }),
    );
  });

  it('is read in part: the head says where the bodies are', () => {
    fc.assert(
      fc.property(entries, ledger, (list, rows) => {
        const bytes = encodePack(list, rows);
        const head = bytes.slice(0, packHeadLength(bytes.slice(0, PACK_PREFIX_BYTES)));
        const index = decodePackIndex(head);
        expect(index.length).toBe(bytes.length);
        for (const entry of index.entries) {
          const body = verifyPackBody(entry, bytes.slice(entry.start, entry.end));
          expect(list.some((one) => compareKeys(one, entry) === 0 && Buffer.compare(one.body, body) === 0)).toBe(true);
          expect(() => verifyPackBody(entry, Buffer.concat([body, Buffer.from([1])]))).toThrow(CorruptPackError);
        }
      }),
    );
  });

  it('adds up ledger rows of one model, version and hour, and leaves out empty ones', () => {
    const row = { model: 'a', version: '1', hour: 0, received: 1, beyond: 0, labels: 0, quarantined: { json: 1 } };
    const added = addLedgers([row, { ...row, received: 2, quarantined: { json: 2, future: 1 } }]);
    expect(added).toEqual([{ ...row, received: 3, quarantined: { json: 3, future: 1 } }]);
    expect(addLedgers([{ ...row, received: 0, quarantined: { json: 0 } }])).toEqual([]);
  });

  it('may hold several bodies of one key, in an order of its own', () => {
    const key = { model: 'a', version: '1', grainStart: 0, stage: 0, shapeDigest: '0123456789abcdef', rows: 1 };
    const list = [3, 1, 2].map((byte) => ({ ...key, body: Uint8Array.of(byte) }));
    const bytes = encodePack(list, []);
    expect(decodePack(bytes).entries.map(({ body }) => body[0])).toEqual([1, 2, 3]);
    expect(encodePack([...list].reverse(), [])).toEqual(bytes);
  });

  it('refuses a digest that is none', () => {
    const entry = { model: 'a', version: '1', grainStart: 0, stage: 0, rows: 1, body: new Uint8Array() };
    expect(() => encodePack([{ ...entry, shapeDigest: 'short' }], [])).toThrow(RangeError);
  });
});

describe('reading a pack', () => {
  const key = { model: 'a', version: '1', stage: 0, shapeDigest: '0123456789abcdef', rows: 3 };
  const bytes = encodePack(
    [1, 2, 3].map((i) => ({ ...key, grainStart: i, body: new Uint8Array(20).fill(i) })),
    [{ model: 'a', version: '1', hour: 0, received: 3, beyond: 0, labels: 0, quarantined: { json: 2 } }],
  );

  it('refuses bytes with any one changed, cut or added', () => {
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i]! ^= 1 << (i % 8);
      expect(() => decodePack(changed)).toThrow(/^pack/);
      expect(() => decodePack(bytes.subarray(0, i))).toThrow(CorruptPackError);
    }
    expect(() => decodePack(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(CorruptPackError);
  });

  it('never fails in another way, even where the checksum was made to fit', () => {
    const length = packHeadLength(bytes);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: PACK_PREFIX_BYTES, max: length - 9 }), fc.nat(255)), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) changed[at] = value;
          changed.set(checksum(changed.subarray(0, length - 8)), length - 8);
          try {
            decodePack(changed);
          } catch (error) {
            if (!(error instanceof CorruptPackError)) throw error;
          }
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
        expect(() => decodePack(noise)).toThrow(CorruptPackError);
      }),
    );
  });

  it('says so when a newer release wrote it', () => {
    const newer = bytes.slice();
    newer[4] = 2;
    expect(() => packHeadLength(newer)).toThrow(UnsupportedVersionError);
    expect(() => packHeadLength(newer)).toThrow(/version 2 .* reads up to 1/);
  });
});
