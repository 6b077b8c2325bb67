import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from '../../../lib/adapters/kafka/partitioner.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the partitioner', () => {
  it('hashes as the Java client does', () => {
    // The values of the Java client's own test.
    const known: Readonly<Record<string, number>> = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    };
    for (const [key, hash] of Object.entries(known)) expect([key, murmur2(bytes(key))]).toEqual([key, hash]);
  });

  it('chooses a partition that there is, the same for equal keys', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 500 }), (key, count) => {
        const partition = partitionOf(key, count);
        expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true);
        expect(partitionOf(Uint8Array.from(key), count)).toBe(partition);
      }),
    );
  });
});
