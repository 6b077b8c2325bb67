import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_LIMITS } from '../../lib/contracts/event.ts';
import { hash52 } from '../../lib/engine/hash.ts';
import { isKept, keepProbability } from '../../lib/sidecar/sampling.ts';

const fill = fc.double({ min: 0, max: 1.2, noNaN: true });

describe('the probability of being kept', () => {
  it('is 1 while there is room, never rises as room goes, and its inverse is a weight', () => {
    expect(keepProbability(0.74)).toBe(1);
    expect(keepProbability(0.76)).toBe(0.5);
    expect(keepProbability(1)).toBe(0);
    fc.assert(
      fc.property(fill, fill, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(keepProbability(low)).toBeGreaterThanOrEqual(keepProbability(high));
        if (high < 1) expect(1 / keepProbability(high)).toBeLessThanOrEqual(EVENT_LIMITS.weight);
      }),
    );
  });
});

describe('sampling', () => {
  it('keeps at every higher probability what it keeps at one', () => {
    fc.assert(
      fc.property(fc.string(), fill, fill, (id, a, b) => {
        if (isKept(id, Math.min(a, b))) expect(isKept(id, Math.max(a, b))).toBe(true);
      }),
    );
  });

  it('gives weighted sums that estimate those over all, whatever the probabilities and the names', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20 }),
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 8 }),
        (prefix, halvings) => {
          // Two values, one of them rare, under probabilities that change as they go.
          const rows = 20_000;
          const truth = [0, 0];
          const estimate = [0, 0];
          const variance = [0, 0];
          for (let i = 0; i < rows; i++) {
            const p = 2 ** -halvings[i % halvings.length]!;
            const value = i % 7 === 0 ? 1 : 0;
            truth[value]! += 1;
            variance[value]! += 1 / p - 1;
            if (isKept(`${prefix}${i}`, p)) estimate[value]! += 1 / p;
          }
          // Six standard errors: once in a billion.
          for (const value of [0, 1])
            expect(Math.abs(estimate[value]! - truth[value]!)).toBeLessThanOrEqual(6 * Math.sqrt(variance[value]!));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('takes another hash than sketches of ids do', () => {
    const kept = Array.from({ length: 4_000 }, (_, i) => `id-${i}`).filter((id) => isKept(id, 0.25));
    const low = kept.filter((id) => hash52(id) < 2 ** 50).length;
    expect(low / kept.length).toBeGreaterThan(0.15);
    expect(low / kept.length).toBeLessThan(0.35);
  });
});
