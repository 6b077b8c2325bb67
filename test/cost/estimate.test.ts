import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { METRIC_DETAILS } from '../../lib/contracts/cloudwatch-metrics.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { formatProblem } from '../../lib/contracts/problem.ts';
import { estimate } from '../../lib/cost/estimate.ts';
import { DEFAULT_METRIC_BUDGET, guardCardinality, metricCost } from '../../lib/cost/guard.ts';
import { type ModelUsage, modelUsage, USUAL_COLUMNS, usage } from '../../lib/cost/usage.ts';

const model = (change: Partial<ModelUsage> = {}): ModelUsage => ({
  model: 'm',
  columns: 50,
  segments: 1,
  lengths: 3,
  windowsPerMonth: 730,
  performanceMetrics: 9,
  horizonHours: 48,
  ...change,
});
const many = (n: number, change: Partial<ModelUsage> = {}) =>
  Array.from({ length: n }, (_, i) => model({ model: `m-${i}`, ...change }));

describe('what a monitor adds', () => {
  it('counts features, lengths and windows as the monitor declares them', () => {
    const { monitor } = parseMonitor({
      model: 'flight-delay',
      task: 'binary-classification',
      columns: { score: 'probability', prediction: 'predicted' },
      features: { distance: { type: 'numeric' }, origin: { type: 'categorical' } },
      window: { every: '1h' },
      performance: { metrics: ['accuracy', 'f1'] },
    });
    expect(modelUsage(monitor!)).toEqual({
      model: 'flight-delay',
      columns: 4,
      segments: 1,
      lengths: 3,
      windowsPerMonth: 730 + 730 / 24 + 730 / 168,
      performanceMetrics: 2,
      horizonHours: 48,
    });
  });

  it('keeps profiles and results as long as the monitor says', () => {
    const of = (retention?: object) => {
      const { monitor, problems } = parseMonitor({ model: 'm', features: { a: { type: 'numeric' } }, retention });
      expect(problems).toEqual([]);
      const { parts } = estimate(usage({ models: [modelUsage(monitor!)], eventsPerMonth: 1 }));
      return parts.find(({ id }) => id === 'state-storage')!.usd;
    };
    expect(modelUsage(parseMonitor({ model: 'm', retention: { results: '100d' } }).monitor!)).toMatchObject({
      resultDays: 100,
    });
    expect(of({ profiles: '60d', results: '60d' })).toBeLessThan(of());
    expect(of({ profiles: '365d', results: '365d' })).toBeCloseTo(of(), 12);
  });

  it('takes the columns of the baseline where they are known, and a usual number where nothing is', () => {
    const { monitor } = parseMonitor({ model: 'm', window: { every: '7d' } });
    expect(modelUsage(monitor!, 12).columns).toBe(12);
    expect(modelUsage(monitor!)).toMatchObject({ columns: USUAL_COLUMNS, lengths: 1, performanceMetrics: 0 });
  });
});

describe('the bill of a month', () => {
  it('is the sum of its parts, and says where the prices are from', () => {
    const bill = estimate(usage({ models: many(50), eventsPerMonth: 1e9, stream: 'provisioned' }));
    expect(bill.parts.reduce((sum, part) => sum + part.usd, 0)).toBeCloseTo(bill.total, 9);
    expect(new Set(bill.parts.map(({ id }) => id)).size).toBe(bill.parts.length);
    expect(bill.prices).toMatchObject({ region: 'us-east-1', kind: 'list prices', currency: 'USD' });
    // The design's own table: 187 a month for this traffic, without what is kept, schedules and labels.
    expect(bill.total).toBeGreaterThan(150);
    expect(bill.total).toBeLessThan(400);
  });

  it('leaves out what is not there', () => {
    const bill = estimate(
      usage({
        models: [model({ performanceMetrics: 0 })],
        eventsPerMonth: 1e6,
        prometheus: false,
        retentionDays: 1,
      }),
    );
    expect(bill.parts.map(({ id }) => id)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/prometheus|labels|retention/)]),
    );
  });

  it('never falls when there is more traffic, and batching never makes it dearer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e10 }),
        fc.integer({ min: 1, max: 1e9 }),
        fc.constantFrom('provisioned', 'on-demand') as fc.Arbitrary<'provisioned' | 'on-demand'>,
        fc.integer({ min: 1, max: 60 }),
        (events, more, stream, eventsPerRecord) => {
          const total = (eventsPerMonth: number, batch: number) =>
            estimate(usage({ models: many(3), eventsPerMonth, stream, eventsPerRecord: batch })).total;
          expect(total(events + more, eventsPerRecord)).toBeGreaterThanOrEqual(total(events, eventsPerRecord) - 1e-6);
          expect(total(events, eventsPerRecord)).toBeLessThanOrEqual(total(events, 1) + 1e-6);
        },
      ),
    );
  });
});

describe('the cardinality guard', () => {
  it('is silent within the budget', () => {
    expect(guardCardinality(many(1_000), { detail: 'minimal', prometheus: true })).toEqual([]);
    expect(guardCardinality([], { detail: 'summary', prometheus: true, budget: 0 })).toEqual([]);
  });

  it('names models, columns and the price a month above it', () => {
    const [problem, ...others] = guardCardinality(many(1_000, { columns: 100 }), {
      detail: 'summary',
      prometheus: true,
    });
    expect(others).toEqual([]);
    const text = formatProblem(problem!);
    const cost = metricCost(many(1_000, { columns: 100 }), 'summary', true);
    expect(cost.total).toBeGreaterThan(DEFAULT_METRIC_BUDGET);
    expect(text).toContain(`$${Math.ceil(cost.total).toLocaleString('en-US')} a month`);
    expect(text).toContain('1,000 models, 100,000 columns');
    expect(text).toContain('6,000 metrics in CloudWatch (summary) at $1,800');
    expect(text).toContain('at most $1,000 a month');
  });

  it('grows with models, columns, statistics and segments', () => {
    const of = (change: Partial<ModelUsage>, n = 1) => metricCost(many(n, change), 'none', true).series.features;
    expect(of({})).toBe(50 * 5 * 3);
    expect(of({ columns: 100 })).toBe(2 * of({}));
    expect(of({ segments: 21 })).toBe(21 * of({}));
    expect(of({}, 7)).toBe(7 * of({}));
  });

  it('holds for every detail: more detail never costs less', () => {
    const costs = METRIC_DETAILS.map((detail) => metricCost(many(10), detail, true).total);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
  });
});
