import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeRecord, encodeRecord, RECORD_KINDS } from '../../lib/sidecar/spool-record.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

it('reads what it wrote', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RECORD_KINDS),
      fc.double({ min: 1 / 4096, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 4e12, noNaN: true }),
      fc.option(fc.array(fc.string()), { nil: undefined }),
      fc.array(bytes),
      fc.array(bytes),
      (kind, keep, time, head, first, second) => {
        const record = encodeRecord({ kind, keep, time, first, second, ...(head === undefined ? {} : { head }) });
        expect(decodeRecord(record)).toEqual({
          kind,
          keep,
          time,
          head: head ?? null,
          first: expect.toSatisfy((read: Uint8Array) => Buffer.concat(first).equals(read)),
          second: expect.toSatisfy((read: Uint8Array) => Buffer.concat(second).equals(read)),
        });
      },
    ),
  );
});

it('takes no other bytes for a record, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
      const record = decodeRecord(noise);
      if (record !== null) expect(noise[0]).toBe(1);
    }),
  );
  expect(decodeRecord(Buffer.alloc(40))).toBeNull();
});
