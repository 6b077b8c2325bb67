import { describe, expect, test } from 'vitest';
import { LatencyHistogram } from '../../lib/engine/latency-histogram.ts';
import { judgeLatency } from '../../lib/engine/latency-verdict.ts';

function histogram(...groups: readonly (readonly [ms: number, count: number])[]): LatencyHistogram {
  const made = new LatencyHistogram();
  for (const [ms, count] of groups) for (let i = 0; i < count; i++) made.add(ms);
  return made;
}

const LIMIT = { latency: { p99: '200ms', p50: '50ms' } };

describe('latency', () => {
  test('nobody measured it', () => {
    expect(judgeLatency(histogram(), LIMIT, 0.001)).toBeNull();
  });

  test('more slow requests than allowed, beyond chance', () => {
    const slow = judgeLatency(histogram([20, 960], [400, 40]), LIMIT, 0.001);
    expect(slow).toMatchObject({ status: 'drifted', count: 1_000, threshold: 200 });
    expect(slow?.summary).toMatch(
      /^p99 above 200ms: 4\.0 % of requests were slower, 1\.0 % allowed \(p50 2\d(\.\d)? ms/,
    );
    expect(slow?.p50).toBeGreaterThanOrEqual(20);
    expect(slow?.p50).toBeLessThan(20 * 1.1);
  });

  test('12 of 1,000 is chance, and so is a bucket astride the limit', () => {
    expect(judgeLatency(histogram([20, 988], [400, 12]), LIMIT, 0.001)).toMatchObject({ status: 'ok' });
    expect(judgeLatency(histogram([20, 900], [199, 100]), LIMIT, 0.001)).toMatchObject({ status: 'ok' });
  });

  test('the median has a limit of its own', () => {
    expect(judgeLatency(histogram([20, 300], [90, 700]), LIMIT, 0.001)).toMatchObject({
      status: 'drifted',
      threshold: 50,
    });
  });

  test('without limits it is shown; few requests are not judged', () => {
    expect(judgeLatency(histogram([0, 50], [5_000, 50]), {}, 0.001)).toMatchObject({
      status: 'ok',
      threshold: null,
      p50: 0,
    });
    expect(judgeLatency(histogram([5_000, 10]), LIMIT, 0.001)).toMatchObject({
      status: 'insufficient-data',
      count: 10,
    });
  });
});
