import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signedRoot } from '../../lib/engine/signed-root.ts';
import { tiltedRoot } from '../../lib/engine/tilted-root.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { normalSurvival } from '../../lib/stats/special.ts';

describe('the signed root of a mean', () => {
  test('is that of the binomial deviance where there are two values, on whatever scale', () => {
    const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(share, share, share, (p, f, e) => {
        const scale = [-3, 7] as const;
        const of = (x: number) => scale[0] + x * (scale[1] - scale[0]);
        const root = tiltedRoot(of(f), of(e), scale, [1 - p, p]);
        // Whatever the law, tilted to the expected mean it has this share there.
        expect(root).toBeCloseTo(signedRoot(f * 1e9, 1e9, e, 0), 5);
      }),
    );
  });

  test('is near the mean over its deviation for a law without skew, 0 at the expected one, and rises', () => {
    const values = Array.from({ length: 11 }, (_, i) => (i - 5) / Math.sqrt(10));
    const shares = values.map(() => 1 / 11);
    expect(tiltedRoot(0.05, 0, values, shares)).toBeCloseTo(0.05, 4);
    expect(tiltedRoot(0.3, 0.3, values, shares)).toBeCloseTo(0, 9);
    let before = Number.NEGATIVE_INFINITY;
    for (let mean = -1.58; mean <= 1.58; mean += 0.02) {
      const now = tiltedRoot(mean, 0.1, values, shares);
      expect(now).toBeGreaterThan(before);
      before = now;
    }
  });

  test('at the very end of the range is what that value alone would cost', () => {
    expect(tiltedRoot(2, 1, [0, 1, 2], [0.25, 0.5, 0.25])).toBeCloseTo(Math.sqrt(2 * Math.log(4)), 9);
    expect(tiltedRoot(0, 1, [0, 1, 2], [0.25, 0.5, 0.25])).toBeCloseTo(-Math.sqrt(2 * Math.log(4)), 9);
  });

  test('keeps the level of the normal law where the mean itself is far from it', () => {
    // 95 % zeros, the rest spread out, 120 rows: six rows that are not zero.
    const raw = [0, 1, 2, 3, 4];
    const shares = [0.95, 0.02, 0.015, 0.01, 0.005];
    const mean = raw.reduce((sum, value, b) => sum + value * shares[b]!, 0);
    const deviation = Math.sqrt(raw.reduce((sum, value, b) => sum + shares[b]! * (value - mean) ** 2, 0));
    const random = seededRandom(3);
    const rows = 120;
    const draws = 20_000;
    let plain = 0;
    let rooted = 0;
    for (let i = 0; i < draws; i++) {
      let left = rows;
      let rest = 1;
      let sum = 0;
      shares.forEach((share, b) => {
        const count = b === shares.length - 1 ? left : random.binomial(left, Math.min(1, share / rest));
        left -= count;
        rest -= share;
        sum += count * raw[b]!;
      });
      if (((sum / rows - mean) / deviation) * Math.sqrt(rows) > 3) plain++;
      if (tiltedRoot(sum / rows, mean, raw, shares) * Math.sqrt(rows) > 3) rooted++;
    }
    const nominal = draws * normalSurvival(3);
    expect(plain).toBeGreaterThan(3 * nominal);
    expect(rooted).toBeLessThan(2.2 * nominal);
  });
});
