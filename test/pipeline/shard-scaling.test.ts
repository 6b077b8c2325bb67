import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MinuteOfTraffic, shardsFor } from '../../lib/pipeline/shard-scaling.ts';

const NOW = Date.parse('2026-03-02T12:00:00Z');
const MINUTE = 60_000;
const ago = (minutes: number, share: number): MinuteOfTraffic => ({
  start: NOW - minutes * MINUTE,
  bytes: share * 60 * 1_048_576,
  records: 0,
});
const bounds = { now: NOW, minimum: 1, maximum: 16 };

describe('shards', () => {
  it('are added at once for what came lately, by bytes or by records', () => {
    expect(shardsFor({ ...bounds, open: 4, minutes: [ago(3, 4)] })).toBe(7);
    expect(shardsFor({ ...bounds, open: 4, minutes: [{ start: NOW - MINUTE, bytes: 0, records: 60 * 4_000 }] })).toBe(
      7,
    );
    // What one call can double is doubled again by the next.
    expect(shardsFor({ ...bounds, open: 2, minutes: [ago(3, 9)] })).toBe(4);
  });

  it('stay while the day had a use for more than half of them', () => {
    expect(shardsFor({ ...bounds, open: 8, minutes: [ago(600, 3), ago(1, 0.1)] })).toBe(8);
    expect(shardsFor({ ...bounds, open: 8, minutes: [ago(600, 2), ago(1, 0.1)] })).toBe(4);
    expect(shardsFor({ ...bounds, open: 8, minutes: [] })).toBe(4);
  });

  it('keep to their bounds', () => {
    expect(shardsFor({ ...bounds, maximum: 5, open: 4, minutes: [ago(3, 9)] })).toBe(5);
    expect(shardsFor({ ...bounds, minimum: 3, open: 4, minutes: [] })).toBe(4);
    expect(shardsFor({ ...bounds, minimum: 3, open: 6, minutes: [] })).toBe(3);
    expect(shardsFor({ ...bounds, minimum: 3, open: 2, minutes: [] })).toBe(3);
    expect(shardsFor({ ...bounds, maximum: 4, open: 8, minutes: [ago(3, 9)] })).toBe(4);
  });

  const input = fc.record({
    open: fc.integer({ min: 1, max: 200 }),
    bounds: fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 100 })),
    minutes: fc.array(
      fc.record({
        start: fc.integer({ min: NOW - 1_440 * MINUTE, max: NOW }),
        bytes: fc.integer({ min: 0, max: 2 ** 36 }),
        records: fc.integer({ min: 0, max: 10 ** 7 }),
      }),
      { maxLength: 20 },
    ),
  });

  it('change by what one call can do, towards the bounds, and come to rest', () => {
    fc.assert(
      fc.property(input, ({ open, bounds: [minimum, more], minutes }) => {
        const maximum = minimum + more;
        let count = open;
        for (let round = 0; round < 20; round++) {
          const next = shardsFor({ now: NOW, open: count, minimum, maximum, minutes });
          expect(next).toBeGreaterThanOrEqual(Math.ceil(count / 2));
          expect(next).toBeLessThanOrEqual(2 * count);
          count = next;
        }
        expect(count).toBeGreaterThanOrEqual(minimum);
        expect(count).toBeLessThanOrEqual(maximum);
        expect(shardsFor({ now: NOW, open: count, minimum, maximum, minutes })).toBe(count);
      }),
    );
  });
});
