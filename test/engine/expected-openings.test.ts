import { describe, expect, it } from 'vitest';
import type { Baseline, ColumnBaseline } from '../../lib/contracts/baseline.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { expectedFindings, expectedOpenings } from '../../lib/engine/expected-openings.ts';
import { compileShape, type Shape } from '../../lib/engine/shape.ts';

const NOTHING = { volume: false, latency: false, performance: false };
const NAMES = ['a', 'b', 'c'];

/** Of a monitor with three features, of which the baseline has the first `known`. */
function shapeOf(known: number, more: Readonly<Record<string, unknown>> = {}): Shape {
  const { monitor, problems } = parseMonitor({
    model: 'm',
    budget: '2 per 60d',
    features: Object.fromEntries(NAMES.map((name) => [name, { type: 'categorical' }])),
    ...more,
  });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  const columns = NAMES.slice(0, known).map(
    (name): ColumnBaseline => ({
      name,
      type: 'categorical',
      role: 'feature',
      count: 100,
      missing: 0,
      categories: ['x', 'y'],
      counts: [60, 40],
      other: 0,
      distinct: 2,
      verdictBin: [0, 1],
      calibration: null,
    }),
  );
  const baseline: Baseline = {
    schema: 'mlmon.baseline/v1',
    model: 'm',
    version: '1',
    source: { kind: 'file', name: 'f', from: null, to: null },
    rows: 100,
    window: null,
    columns,
    volume: null,
    performance: null,
    findings: [],
  };
  return compileShape(monitor, baseline);
}

describe('openings to be expected when nothing changed', () => {
  it('are the shares of what is judged, of the budget of a month, whatever the columns and the windows', () => {
    for (const every of ['15m', '1h', '1d'])
      for (const known of [1, 3])
        expect(expectedOpenings(shapeOf(known, { window: { every } }), NOTHING).high).toBeCloseTo(0.6, 12);
    expect(expectedOpenings(shapeOf(3), { ...NOTHING, volume: true }).high).toBeCloseTo(0.7, 12);
    expect(expectedOpenings(shapeOf(3), { ...NOTHING, performance: true }).high).toBeCloseTo(0.8, 12);
    const limits = { latency: { p50: '10ms', p99: '100ms' } };
    expect(expectedOpenings(shapeOf(3, limits), { ...NOTHING, latency: true }).high).toBeCloseTo(0.7, 12);
    const all = expectedOpenings(shapeOf(3, limits), { volume: true, latency: true, performance: true });
    expect(all.high).toBeCloseTo(1, 12);
    expect(all.low).toBeGreaterThan(0);
    expect(all.low).toBeLessThan(all.high);
  });

  it('are none of columns that the baseline does not have', () => {
    expect(expectedOpenings(shapeOf(0), NOTHING)).toEqual({ low: 0, high: 0 });
    expect(expectedOpenings(shapeOf(0), { ...NOTHING, volume: true }).high).toBeCloseTo(0.1, 12);
  });

  it('are never more than half a window has of one comparison, however large the budget', () => {
    const high = expectedOpenings(shapeOf(1, { budget: '900 per 1d', window: { every: '1h' } }), NOTHING).high;
    expect(high).toBeLessThan(30 * 24 + 30);
    expect(expectedFindings([0.01, 0.02])).toMatchObject({ high: expect.closeTo(0.03, 12) });
  });
});
