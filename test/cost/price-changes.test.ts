import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../lib/contracts/problem.ts';
import { estimate } from '../../lib/cost/estimate.ts';
import { changePrices } from '../../lib/cost/price-changes.ts';
import { LIST_PRICES, type PriceName } from '../../lib/cost/prices.ts';
import { usage } from '../../lib/cost/usage.ts';

const asOf = '2026-11-21';
const models = [
  { model: 'm', columns: 50, segments: 1, lengths: 3, windowsPerMonth: 800, performanceMetrics: 9, horizonHours: 48 },
];
const USAGE = usage({ models, eventsPerMonth: 1e8, overHttp: 0.2 });

describe('prices of yours', () => {
  it('replace what they name and nothing else, and tell that they do', () => {
    const steps = [{ to: 100, usd: 1 }, { usd: 0.5 }];
    const { prices, problems } = changePrices({
      asOf,
      region: 'eu-central-1',
      kind: 'prices of our agreement',
      prices: { kinesisShardHour: 0.018, cloudWatchMetric: steps },
    });
    expect(problems).toEqual([]);
    expect(prices).toMatchObject({ region: 'eu-central-1', kind: 'prices of our agreement', asOf, currency: 'USD' });
    expect(prices.single.kinesisShardHour).toMatchObject({ usd: 0.018, source: 'changed' });
    expect({ ...prices.single, kinesisShardHour: null }).toEqual({ ...LIST_PRICES.single, kinesisShardHour: null });
    expect(prices.tiered.cloudWatchMetric.steps).toEqual([
      { to: 100, usd: 1 },
      { to: Number.POSITIVE_INFINITY, usd: 0.5 },
    ]);
    expect(estimate(USAGE, prices).changedPrices).toEqual({ kinesisShardHour: 0.018, cloudWatchMetric: steps });
  });

  it('make no part cheaper when one rises', () => {
    const names = Object.keys(LIST_PRICES.single) as PriceName[];
    const parts = new Map(estimate(USAGE).parts.map(({ id, usd }) => [id, usd]));
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.double({ min: 1, max: 1_000, noNaN: true }), (name, times) => {
        const { prices } = changePrices({ asOf, prices: { [name]: LIST_PRICES.single[name].usd * times } });
        for (const { id, usd, low, high } of estimate(USAGE, prices).parts) {
          expect(usd).toBeGreaterThanOrEqual(parts.get(id)! * (1 - 1e-12));
          expect(low).toBeLessThanOrEqual(usd);
          expect(high).toBeGreaterThanOrEqual(usd);
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [null, 'is no list of prices'],
    [{ asOf, prices: [] }, 'prices: is no list of prices'],
    [{ prices: {} }, 'asOf: is missing'],
    [{ asOf: '21.11.2026', prices: {} }, 'asOf: is not right, got "21.11.2026"; expected a day, YYYY-MM-DD'],
    [{ asOf, prices: { kinesisShardHours: 1 } }, 'prices.kinesisShardHours: is the name of no price'],
    [{ asOf, prices: { kinesisShardHour: -1 } }, 'prices.kinesisShardHour: is no price, got -1'],
    [{ asOf, prices: { kinesisShardHour: '0.01' } }, 'prices.kinesisShardHour: is no price, got "0.01"'],
    [{ asOf, prices: { cloudWatchMetric: 0.3 } }, 'prices.cloudWatchMetric: has wrong steps'],
    [{ asOf, prices: { cloudWatchMetric: [{ to: 10, usd: 1 }] } }, 'prices.cloudWatchMetric: has wrong steps'],
    [{ asOf, prices: { cloudWatchMetric: [{ to: 10, usd: 1 }, { to: 5, usd: 1 }, { usd: 1 }] } }, 'has wrong steps'],
    [{ asOf, prices: {}, zone: 'a' }, 'zone: is unknown'],
  ])('are refused where they are wrong: %j', (input, message) => {
    const { prices, problems } = changePrices(input);
    expect(problems.map(formatProblem).join('\n')).toContain(message);
    expect(prices.single).toEqual(LIST_PRICES.single);
  });
});
