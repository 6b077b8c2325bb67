import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptPackError, checksum, UnsupportedVersionError } from '../../lib/engine/bytes.ts';
import { UNSEEN_KEPT } from '../../lib/engine/category-summary.ts';
import { hash52 } from '../../lib/engine/hash.ts';
import { NEW_FEATURES_KEPT, Profile } from '../../lib/engine/profile.ts';
import { ShapeMismatchError } from '../../lib/engine/profile-header.ts';
import type { Shape } from '../../lib/engine/shape.ts';
import {
  baselineOf,
  CATEGORIES,
  COLUMNS,
  categorical,
  EDGES,
  eventOf,
  type Fields,
  fieldsArbitrary,
  numeric,
  plainFieldsArbitrary,
  shapeOf,
} from './profile-data.ts';

const SEGMENTED = {
  segments: [
    { by: 'carrier', top: 3 },
    { by: 'c', top: 2 },
  ],
};

function profileOf(shape: Shape, events: readonly Fields[]): Profile {
  const profile = new Profile(shape);
  for (const fields of events) profile.fold(eventOf(fields));
  return profile;
}

/** Splits the events by the cuts, folds each part and merges the parts as a random tree. */
function mergedOf(shape: Shape, events: readonly Fields[], cuts: readonly number[]): Profile {
  const parts: Profile[] = [];
  let from = 0;
  for (const cut of [...cuts, events.length]) {
    const to = Math.min(events.length, from + cut);
    parts.push(profileOf(shape, events.slice(from, to)));
    from = to;
  }
  for (let i = 0; parts.length > 1; i++) {
    const into = (cuts[i % cuts.length] ?? 0) % parts.length;
    const [other] = parts.splice((into + 1) % parts.length, 1);
    const target = parts[into % parts.length] ?? parts[0]!;
    if (i % 2 === 0) target.merge(other!);
    else target.merge(Profile.decode(other!.encode(), shape));
  }
  return parts[0]!;
}

const scenario = (fields: fc.Arbitrary<Fields>) =>
  fc.record({
    events: fc.array(fields, { maxLength: 60 }),
    order: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 60, maxLength: 60 }),
    cuts: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }),
  });

describe('the bytes of a profile', () => {
  for (const [what, shape, fields] of [
    ['plain events', shapeOf(), plainFieldsArbitrary],
    ['weighted events', shapeOf(), fieldsArbitrary],
    ['weighted events with segments', shapeOf(SEGMENTED), fieldsArbitrary],
    [
      'no baseline',
      shapeOf({ features: { a: { type: 'numeric' }, c: { type: 'categorical' } } }, null),
      fieldsArbitrary,
    ],
    [
      'a baseline that is learned',
      shapeOf({ features: { a: { type: 'numeric' }, c: { type: 'categorical' } }, baseline: { learn: '7d' } }, null),
      fieldsArbitrary,
    ],
  ] as const)
    it(`depend on the multiset of events alone: ${what}`, () => {
      fc.assert(
        fc.property(scenario(fields), ({ events, order, cuts }) => {
          const shuffled = events
            .map((event, i) => ({ event, key: order[i]! }))
            .sort((a, b) => a.key - b.key)
            .map(({ event }) => event);
          const expected = profileOf(shape, events).encode();
          expect(Buffer.compare(mergedOf(shape, shuffled, cuts).encode(), expected)).toBe(0);
          expect(Buffer.compare(Profile.decode(expected, shape).encode(), expected)).toBe(0);
        }),
        { numRuns: 150 },
      );
    });

  it('differ when one event is left out', () => {
    const shape = shapeOf();
    fc.assert(
      fc.property(fc.array(plainFieldsArbitrary, { minLength: 1, maxLength: 20 }), (events) => {
        const fewer = profileOf(shape, events.slice(1)).encode();
        expect(Buffer.compare(profileOf(shape, events).encode(), fewer)).not.toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('do not depend on the path of folding: many rows, gaps, changing orders of names', () => {
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
    const shape = shapeOf({}, baselineOf(names.map((name) => numeric(name))));
    const rows = Array.from({ length: 900 }, (_, row) => {
      const order =
        row % 3 === 0 ? names : row % 3 === 1 ? [...names].reverse() : names.filter((_, i) => (row + i) % 5 > 1);
      return { id: `${row}`, numeric: Object.fromEntries(order.map((name, i) => [name, (row * (i + 1)) % 7])) };
    });
    const whole = profileOf(shape, rows);
    const detailed = new Profile(
      shapeOf({ segments: [{ by: 'none' }] }, baselineOf(names.map((name) => numeric(name)))),
    );
    for (const row of rows) detailed.fold(eventOf(row));
    for (const [index, name] of names.entries()) {
      const counts = new Array<number>(EDGES.length + 1).fill(0);
      for (const { numeric: map } of rows)
        if (map[name] !== undefined) counts[EDGES.filter((edge) => edge <= map[name]!).length]! += 1;
      expect([...Array.from(whole.column(index).bins)]).toEqual(counts);
      expect(detailed.column(index)).toMatchObject({ mean: whole.column(index).mean, std: whole.column(index).std });
      expect(Array.from(detailed.column(index).bins)).toEqual(counts);
    }
  });
});

/** What one event adds to one column, by the rules in the words of the header of profile.ts. */
function outcome(column: (typeof COLUMNS)[number], fields: Fields): string {
  const at = (map: unknown): unknown =>
    typeof map === 'object' && map !== null && Object.hasOwn(map, column.name)
      ? (map as Record<string, unknown>)[column.name]
      : null;
  const value = (): unknown => {
    if (column.role === 'score') return fields['score'] ?? null;
    if (column.role === 'prediction')
      return typeof fields['predicted'] === 'number' ? String(fields['predicted']) : (fields['predicted'] ?? null);
    return at(column.type === 'numeric' ? fields['numeric'] : fields['categorical']);
  };
  const own = value();
  if (own !== null) {
    if (column.type === 'numeric')
      return typeof own === 'number' ? `bin ${column.bins.edges.filter((edge) => edge <= own).length}` : 'invalid';
    if (typeof own !== 'string') return 'invalid';
    const bin = column.categories.indexOf(own);
    return bin < 0 ? 'unseen' : `bin ${bin}`;
  }
  if (column.role !== 'feature') return 'missing';
  const other = at(column.type === 'numeric' ? fields['categorical'] : fields['numeric']);
  return other !== null || at(fields['invalid']) !== null ? 'invalid' : 'missing';
}

describe('the counts of a profile', () => {
  it('are those of a plain count', () => {
    const shape = shapeOf();
    fc.assert(
      fc.property(fc.array(fieldsArbitrary, { maxLength: 40 }), (events) => {
        const profile = profileOf(shape, events);
        for (const [index, column] of COLUMNS.entries()) {
          const bins = column.type === 'numeric' ? EDGES.length + 1 : column.categories.length;
          const rows = new Map<string, number>();
          const weights = new Map<string, number>();
          for (const fields of events) {
            const what = outcome(column, fields);
            const weight = Number(fields['weight'] ?? 1);
            rows.set(what, (rows.get(what) ?? 0) + 1);
            weights.set(what, (weights.get(what) ?? 0) + Math.max(1, Math.round(weight * 4_096)) / 4_096);
          }
          const view = profile.column(index);
          const all = Array.from({ length: bins }, (_, bin) => `bin ${bin}`);
          expect(Array.from(view.bins)).toEqual(all.map((bin) => rows.get(bin) ?? 0));
          expect(view).toMatchObject({
            n: events.length,
            missing: rows.get('missing') ?? 0,
            invalid: rows.get('invalid') ?? 0,
            nonFinite: 0,
          });
          expect(view.unseen.total).toBe(rows.get('unseen') ?? 0);
          if (view.weighted === null) continue;
          expect(Array.from(view.weighted.w)).toEqual(all.map((bin) => weights.get(bin) ?? 0));
          expect(view.weighted.missing[0]).toBe(weights.get('missing') ?? 0);
          expect(view.weighted.unseen[0]).toBe(weights.get('unseen') ?? 0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of segments are those of the rows of the segment, and what is left over is the rest', () => {
    const shape = shapeOf(SEGMENTED);
    fc.assert(
      fc.property(fc.array(fieldsArbitrary, { maxLength: 40 }), (events) => {
        const profile = profileOf(shape, events);
        const segments = profile.segments();
        for (const by of ['carrier', 'c']) {
          const parts = segments.filter(({ segment }) => segment.startsWith(`${by}=`));
          expect(parts.at(-1)?.segment).toBe(`${by}=other`);
          expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(events.length);
          for (const part of parts.slice(0, -1)) {
            const value = part.segment.slice(by.length + 1);
            const own = events.filter((fields) => segmentOf(fields, by) === value);
            expect(part.rows).toBe(own.length);
            const alone = profileOf(shape, own);
            for (let index = 0; index < COLUMNS.length; index++) {
              const [view, expected] = [part.column(index), alone.column(index)];
              const { missing, invalid } = expected;
              expect(view).toMatchObject({ n: own.length, missing, invalid });
              expect(view.unseen.total).toBe(expected.unseen.total);
              expect(total(view.bins)).toBe(total(expected.bins));
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the values of a segment that the baseline names, and those of the smallest hash where it names none', () => {
    const events = Array.from({ length: 300 }, (_, i) => ({
      id: `${i}`,
      segment: { carrier: `k${i % 50}` },
      categorical: { c: ['zzz', 'LAX', 'JFK', 'other'][i % 4] },
    }));
    const names = profileOf(shapeOf(SEGMENTED), events)
      .segments()
      .map(({ segment }) => segment);
    const smallest = Array.from({ length: 50 }, (_, i) => `k${i}`)
      .sort((a, b) => hash52(a) - hash52(b))
      .slice(0, 3)
      .sort();
    expect(names).toEqual([
      ...smallest.map((value) => `carrier=${value}`),
      'carrier=other',
      'c=JFK',
      'c=LAX',
      'c=other',
    ]);
  });

  it('shows a group of bins in its first bin and keeps what is out of range apart', () => {
    const events = [-9, -5, -1, 0.1, 2e6, 1e6].map((a, i) => ({
      id: `${i}`,
      numeric: { a },
      segment: { carrier: 'AA' },
    }));
    const [part] = profileOf(shapeOf(SEGMENTED), events).segments();
    expect(Array.from(part!.column(0).bins)).toEqual([1, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2]);
  });
});

function segmentOf(fields: Fields, by: string): string | null {
  for (const map of [fields['segment'], fields['categorical']]) {
    if (typeof map !== 'object' || map === null || !Object.hasOwn(map, by)) continue;
    const value = (map as Record<string, unknown>)[by];
    if (typeof value === 'string') return value;
  }
  return null;
}

function total(bins: ArrayLike<number>): number {
  return Array.from(bins).reduce((sum, count) => sum + count, 0);
}

describe('what a profile says of numbers', () => {
  const shape = shapeOf();
  const of = (values: readonly number[]) =>
    profileOf(
      shape,
      values.map((a, i) => ({ id: `${i}`, numeric: { a } })),
    ).column(0);

  it('mean and deviation are those of the values, to the unit of the fixed point', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -60_000, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 700 }),
        (values) => {
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
          const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
          const view = of(values);
          expect(Math.abs(view.mean! - mean)).toBeLessThan(2 ** -10);
          expect(Math.abs(view.std! - std)).toBeLessThan(2 ** -9);
          expect(view.clamped).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('weighs them by their weights', () => {
    const profile = profileOf(shape, [
      { id: '1', numeric: { a: 1 }, weight: 3 },
      { id: '2', numeric: { a: 5 } },
    ]);
    expect(profile.column(0)).toMatchObject({ mean: 2, std: Math.sqrt(3) });
    expect([profile.rows, profile.weightedRows, profile.effectiveRows]).toEqual([2, 4, 1.6]);
  });

  it('takes values beyond the fixed point as its end, and counts them', () => {
    expect(of([1e308, -1e308, 1])).toMatchObject({ clamped: 2, min: -1e308, max: 1e308 });
  });

  it('knows one zero only', () => {
    for (const values of [[-0, 0], [0, -0], [-0]]) {
      const { min, max } = of(values);
      expect([Object.is(min, 0), Object.is(max, 0)]).toEqual([true, true]);
    }
    const bytes = [
      [0, -0],
      [-0, 0],
    ].map((values) =>
      profileOf(
        shape,
        values.map((a) => ({ id: 'one', numeric: { a } })),
      ).encode(),
    );
    expect(bytes[0]).toEqual(bytes[1]);
  });

  it('counts 1e999, which parses as infinity, as not finite', () => {
    const event = JSON.parse('{"numeric":{"a":1e999,"__proto__":-1e999}}') as Fields;
    const profile = new Profile(shape);
    profile.fold({ ...eventOf({}), numeric: event['numeric'] as Record<string, unknown> });
    expect(profile.column(0)).toMatchObject({ nonFinite: 1, missing: 0, min: null, mean: null });
    expect(profile.column(2)).toMatchObject({ nonFinite: 1 });
  });

  it('has nothing to say of a feature that never came', () => {
    const profile = profileOf(shape, [{ id: '1' }, { id: '2', numeric: { a: null } }]);
    expect(profile.column(0)).toMatchObject({
      n: 2,
      missing: 2,
      values: 0,
      mean: null,
      std: null,
      min: null,
      max: null,
    });
  });

  it('without a baseline counts, without bins and moments', () => {
    const bare = shapeOf(
      { task: 'regression', features: { a: { type: 'numeric' }, c: { type: 'categorical' } } },
      null,
    );
    expect(bare.columns.map(({ name, type }) => [name, type])).toEqual([
      ['a', 'numeric'],
      ['c', 'categorical'],
      ['score', 'numeric'],
      ['prediction', 'numeric'],
    ]);
    const profile = profileOf(bare, [
      { id: '1', numeric: { a: 3 }, categorical: { c: 'JFK' }, predicted: 7 },
      { id: '2' },
    ]);
    expect(profile.column(0)).toMatchObject({ n: 2, missing: 1, values: 1, min: 3, max: 3, mean: null });
    expect(profile.column(1).unseen).toEqual({ total: 1, top: [['JFK', 1]] });
    expect(profile.column(3)).toMatchObject({ values: 1, min: 7 });
  });
});

describe('what a profile keeps of names', () => {
  it('10,000 distinct categories: exact counts of those with the smallest hash, and the total', () => {
    const shape = shapeOf();
    const profile = new Profile(shape);
    const event = eventOf({});
    for (let i = 0; i < 20_000; i++) profile.fold({ ...event, id: `${i}`, categorical: { c: `cat-${i % 10_000}` } });
    const smallest = Array.from({ length: 10_000 }, (_, i) => `cat-${i}`)
      .sort((a, b) => hash52(a) - hash52(b))
      .slice(0, UNSEEN_KEPT)
      .sort();
    const { unseen } = profile.column(1);
    expect(unseen).toEqual({ total: 20_000, top: smallest.map((category) => [category, 2]) });
    expect(profile.encode().length).toBeLessThan(40_000);
  });

  it('new features: bounded, exact, most frequent first; those that the monitor leaves out are not new', () => {
    const shape = shapeOf({ features: { a: { type: 'numeric' } } });
    const profile = new Profile(shape);
    const event = eventOf({});
    for (let i = 0; i < 1_000; i++)
      profile.fold({ ...event, numeric: { [`new-${i % 100}`]: 1, a: null }, categorical: { c: 'JFK' } });
    profile.fold({ ...event, numeric: { 'new-1': 1 }, categorical: { 'new-1': 'x' }, invalid: { 'new-1': '?' } });
    expect(profile.newFeatureValues).toBe(1_001);
    const kept = profile.newFeatures();
    expect(kept).toHaveLength(NEW_FEATURES_KEPT);
    expect(new Set(kept.map(({ rows }) => rows)).size).toBeLessThanOrEqual(2);
    expect(kept.every(({ name, rows }) => rows === (name === 'new-1' ? 11 : 10))).toBe(true);
  });

  it('pollutes no prototype', () => {
    const profile = new Profile(shapeOf());
    const read = eventOf(
      JSON.parse('{"numeric":{"__proto__":5,"constructor":1},"categorical":{"__proto__":"x","toString":"y"}}'),
    );
    profile.fold(read);
    expect(({} as Record<string, unknown>)['5']).toBeUndefined();
    expect(profile.column(2)).toMatchObject({ values: 1, min: 5, invalid: 0 });
    expect(profile.column(3)).toMatchObject({ invalid: 1 });
    expect(profile.newFeatures()).toEqual([{ name: 'toString', rows: 1 }]);
  });

  it('brings back every category, lone surrogates and NUL too', () => {
    const shape = shapeOf();
    const odd = ['\ud800', 'a\u0000b', '\udfff\ud800', '', 'é', '😀', '\ufeffx', '\ufffd'];
    const profile = profileOf(
      shape,
      odd.map((c, i) => ({ id: `${i}`, categorical: { c } })),
    );
    const again = Profile.decode(profile.encode(), shape).column(1);
    expect(again.unseen.top.map(([category]) => category).sort()).toEqual(
      odd.filter((c) => !CATEGORIES.includes(c)).sort(),
    );
    expect(total(again.bins)).toBe(2);
  });
});

describe('reading a profile', () => {
  const shape = shapeOf(SEGMENTED);
  const events = Array.from({ length: 50 }, (_, i) => ({
    id: `${i}`,
    numeric: { a: i / 7 },
    categorical: { c: `c${i}` },
    segment: { carrier: `k${i % 5}` },
    latency_ms: i,
    weight: 1 + (i % 2),
  }));
  const bytes = profileOf(shape, events).encode();

  /** Fits the checksum to changed bytes, so that what lies behind it is tried too. */
  function resealed(changed: Uint8Array): Uint8Array {
    const body = changed.subarray(0, changed.length - 8);
    return Buffer.concat([body, checksum(body)]);
  }

  it('refuses bytes with any one changed, cut or added', () => {
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i]! ^= 1 << (i % 8);
      expect(() => Profile.decode(changed, shape)).toThrow(CorruptPackError);
      expect(() => Profile.decode(bytes.subarray(0, i), shape)).toThrow(CorruptPackError);
    }
    expect(() => Profile.decode(Buffer.concat([bytes, Buffer.from([0])]), shape)).toThrow(CorruptPackError);
  });

  it('never fails in another way, even where the checksum was made to fit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 9), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(bytes.length - 8),
        fc.boolean(),
        (changes, cut, isCut) => {
          const changed = isCut ? Buffer.concat([bytes.subarray(0, cut), new Uint8Array(8)]) : bytes.slice();
          for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
          try {
            const profile = Profile.decode(resealed(changed), shape);
            for (let i = 0; i < shape.columns.length; i++) expect(profile.column(i).missing).toBeGreaterThanOrEqual(0);
            profile.segments();
            profile.encode();
          } catch (error) {
            const expected = [CorruptPackError, UnsupportedVersionError, ShapeMismatchError];
            if (!expected.some((type) => error instanceof type)) throw error;
          }
        },
      ),
      { numRuns: 3_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(() => Profile.decode(noise, shape)).toThrow(CorruptPackError);
      }),
    );
  });

  it('says so when a newer release wrote it', () => {
    const newer = bytes.slice();
    newer[4] = 3;
    expect(() => Profile.decode(resealed(newer), shape)).toThrow(UnsupportedVersionError);
  });

  it('is never joined with another shape', () => {
    const other = shapeOf();
    expect(() => Profile.decode(bytes, other)).toThrow(ShapeMismatchError);
    expect(() => new Profile(other).merge(new Profile(shape))).toThrow(ShapeMismatchError);
  });

  it('takes no label', () => {
    const label = { ...eventOf({}), kind: 'label' as const };
    expect(() => new Profile(shape).fold(label)).toThrow(TypeError);
  });

  it('is versioned: this is the format', () => {
    const small = shapeOf({}, baselineOf([numeric('a'), categorical('c')]));
    const profile = profileOf(small, [
      { id: 'x', numeric: { a: 1 }, categorical: { c: 'JFK' }, latency_ms: 3 },
      { id: 'y', numeric: { a: 7 }, categorical: { c: 'nowhere' } },
    ]);
    expect(small.digest).toBe('2410a9c34cfe7d3d');
    expect(Buffer.from(profile.encode()).toString('hex')).toBe(
      '704d4c4601002410a9c34cfe7d3d02060101010101050101060101010080708080c02a000001000000000000f03f0000000000001c4000010e6e6f7768657265010002b69ff2c2bbdaa103c7d4b18a8df0c7015d0101e301000000f6e25d540d390584',
    );
  });
});
