import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Covering, coverOf } from '../../lib/pipeline/cover.ts';

const leaf = (i: number): Covering => ({ key: `packs/${i}`, leaves: [`packs/${i}`] });
const merged = (name: string, leaves: readonly number[]): Covering => ({
  key: `profiles/${name}`,
  leaves: leaves.map((i) => `packs/${i}`),
});

describe('the cover of a grain', () => {
  it('takes a merge for its parts', () => {
    expect(coverOf([leaf(1), leaf(2), leaf(3), merged('a', [1, 2])])).toEqual(['packs/3', 'profiles/a']);
  });

  it('leaves out what a larger merge repeats', () => {
    expect(coverOf([merged('a', [1]), merged('b', [1, 2]), leaf(2)])).toEqual(['profiles/b']);
  });

  it('goes back to leaves where merges overlap', () => {
    expect(coverOf([merged('a', [1, 2, 3]), merged('b', [3, 4])])).toEqual(['packs/4', 'profiles/a']);
  });

  it('is empty for nothing', () => {
    expect(coverOf([])).toEqual([]);
  });

  it('has each leaf exactly once, whatever merges there are, in whatever order they are listed', () => {
    const sources = fc
      .array(fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 8 }), { maxLength: 10 })
      .map((sets) => [
        ...sets.map((leaves, i) => (leaves.length === 1 ? leaf(leaves[0] as number) : merged(String(i), leaves))),
      ]);
    fc.assert(
      fc.property(sources, fc.nat(), (all, turn) => {
        const chosen = coverOf(all);
        const leavesOf = (key: string) => all.find((source) => source.key === key)?.leaves ?? [key];
        const counted = chosen.flatMap(leavesOf).sort();
        expect(counted).toEqual([...new Set(all.flatMap(({ leaves }) => leaves))].sort());
        const turned = [...all.slice(turn % (all.length + 1)), ...all.slice(0, turn % (all.length + 1))];
        expect(coverOf(turned)).toEqual(chosen);
      }),
      { numRuns: 300 },
    );
  });
});
