/** The parts of a profile, each against what it stands for. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, CorruptPackError } from '../../lib/engine/bytes.ts';
import { hash52 } from '../../lib/engine/hash.ts';
import { EXACT_IDS, IdSketch } from '../../lib/engine/id-sketch.ts';
import {
  LATENCY_FIRST,
  LATENCY_LAST,
  LatencyHistogram,
  latencyBound,
  latencyBucket,
} from '../../lib/engine/latency-histogram.ts';
import { MOMENT_LIMIT, MomentSums } from '../../lib/engine/moments.ts';
import { round12, round12OrNull } from '../../lib/engine/round.ts';
import { SmallestHash } from '../../lib/engine/smallest-hash.ts';
import { Vocabulary } from '../../lib/engine/vocabulary.ts';
import { squareUnits, WeightSums, weightUnits } from '../../lib/engine/weights.ts';

describe('ids', () => {
  const sketchOf = (from: number, to: number): IdSketch => {
    const sketch = new IdSketch();
    for (let i = from; i < to; i++) sketch.add(`id-${i}`);
    return sketch;
  };
  const bytesOf = (sketch: IdSketch): string => {
    const writer = new ByteWriter();
    sketch.write(writer);
    return Buffer.from(writer.finish()).toString('hex');
  };

  it('are counted exactly while they are few, however often they come', () => {
    for (const count of [0, 1, 31, 33, 500, EXACT_IDS]) {
      const sketch = sketchOf(0, count);
      sketch.merge(sketchOf(0, count));
      expect(sketch.estimate()).toBe(count);
    }
  });

  it('are estimated within four standard errors when they are many', () => {
    for (const count of [EXACT_IDS + 1, 3_000, 10_000, 40_000, 100_000, 400_000])
      expect(Math.abs(sketchOf(0, count).estimate() / count - 1)).toBeLessThan(4 * 0.0081);
  });

  it('make the same sketch in any order and any tree of merges', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3_000), fc.nat(1_500)), { minLength: 1, maxLength: 4 }), (ranges) => {
        const whole = new IdSketch();
        for (const [from, length] of ranges) for (let i = from; i < from + length; i++) whole.add(`id-${i}`);
        const merged = new IdSketch();
        for (const [from, length] of [...ranges].reverse()) merged.merge(sketchOf(from, from + length));
        expect(bytesOf(merged)).toBe(bytesOf(whole));
        const reader = new ByteReader(Buffer.from(bytesOf(whole), 'hex'), 'ids');
        expect(bytesOf(IdSketch.read(reader))).toBe(bytesOf(whole));
      }),
      { numRuns: 30 },
    );
  });

  it('have hashes that spread', () => {
    for (const name of [
      (i: number) => `${i}`,
      (i: number) => `user-${String(i).padStart(9, '0')}`,
      (i: number) => `${i}`.padEnd(30, 'x'),
    ]) {
      const cells = new Float64Array(256);
      const low = new Float64Array(256);
      const seen = new Set<number>();
      for (let i = 0; i < 25_600; i++) {
        const hash = hash52(name(i));
        seen.add(hash);
        cells[Math.floor(hash / 2 ** 44)]! += 1;
        low[hash % 256]! += 1;
      }
      expect(seen.size).toBe(25_600);
      // Chi-square of 255 degrees of freedom: 4 standard deviations above its mean is 345.
      for (const counts of [cells, low])
        expect(counts.reduce((sum, n) => sum + (n - 100) ** 2 / 100, 0)).toBeLessThan(345);
    }
  });
});

describe('latency', () => {
  it('lies in the bucket whose bounds it lies between, the upper one included', () => {
    const inside = fc.double({ min: 2 ** -9, max: 2 ** 29, noNaN: true });
    const bound = fc.integer({ min: LATENCY_FIRST + 1, max: LATENCY_LAST }).map(latencyBound);
    fc.assert(
      fc.property(fc.oneof(inside, bound), (ms) => {
        const index = latencyBucket(ms);
        expect(latencyBound(index) < ms && ms <= latencyBound(index + 1)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
    expect([5e-324, 1e308].map(latencyBucket)).toEqual([LATENCY_FIRST, LATENCY_LAST]);
  });

  it('has quantiles within an eighth of an octave', () => {
    const histogram = new LatencyHistogram();
    const values = Array.from({ length: 1_000 }, (_, i) => 1 + i * 3);
    for (const value of values) histogram.add(value);
    for (const p of [0.01, 0.5, 0.9, 0.99, 1]) {
      const exact = values[Math.ceil(p * 1_000) - 1]!;
      expect(histogram.quantile(p)! / exact).toBeGreaterThanOrEqual(1);
      expect(histogram.quantile(p)! / exact).toBeLessThanOrEqual(2 ** (1 / 8) + 1e-12);
    }
    expect(new LatencyHistogram().quantile(0.5)).toBeNull();
    histogram.add(0);
    expect(histogram).toMatchObject({ zero: 1, count: 1_001 });
  });
});

describe('moments', () => {
  it('are exact sums, with and without weights', () => {
    const q = fc.oneof(
      fc.integer({ min: -MOMENT_LIMIT, max: MOMENT_LIMIT }),
      fc.constantFrom(MOMENT_LIMIT, -MOMENT_LIMIT, 0, 1),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(q, fc.integer({ min: 1, max: 40_960_000 })), { minLength: 1, maxLength: 50 }),
        (values) => {
          const sums = new MomentSums(1);
          sums.promote();
          let [n, s1, s2] = [0n, 0n, 0n];
          for (const [value, weight] of values) {
            sums.row();
            sums.add(0, value);
            sums.addWeighted(0, value, weight);
            n += BigInt(weight);
            s1 += BigInt(weight) * BigInt(value);
            s2 += BigInt(weight) * BigInt(value) * BigInt(value);
          }
          const spread = Math.sqrt(Number(n * s2 - s1 * s1)) / Number(n);
          expect(sums.weightedOf(0, n, 0, 1)).toEqual({ mean: Number(s1) / Number(n), std: spread });
          const count = BigInt(values.length);
          const plain = values.reduce((sum, [value]) => sum + BigInt(value), 0n);
          expect(sums.of(0, count, 3, 2)?.mean).toBe(3 + 2 * (Number(plain) / Number(count)));
        },
      ),
    );
  });

  it('stay exact over more rows than a double could add up', () => {
    for (const q of [MOMENT_LIMIT, MOMENT_LIMIT - 1, 2 ** 20 - 1]) {
      const values = Float64Array.from({ length: 255 }, () => q);
      const sums = new MomentSums(1);
      for (let block = 0; block < 1_000; block++) {
        for (let i = 0; i < 255; i++) sums.row();
        sums.addValues(0, values, 0, 255, 0, 1);
      }
      const writer = new ByteWriter();
      sums.write(writer);
      const reader = new ByteReader(writer.finish(), 'moments');
      expect([reader.signed(), reader.signed()]).toEqual([255_000n * BigInt(q), 255_000n * BigInt(q) ** 2n]);
    }
  });
});

describe('weights', () => {
  it('are exact sums of whole units, beyond 2^53 too', () => {
    const sums = new WeightSums(1);
    const units = weightUnits(9_999.999);
    const many = 1_500_001;
    for (let i = 0; i < many; i++) sums.add(0, units, 25_599_999_999);
    expect(sums.weight(0)).toBe(BigInt(units) * BigInt(many));
    expect(sums.square(0)).toBe(25_599_999_999n * BigInt(many));
    const doubled = WeightSums.ofCounts(Float64Array.of(7));
    doubled.merge(sums);
    doubled.subtract(sums);
    expect([doubled.weight(0), doubled.square(0)]).toEqual([7n * 4_096n, 7n * 256n]);
  });

  it('never vanish', () => {
    expect([weightUnits(1e-9), squareUnits(1)]).toEqual([1, 1]);
    expect([weightUnits(1), squareUnits(4_096)]).toEqual([4_096, 256]);
  });
});

describe('names', () => {
  it('of the smallest hash are kept with all that belongs to them', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.integer({ min: 0, max: 40 }).map((i) => `n${i}`),
          { maxLength: 200 },
        ),
        (claimed) => {
          const kept = new SmallestHash<{ count: number }>(5);
          for (const name of claimed) {
            const value = kept.claim(name, () => ({ count: 0 }));
            if (value !== null) value.count++;
          }
          const expected = [...new Set(claimed)].sort((a, b) => hash52(a) - hash52(b)).slice(0, 5);
          expect(kept.sorted().map(({ text, value }) => [text, value.count])).toEqual(
            expected.map((name) => [name, claimed.filter((one) => one === name).length]),
          );
        },
      ),
    );
  });

  it('of a vocabulary are found, and no others', () => {
    const crowded = Array.from({ length: 1_000 }, (_, i) => `${i}-same-end`);
    const word = fc.oneof(fc.string({ maxLength: 4, unit: 'binary' }), fc.constantFrom(...crowded, '', 'constructor'));
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 60 }), fc.array(word, { maxLength: 30 }), (words, others) => {
        const vocabulary = new Vocabulary(words);
        for (const one of [...words, ...others]) expect(vocabulary.find(one)).toBe(words.indexOf(one));
      }),
    );
    const large = new Vocabulary(crowded);
    expect(crowded.every((one, i) => large.find(one) === i)).toBe(true);
    expect(large.find('1000-same-end')).toBe(-1);
  });
});

describe('bytes', () => {
  it('give back numbers and texts of every kind', () => {
    fc.assert(
      fc.property(
        fc.array(fc.maxSafeNat()),
        fc.array(fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n })),
        fc.array(fc.string({ unit: 'binary' })),
        fc.array(fc.oneof(fc.constant(0), fc.constant(0), fc.nat(300)), { maxLength: 40 }),
        (varints, bigs, texts, counts) => {
          const writer = new ByteWriter();
          for (const value of varints) writer.varint(value);
          for (const value of bigs) writer.signed(value);
          for (const value of [...texts, '\ud800', 'x\udfff']) writer.text(value);
          writer.counts(Float64Array.from(counts));
          const reader = new ByteReader(writer.finish(), 'test');
          expect(varints.map(() => reader.varint())).toEqual(varints);
          expect(bigs.map(() => reader.signed())).toEqual(bigs);
          expect([...texts, '\ud800', 'x\udfff'].map(() => reader.text())).toEqual([...texts, '\ud800', 'x\udfff']);
          const read = new Float64Array(counts.length);
          reader.counts(read);
          expect(Array.from(read)).toEqual(counts);
          reader.end();
        },
      ),
    );
  });

  it('that are longer than they need be are refused: one value has one encoding', () => {
    for (const bytes of [[0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x80]])
      expect(() => new ByteReader(Uint8Array.from(bytes), 'test').varint()).toThrow(CorruptPackError);
    for (const bytes of [
      [0, 2, 1, 0],
      [0, 0, 1, 1],
      [0, 3, 1, 1, 1],
      [3, 0],
    ])
      expect(() => new ByteReader(Uint8Array.from(bytes), 'test').counts(new Float64Array(2))).toThrow(
        CorruptPackError,
      );
    expect(() => new ByteWriter().varint(-1)).toThrow(RangeError);
    expect(() => new ByteWriter().varint(0.5)).toThrow(RangeError);
  });
});

describe('rounding', () => {
  it('keeps twelve digits', () => {
    expect([1 / 3, 123_456_789_012_345, -0, 1e300 / 3].map(round12)).toEqual([
      0.333333333333, 123_456_789_012_000, 0, 3.33333333333e299,
    ]);
    expect([round12OrNull(Number.NaN), round12OrNull(null), round12OrNull(0.1 + 0.2)]).toEqual([null, null, 0.3]);
    expect(() => round12(Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });
});
