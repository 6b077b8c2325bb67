import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../lib/engine/bytes.ts';
import { FixedBins, fixedBinEdge } from '../../lib/engine/fixed-bins.ts';
import { Profile } from '../../lib/engine/profile.ts';
import { eventOf, shapeOf } from './profile-data.ts';

const value = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 5e-324, -5e-324, 1.7976931348623157e308, 2 ** -1022, 1.03125, 1.031249999),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -100, max: 100 }),
);

function binned(values: readonly number[]): FixedBins {
  const bins = new FixedBins();
  bins.addAll(Float64Array.from(values), 0, values.length);
  return bins;
}

const binOf = (x: number): number => binned([x]).bins()[0]!.bin;

describe('fixed bins', () => {
  it('hold a value between their edges', () => {
    fc.assert(
      fc.property(value, (x) => {
        const bin = binOf(x);
        const above = bin === -1 ? 0 : fixedBinEdge(bin + 1);
        if (bin >= 0) expect(x >= fixedBinEdge(bin) && (x < above || above === Number.POSITIVE_INFINITY)).toBe(true);
        else expect((x > fixedBinEdge(bin) || !Number.isFinite(fixedBinEdge(bin))) && x <= above).toBe(true);
      }),
    );
  });

  it('ascend with the values and are at most a 32nd of them wide', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(binOf(low)).toBeLessThanOrEqual(binOf(high));
        if (low >= 2 ** -1022 && high > low * (1 + 1 / 32)) expect(binOf(high)).toBeGreaterThan(binOf(low));
      }),
    );
  });

  it('count as a plain count does, and both zeros as one', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), (values) => {
        const plain = new Map<number, number>();
        for (const x of values) plain.set(binOf(x), (plain.get(binOf(x)) ?? 0) + 1);
        const expected = [...plain].sort(([a], [b]) => a - b).map(([bin, count]) => ({ bin, count }));
        expect(binned(values).bins()).toEqual(expected);
      }),
    );
    expect(binned([0, -0]).bins()).toEqual([{ bin: 0, count: 2 }]);
  });

  it('are refused where they do not add up or are none', () => {
    const bytesOf = (write: (writer: ByteWriter) => void): ByteReader => {
      const writer = new ByteWriter();
      write(writer);
      return new ByteReader(writer.finish(), 'test');
    };
    const three = binned([1, 2, 3]);
    expect(
      FixedBins.read(
        bytesOf((writer) => three.write(writer)),
        3,
      ).bins(),
    ).toEqual(three.bins());
    expect(() =>
      FixedBins.read(
        bytesOf((writer) => three.write(writer)),
        4,
      ),
    ).toThrow(/do not add up/);
    const beyond = (key: number) => (writer: ByteWriter) => {
      writer.varint(1);
      writer.varint(key);
      writer.counts(Float64Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)));
    };
    expect(() => FixedBins.read(bytesOf(beyond(2_047)), 1)).toThrow(/beyond the last/);
    expect(() => FixedBins.read(bytesOf(beyond(4_096)), 1)).toThrow(/beyond the last/);
  });
});

describe('a profile while a baseline is learned', () => {
  const features = { a: { type: 'numeric' }, c: { type: 'categorical' } } as const;
  const learning = shapeOf({ features, baseline: { learn: '7d' } }, null);

  it('keeps fixed bins and more categories, and has a shape of its own', () => {
    const profile = new Profile(learning);
    for (let i = 0; i < 200; i++)
      profile.fold(eventOf({ id: `${i}`, numeric: { a: i % 4 }, categorical: { c: `c-${i % 100}` } }));
    expect(profile.fixedBins(0)?.map(({ count }) => count)).toEqual([50, 50, 50, 50]);
    expect(profile.column(1).unseen.top).toHaveLength(100);
    expect(profile.column(1).unseen.total).toBe(200);
    const without = shapeOf({ features }, null);
    expect(without.digest).not.toBe(learning.digest);
    expect(new Profile(without).fixedBins(0)).toBeNull();
  });

  it('begins anew with another policy: values of both cannot make one baseline', () => {
    const hashed = shapeOf(
      { features: { ...features, c: { type: 'categorical', policy: 'hash' } }, baseline: { learn: '7d' } },
      null,
    );
    expect(hashed.digest).not.toBe(learning.digest);
    expect(shapeOf({ features, baseline: { learn: '14d' } }, null).digest).toBe(learning.digest);
  });
});
