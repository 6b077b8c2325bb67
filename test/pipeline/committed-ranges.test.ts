import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bounded, justBefore, type Range, rangeOf, withRanges } from '../../lib/pipeline/committed-ranges.ts';

const range = fc
  .tuple(fc.option(fc.nat(60), { nil: null, freq: 9 }), fc.nat(70))
  .map(([after, through]): Range => [after === null ? null : String(after), String(through)]);
const positions = Array.from({ length: 75 }, (_, i) => String(i));
const holds = ([after, through]: Range, position: string): boolean =>
  Number(position) <= Number(through) && (after === null || Number(position) > Number(after));

describe('sets of committed positions', () => {
  it('hold what any of their parts holds', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), fc.array(range, { maxLength: 4 }), (first, added) => {
        const union = withRanges(withRanges([], first), added);
        for (const position of positions) {
          const found = rangeOf(union, position);
          expect(found !== null).toBe([...first, ...added].some((one) => holds(one, position)));
          if (found !== null) expect(holds(found, position)).toBe(true);
        }
        // Neither overlapping nor touching, so as few as can be.
        for (const [i, [after]] of union.entries())
          if (i > 0) expect(Number(after)).toBeGreaterThan(Number((union[i - 1] as Range)[1]));
        expect(withRanges(union, added)).toEqual(union);
      }),
    );
  });

  it('compare numbers of any length', () => {
    expect(withRanges([['9', '10']], [['10', '100']])).toEqual([['9', '100']]);
    expect(rangeOf([['9', '100']], '11')).toEqual(['9', '100']);
    const sequence = '49590338271490256608559692538361571095921575989136588898';
    expect(withRanges([], [[justBefore(sequence), sequence]])).toEqual([
      ['49590338271490256608559692538361571095921575989136588897', sequence],
    ]);
    expect([justBefore('0'), justBefore('1'), justBefore('1000')]).toEqual([null, '0', '999']);
  });

  it('join the oldest when there are too many', () => {
    const ranges: Range[] = [
      ['0', '1'],
      ['2', '3'],
      ['4', '5'],
      ['6', '7'],
    ];
    expect(bounded(ranges, 4)).toBe(ranges);
    expect(bounded(ranges, 2)).toEqual([
      ['0', '5'],
      ['6', '7'],
    ]);
    expect(bounded(ranges, 1)).toEqual([['0', '7']]);
  });
});
