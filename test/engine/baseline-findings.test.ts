import { describe, expect, test } from 'vitest';
import { baselineFindings } from '../../lib/engine/baseline-findings.ts';
import type { BaselineBlock } from '../../lib/engine/calibration.ts';
import { DAY, dayEffects, drawNormal, normalBaseline, START, seededRandom } from './verdict-data.ts';

function windows(odd: number | null, effects: readonly number[]) {
  return effects.map((effect, day) => ({
    start: START + day * DAY,
    drawn: drawNormal(seededRandom(900 + day), 2_000, { mean: effect + (day === odd ? 1.2 : 0) }),
  }));
}

function blocksOf(drawn: ReturnType<typeof windows>): BaselineBlock[] {
  return drawn.map(({ start, drawn: counts }) => {
    const inner = counts.slice(1, -2);
    inner[0]! += counts[0]!;
    inner[inner.length - 1]! += counts.at(-2)!;
    return { start, counts: [...inner, counts.at(-1)!] };
  });
}

const rule = { every: '1d', timezone: 'UTC' };

describe('findings about a baseline', () => {
  test.each([0, 0.1])('a day like no other is named, where days differ by %d', (spread) => {
    const drawn = windows(17, dayEffects(seededRandom(3), 31, spread));
    const found = baselineFindings(normalBaseline(drawn, '1d'), blocksOf(drawn), rule);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      code: 'anomalous-window',
      path: 'x',
      got: expect.stringMatching(/^\S.*, effect \d/),
    });
    expect(found[0]!.message).toContain('2024-01-18');
  });

  test('days that merely differ are not', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const drawn = windows(null, dayEffects(seededRandom(seed), 31, 0.2));
      expect(baselineFindings(normalBaseline(drawn, '1d'), blocksOf(drawn), rule)).toEqual([]);
    }
  });

  test('a baseline that moves from end to end is told as drifting, with the size of it', () => {
    for (const spread of [0, 0.05]) {
      const effects = dayEffects(seededRandom(4), 28, spread).map((effect, day) => effect + (0.5 * day) / 27);
      const drawn = windows(null, effects);
      const found = baselineFindings(normalBaseline(drawn, '1d'), blocksOf(drawn), rule);
      expect(found).toMatchObject([{ code: 'drifting-baseline', path: 'x' }]);
      expect(found[0]!.message).toContain('from 2024-01-01T00:00:00.000Z to 2024-01-28T00:00:00.000Z');
      const effect = Number(/^location, effect ([\d.]+)$/.exec(found[0]!.got ?? '')?.[1]);
      expect(effect).toBeGreaterThan(0.4);
      expect(effect).toBeLessThan(0.6);
    }
  });

  test('so is one of hours, over its days', () => {
    const drawn = Array.from({ length: 14 * 24 }, (_, hour) => ({
      start: START + (hour * DAY) / 24,
      drawn: drawNormal(seededRandom(hour), 200, { mean: 0.3 * Math.sin((hour * Math.PI) / 12) + hour / 1_000 }),
    }));
    const found = baselineFindings(normalBaseline(drawn, '1h'), blocksOf(drawn), { every: '1h', timezone: 'UTC' });
    expect(found).toMatchObject([{ code: 'drifting-baseline', path: 'x', got: expect.stringMatching(/^location/) }]);
  });

  test('without a calibration, or with few windows, there is nothing to say', () => {
    const drawn = windows(3, dayEffects(seededRandom(3), 8, 0));
    expect(baselineFindings(normalBaseline(drawn, null), blocksOf(drawn), rule)).toEqual([]);
    expect(baselineFindings(normalBaseline(drawn, '1d'), blocksOf(drawn), rule)).toEqual([]);
  });
});
