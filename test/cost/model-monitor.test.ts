import { describe, expect, it } from 'vitest';
import { estimate } from '../../lib/cost/estimate.ts';
import { MODEL_MONITOR_ASSUMPTIONS, modelMonitorCost } from '../../lib/cost/model-monitor.ts';
import { type ModelUsage, usage } from '../../lib/cost/usage.ts';

const many = (n: number, change: Partial<ModelUsage> = {}): ModelUsage[] =>
  Array.from({ length: n }, (_, i) => ({
    model: `m-${i}`,
    columns: 50,
    segments: 1,
    lengths: 3,
    windowsPerMonth: 765,
    performanceMetrics: 0,
    horizonHours: 48,
    ...change,
  }));
const COLUMNS = [
  { events: 1e6, models: 1 },
  { events: 1e8, models: 10 },
  { events: 1e9, models: 50 },
  { events: 1e10, models: 200 },
];

describe('SageMaker Model Monitor', () => {
  it('costs what was worked out by hand when the platform was designed', () => {
    const jobs = (performanceMetrics: number) =>
      COLUMNS.map(({ events, models }) =>
        Math.round(
          modelMonitorCost(usage({ models: many(models, { performanceMetrics }), eventsPerMonth: events })).parts[0]!
            .usd,
        ),
      );
    expect(jobs(0)).toEqual([22, 224, 1_119, 4_477]);
    expect(jobs(9)).toEqual([45, 448, 2_239, 8_955]);
    const metrics = COLUMNS.map(
      ({ models }) => modelMonitorCost(usage({ models: many(models), eventsPerMonth: 1 })).parts[1]!.usd,
    );
    expect(metrics.map(Math.round)).toEqual([30, 300, 1_500, 4_000]);
  });

  it('is told with its assumptions, which can be replaced', () => {
    const asked = usage({ models: many(10), eventsPerMonth: 1e8 });
    const { assumptions, total, low, high, parts } = modelMonitorCost(asked);
    expect(assumptions.map(({ name }) => name)).toEqual(Object.keys(MODEL_MONITOR_ASSUMPTIONS));
    expect(low).toBeLessThan(total);
    expect(high).toBeGreaterThan(total);
    expect(parts.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(total, 9);
    const daily = modelMonitorCost(asked, { jobsAnHour: 1 / 24 });
    expect(daily.parts[0]!.usd).toBeCloseTo(parts[0]!.usd / 24, 9);
    expect(daily.assumptions.find(({ name }) => name === 'jobsAnHour')).toMatchObject({ by: 'said', value: 1 / 24 });
  });

  it('is compared on the same ground: models, traffic, prices, and how long what was captured is kept', () => {
    const asked = usage({ models: many(10), eventsPerMonth: 1e8, captureDays: 30 });
    const [ours, theirs] = [estimate(asked), modelMonitorCost(asked)];
    expect(ours.usage).toBe(asked);
    expect(theirs.parts[2]!.basis).toContain('kept 30 days');
    const none = modelMonitorCost(usage({ models: [], eventsPerMonth: 0 }));
    expect(none.total).toBe(0);
  });
});
