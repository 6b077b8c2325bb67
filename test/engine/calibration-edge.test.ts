import { describe, expect, it } from 'vitest';
import type { NumericBaseline } from '../../lib/contracts/baseline.ts';
import { calibrate } from '../../lib/engine/calibration.ts';
import { ColumnJudge } from '../../lib/engine/column-judge.ts';

const DAY = 86_400_000;

/** One fine bin a verdict bin, empty ones at both ends. */
function columnOf(counts: readonly number[]): NumericBaseline {
  const bins = counts.length;
  return {
    name: 'x',
    type: 'numeric',
    role: 'feature',
    count: counts.reduce((all, n) => all + n, 0),
    missing: 0,
    nonFinite: 0,
    mean: 0,
    std: 1,
    min: 0,
    max: bins,
    integer: false,
    center: 0,
    unit: 1,
    bins: {
      edges: Array.from({ length: bins + 1 }, (_, i) => i),
      verdictBin: [0, ...Array.from({ length: bins }, (_, i) => i), bins - 1],
    },
    counts: [0, ...counts, 0],
    calibration: null,
  };
}

describe('a calibration whose tail has just the rows that make it one', () => {
  // 0.0015 of the rows in the lowest bin: as many as the tail of a thousandth takes.
  it.each([2_000, 4_000, 6_000, 8_000, 10_000, 14_000, 22_000, 34_000])(
    'is read as it was made, of %i rows',
    (rows) => {
      const tail = (15 * rows) / 10_000;
      for (let seed = 1; seed <= 8; seed++) {
        const middle = Array.from({ length: 11 }, (_, i) => 100 + ((i * 37 * seed) % 61));
        const all = middle.reduce((sum, n) => sum + n, 0);
        const scaled = middle.map((n) => Math.floor((n / all) * (rows - 2 * tail)));
        const counts = [tail, ...scaled, tail];
        counts[5] = (counts[5] ?? 0) + rows - counts.reduce((sum, n) => sum + n, 0);
        const column = columnOf(counts);
        const blocks = [0, 1].map((day) => ({
          start: day * DAY,
          counts: [...counts.map((n) => (day === 0 ? Math.floor(n / 2) : n - Math.floor(n / 2))), 0],
        }));
        const calibration = calibrate(column, blocks, { every: '1d', timezone: 'UTC' });
        expect(calibration).not.toBeNull();
        expect(new ColumnJudge({ ...column, calibration }).broken).toBeNull();
      }
    },
  );
});
