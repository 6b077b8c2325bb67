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

  test('without a calibration, or with few windows, there is nothing to say', () => {
    const drawn = windows(3, dayEffects(seededRandom(3), 8, 0));
    expect(baselineFindings(normalBaseline(drawn, null), blocksOf(drawn), rule)).toEqual([]);
    expect(baselineFindings(normalBaseline(drawn, '1d'), blocksOf(drawn), rule)).toEqual([]);
  });
});
