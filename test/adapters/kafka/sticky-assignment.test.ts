import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignSticky, decodeOwned, encodeOwned, type Owned } from '../../../lib/adapters/kafka/sticky-assignment.ts';

const owned = (...partitions: number[]): Owned => ({ partitions });
const members = fc
  .array(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 }), { minLength: 1, maxLength: 8 })
  .map((all) => new Map(all.map((partitions, i) => [`member-${i}`, owned(...partitions)])));

describe('the assignment of partitions', () => {
  it('gives every partition to one member, as evenly as can be, whatever is claimed', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 40 }), (claims, count) => {
        const assigned = assignSticky(claims, count);
        expect([...assigned.keys()].sort()).toEqual([...claims.keys()].sort());
        expect([...assigned.values()].flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        const sizes = [...assigned.values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves nothing when nothing changed, and after a change no more than it must', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 40 }), fc.nat(), (claims, count, who) => {
        const first = assignSticky(claims, count);
        const again = new Map([...first].map(([name, partitions]) => [name, owned(...partitions)]));
        expect(assignSticky(again, count)).toEqual(first);
        // One more: it takes its share, and everybody else only gives.
        const joined = assignSticky(new Map([...again, ['new', owned()]]), count);
        for (const [name, partitions] of first)
          expect(partitions.filter((one) => !joined.get(name)?.includes(one)).length).toBe(
            partitions.length - (joined.get(name)?.length ?? 0),
          );
        // One less: the others keep what they had.
        const gone = [...first.keys()][who % first.size] as string;
        if (first.size === 1) return;
        const left = assignSticky(new Map([...again].filter(([name]) => name !== gone)), count);
        for (const [name, partitions] of left)
          expect(partitions).toEqual(expect.arrayContaining(first.get(name) ?? []));
      }),
    );
  });

  it('does not depend on the order in which members are told', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 40 }), (claims, count) => {
        expect(assignSticky(new Map([...claims].reverse()), count)).toEqual(assignSticky(claims, count));
      }),
    );
  });

  it('reads what another member wrote, and takes anything else for nothing', () => {
    expect(decodeOwned(encodeOwned(owned(3, 1)))).toEqual(owned(3, 1));
    for (const other of [null, undefined, '', 'null', '{"partitions":7}', Buffer.from([0, 1, 255])])
      expect(decodeOwned(other)).toEqual(owned());
    expect(decodeOwned('{"partitions":[1,-1,"2",0.5,4]}')).toEqual(owned(1, 4));
  });
});
