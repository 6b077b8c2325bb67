import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { volumeFindings } from '../../lib/engine/baseline-findings.ts';
import { judgeVolume } from '../../lib/engine/volume.ts';
import { DAY, HOUR, START, seededRandom } from './verdict-data.ts';

function baselineOf(every: '1h' | '1d', starts: readonly number[], rows: readonly number[]): Baseline {
  return {
    schema: 'mlmon.baseline/v1',
    model: 'm',
    version: '1',
    source: { kind: 'file', name: 'f', from: null, to: null },
    rows: rows.reduce((sum, n) => sum + n, 0),
    window: { every, timezone: 'UTC', count: rows.length },
    columns: [],
    volume: { starts, rows },
    performance: null,
    findings: [],
  };
}

const LEVEL = 0.0023;
const dayAt = (day: number) => ({ start: START + day * DAY, end: START + (day + 1) * DAY });

/** Weekdays 1,000, weekends 300, each ± 5 %. */
function daily(days: number, seed = 3): Baseline {
  const random = seededRandom(seed);
  const starts = Array.from({ length: days }, (_, day) => START + day * DAY);
  return baselineOf(
    '1d',
    starts,
    starts.map((_, day) => Math.round((day % 7 >= 5 ? 300 : 1_000) * Math.exp(0.05 * random.normal()))),
  );
}

describe('volume', () => {
  test('knows weekends after four weeks', () => {
    const baseline = daily(28);
    expect(judgeVolume(baseline, 310, dayAt(33), LEVEL)).toMatchObject({ status: 'ok' });
    expect(judgeVolume(baseline, 310, dayAt(35), LEVEL)).toMatchObject({ status: 'drifted' });
    expect(judgeVolume(baseline, 1_000, dayAt(33), LEVEL)?.summary).toMatch(
      /^1,000 rows, \d{3} expected: \d\.\d times as many$/,
    );
  });

  test('does not know them before, and is the more careful', () => {
    expect(judgeVolume(daily(14), 310, dayAt(21), LEVEL)).toMatchObject({ status: 'ok' });
  });

  test('nothing at all is found', () => {
    const result = judgeVolume(daily(28), 0, dayAt(35), LEVEL);
    expect(result).toMatchObject({ status: 'drifted', rows: 0 });
    expect(result?.summary).toMatch(/^0 rows, \d+ expected: 100 % fewer$/);
  });

  test('an empty hour is a surprise where there are always many rows, however much they vary, and none in a thin night', () => {
    const random = seededRandom(8);
    const starts = Array.from({ length: 28 * 24 }, (_, t) => START + t * HOUR);
    const isNight = (t: number) => t % 24 < 6;
    const rows = starts.map((_, t) =>
      isNight(t) ? random.binomial(1_000, 0.0025) : Math.round(300 * Math.exp(0.8 * random.normal())),
    );
    const baseline = baselineOf('1h', starts, rows);
    const hour = (t: number) => ({ start: START + t * HOUR, end: START + (t + 1) * HOUR });
    const first = 28 * 24;
    for (let t = 0; t < 24; t++)
      expect(judgeVolume(baseline, 0, hour(first + t), 7e-5)?.status).toBe(isNight(t) ? 'ok' : 'drifted');
    // A thin day is noticed as a day.
    expect(judgeVolume(baseline, 0, dayAt(28), 1e-3)?.status).toBe('drifted');
    const at = (t: number, empty: (t: number) => boolean) =>
      judgeVolume(
        baselineOf(
          '1h',
          starts,
          rows.map((count, i) => (empty(i) ? 0 : count)),
        ),
        0,
        hour(first + t),
        7e-5,
      )?.status;
    // Twice at that hour, or on three days at any: that is how this traffic is. Once is an incident, however long.
    expect(at(12, (t) => t % 24 === 12 && t < 48)).toBe('ok');
    expect(at(13, (t) => t % 24 === 12 && t < 48)).toBe('drifted');
    expect(at(13, (t) => t % 169 === 12)).toBe('ok');
    expect(at(13, (t) => t >= 100 && t < 116)).toBe('drifted');
  });

  test('a change of less than a fifth is not worth waking for, however sure', () => {
    const equal = baselineOf(
      '1d',
      Array.from({ length: 31 }, (_, d) => START + d * DAY),
      new Array(31).fill(1_000_000),
    );
    expect(judgeVolume(equal, 1_150_000, dayAt(35), 0.5)).toMatchObject({ status: 'ok' });
    expect(judgeVolume(equal, 1_500_000, dayAt(35), LEVEL)).toMatchObject({ status: 'drifted' });
  });

  test('hours have a season', () => {
    const random = seededRandom(5);
    const starts = Array.from({ length: 28 * 24 }, (_, t) => START + t * HOUR);
    const typical = (t: number) => 500 * (1 + 0.8 * Math.sin((2 * Math.PI * (t % 24)) / 24));
    const baseline = baselineOf(
      '1h',
      starts,
      starts.map((_, t) => Math.round(typical(t) * Math.exp(0.08 * random.normal()))),
    );
    const at = (t: number) => ({ start: START + t * HOUR, end: START + (t + 1) * HOUR });
    const night = 28 * 24 + 18;
    const level = 1e-4;
    expect(judgeVolume(baseline, typical(night), at(night), level)).toMatchObject({ status: 'ok' });
    expect(judgeVolume(baseline, typical(night) * 8, at(night), level)).toMatchObject({ status: 'drifted' });
    const day = judgeVolume(baseline, 12_000, { start: START + 28 * DAY, end: START + 29 * DAY }, LEVEL);
    expect(day).toMatchObject({ status: 'ok' });
    expect(day?.expected).toBeGreaterThan(11_000);
    expect(judgeVolume(baseline, 84_000, { start: START + 28 * DAY, end: START + 35 * DAY }, LEVEL)).toMatchObject({
      status: 'learning',
    });
  });

  test('quiet days stay within their share of the budget', () => {
    let flagged = 0;
    for (let seed = 0; seed < 40; seed++) {
      const all = daily(56, 100 + seed);
      const baseline = baselineOf('1d', all.volume!.starts.slice(0, 28), all.volume!.rows.slice(0, 28));
      for (let day = 28; day < 56; day++)
        if (judgeVolume(baseline, all.volume!.rows[day]!, dayAt(day), LEVEL)?.status === 'drifted') flagged++;
    }
    expect(flagged).toBeLessThanOrEqual(5);
  });

  test('without windows there is no volume', () => {
    expect(judgeVolume({ ...daily(28), volume: null }, 5, dayAt(1), LEVEL)).toBeNull();
    expect(judgeVolume(daily(3), 5, dayAt(4), LEVEL)).toMatchObject({ status: 'learning', pValue: null });
  });

  test('odd windows of a baseline are told, its ends are not', () => {
    const { volume } = daily(28);
    const rows = volume!.rows.map((n, day) => (day === 10 ? 20 : day === 0 ? 5 : n));
    expect(volumeFindings({ starts: volume!.starts, rows })).toMatchObject([
      { code: 'anomalous-volume', message: expect.stringContaining('2024-01-11'), got: '20' },
    ]);
  });
});
