import { describe, expect, it } from 'vitest';
import { sortDoubles } from '../../lib/stats/sort-doubles.ts';

let state = 3;
/** Uniform, repeatable. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const LAWS: Readonly<Record<string, () => number>> = {
  uniform: random,
  'both signs': () => (random() - 0.5) * 10 ** Math.floor(40 * random() - 20),
  integers: () => Math.floor(9 * random()) - 4,
  'nearly one value': () => 1 + random() * 1e-9,
  'one far from the others': () => (random() < 0.02 ? 1e9 : random()),
  'zeros of both signs': () => (random() < 0.2 ? 0 : random() < 0.2 ? -0 : random() - 0.5),
  'edges of the range': () =>
    [0, -0, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE, Infinity, -Infinity, NaN, 1][
      Math.floor(9 * random())
    ]!,
};

describe('sorting doubles', () => {
  for (const [law, draw] of Object.entries(LAWS))
    it(`answers as the built-in sort does: ${law}`, () => {
      for (const n of [0, 1, 2, 23, 24, 25, 100, 999, 4_095, 4_096, 20_000]) {
        const values = Float64Array.from({ length: n }, draw);
        // Bit for bit, -0 before 0 included; a view that does not begin its buffer.
        const view = new Float64Array(n + 3).subarray(3);
        view.set(values);
        const sorted = Buffer.from(Float64Array.from(sortDoubles(view)).buffer);
        expect(sorted.equals(Buffer.from(values.sort().buffer)), `${n} values`).toBe(true);
      }
    });
});
