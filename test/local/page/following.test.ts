import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextDelay } from '../../../lib/local/page/data/pace.ts';
import {
  baselineChangePath,
  featurePath,
  modelPath,
  windowLimit,
  windowsPath,
} from '../../../lib/local/page/data/paths.ts';
import { reuse } from '../../../lib/local/page/data/reuse.ts';
import { href, parseRoute, type Route } from '../../../lib/local/page/data/routes.ts';
import { wellFormed } from '../../../lib/local/page/words/safe.ts';
import { NASTY } from './mock-data.ts';

describe('pace', () => {
  it('asks every two seconds, rarer while nobody answers, and recovers at once', () => {
    const delayAfter = (failures: number): number => nextDelay({ failures, took: 20, hidden: false });
    expect(delayAfter(0)).toBe(2000);
    expect([1, 2, 3].map(delayAfter)).toEqual([4000, 8000, 16_000]);
    expect(delayAfter(50)).toBe(30_000);
  });

  it('leaves time for the reader when answers are large, and rests when nobody looks', () => {
    expect(nextDelay({ failures: 0, took: 3000, hidden: false })).toBe(12_000);
    expect(nextDelay({ failures: 0, took: 60_000, hidden: false })).toBe(30_000);
    expect(nextDelay({ failures: 0, took: 5, hidden: true })).toBe(30_000);
  });
});

describe('reuse', () => {
  it('equals the newer answer, whatever the older one was', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (older, newer) => {
        const shared = reuse(JSON.parse(older), JSON.parse(newer) as unknown);
        expect(JSON.stringify(shared)).toBe(JSON.stringify(JSON.parse(newer)));
      }),
    );
  });

  it('is the older one where nothing changed', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const older: unknown = JSON.parse(text);
        expect(reuse(older, JSON.parse(text) as unknown)).toBe(older);
      }),
    );
  });

  it('keeps the parts that did not change, under any name', () => {
    const text = (n: number): string => `{"now":${n},"windows":[{"a":1},{"__proto__":{"x":1},"constructor":{"y":2}}]}`;
    type Answer = { now: number; windows: object[] };
    const older = JSON.parse(text(1)) as Answer;
    const shared = reuse(older, JSON.parse(text(2)) as Answer);
    expect(shared.now).toBe(2);
    expect(shared.windows).toBe(older.windows);
    const changed = reuse(older, JSON.parse(text(1).replace('"x":1', '"x":9')) as Answer);
    expect(changed.windows[0]).toBe(older.windows[0]);
    expect(JSON.stringify(changed.windows[1])).toBe('{"__proto__":{"x":9},"constructor":{"y":2}}');
    expect(Object.getPrototypeOf(changed.windows[1])).toBe(Object.prototype);
  });

  it('does not take a shorter list for the same', () => {
    const older = [1, 2, 3];
    expect(reuse(older, [1, 2])).toEqual([1, 2]);
    expect(reuse([1, 2], [1, 2, 3])).toEqual([1, 2, 3]);
    expect(reuse({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 });
  });
});

describe('addresses', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }).map(wellFormed),
    fc.constantFrom(...NASTY).map(wellFormed),
  );
  const time = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined });
  const route: fc.Arbitrary<Route> = fc.oneof(
    fc.constant({ view: 'models' as const }),
    fc.constant({ view: 'health' as const }),
    fc.record({
      view: fc.constant('model' as const),
      model: name,
      version: fc.option(name, { nil: undefined }),
      length: fc.constantFrom(undefined, '1d', '7d'),
      to: time,
      limit: fc.constantFrom(undefined, 100),
      at: time,
    }),
    fc.record({
      view: fc.constant('feature' as const),
      model: name,
      feature: name,
      version: fc.option(name, { nil: undefined }),
      length: fc.constantFrom(undefined, '1d'),
      start: time,
    }),
    fc.record({
      view: fc.constant('alerts' as const),
      id: fc.option(name, { nil: undefined }),
      model: fc.option(name, { nil: undefined }),
      state: fc.constantFrom(undefined, 'open' as const, 'closed' as const, 'all' as const),
    }),
  );

  it('lead back to where they come from, whatever the names', () => {
    fc.assert(
      fc.property(route, (one) => {
        expect(parseRoute(href(one))).toEqual(one);
      }),
    );
  });

  it('are never an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseRoute(`#${text}`)).toHaveProperty('view');
      }),
    );
    expect(parseRoute('#/models/%E0%A4%A').view).toBe('unknown');
    expect(parseRoute('#/nowhere').view).toBe('unknown');
    expect(parseRoute('')).toEqual({ view: 'models' });
    expect(parseRoute('#/models/m?to=nonsense&limit=0')).toMatchObject({ to: undefined, limit: undefined });
  });

  it('of the interface keep names whole', () => {
    expect(modelPath('a/b?c')).toBe('api/models/a%2Fb%3Fc');
    expect(featurePath('m', '../x', { start: 0 })).toBe(
      'api/models/m/features/..%2Fx?start=1970-01-01T00%3A00%3A00.000Z',
    );
    expect(windowsPath('m', { limit: 200, length: '7d' })).toBe('api/models/m/windows?length=7d&limit=200');
    expect(baselineChangePath('m', 2, 'approve')).toBe('api/models/m/baselines/2/approve');
  });

  it('ask for fewer windows when there are very many features', () => {
    expect(windowLimit(undefined, 6)).toBe(200);
    expect(windowLimit(1000, 6)).toBe(400);
    expect(windowLimit(undefined, 300)).toBe(80);
    expect(windowLimit(undefined, 100_000)).toBe(50);
  });
});
