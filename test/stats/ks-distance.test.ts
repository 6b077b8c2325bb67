import { describe, expect, it } from 'vitest';
import { largestDistance } from '../../lib/stats/ks.ts';

let state = 11;
/** Uniform, repeatable. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** Looks at every value. */
function plain(a: Float64Array, b: Float64Array): number {
  let largest = 0;
  for (const x of new Set([...a, ...b])) {
    const i = a.filter((value) => value <= x).length;
    const j = b.filter((value) => value <= x).length;
    largest = Math.max(largest, Math.abs(i * b.length - j * a.length));
  }
  return largest / (a.length * b.length);
}

const LAWS: Readonly<Record<string, (side: number) => number>> = {
  same: random,
  'a small shift': (side) => random() + 0.02 * side,
  'ties within and between': () => Math.floor(12 * random() ** 2),
  'long ties': (side) => (random() < 0.6 ? 0.5 : random() + 0.01 * side),
  apart: (side) => random() + 2 * side,
  'crossing twice': (side) => (side === 0 ? random() : 0.5 + (random() - 0.5) * 0.8),
};

describe('the largest distance of two laws', () => {
  for (const [law, draw] of Object.entries(LAWS))
    it(`agrees with looking at every value: ${law}`, () => {
      for (const [n, m] of [
        [1, 1],
        [3, 600],
        [1_100, 560],
      ] as const) {
        const a = Float64Array.from({ length: n }, () => draw(0)).sort();
        const b = Float64Array.from({ length: m }, () => draw(1)).sort();
        expect(largestDistance(a, b), `${n} and ${m}`).toBe(plain(a, b));
      }
    });
});
