/** Request and response of an inference, each folded on its own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Profile } from '../../lib/engine/profile.ts';
import { eventOf, type Fields, shapeOf } from './profile-data.ts';

const shape = shapeOf();
const [A, , , , SCORE] = shape.columns.map(({ index }) => index);

function folded(...events: readonly Fields[]): Profile {
  const profile = new Profile(shape);
  for (const fields of events) profile.fold(eventOf(fields));
  return profile;
}

/** `both`: request and response arrive; the numbers are the value of a feature and the score. */
const inference = fc.record({
  kind: fc.constantFrom('whole', 'both', 'request', 'response'),
  a: fc.option(fc.constantFrom(-7, 0, 0.25, 2, 5e7)),
  score: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  weight: fc.constantFrom(1, 1, 1, 4),
});

describe('halves of an inference', () => {
  it('count features by requests and predictions by responses, in any order and any batches', () => {
    fc.assert(
      fc.property(fc.array(inference, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (list, choices) => {
        const lines: Fields[] = list.flatMap(({ kind, a, score, weight }, i): Fields[] => {
          const id = `f-${i}`;
          const request = { id, type: 'request', numeric: { a } };
          const response = { id, type: 'response', score };
          if (kind === 'whole') return [{ id, numeric: { a }, score, weight }];
          return kind === 'both' ? [request, response] : [kind === 'request' ? request : response];
        });
        const all = folded(...lines);
        const mixed = lines
          .map((line) => ({ line, at: choices.next().value as number }))
          .sort((x, y) => x.at - y.at)
          .map(({ line }) => line);
        const cut = mixed.length === 0 ? 0 : (choices.next().value as number) % mixed.length;
        const merged = folded(...mixed.slice(0, cut));
        merged.merge(Profile.decode(folded(...mixed.slice(cut)).encode(), shape));
        expect(Buffer.from(merged.encode()).equals(Buffer.from(all.encode()))).toBe(true);

        const asked = list.filter(({ kind }) => kind !== 'response');
        const answered = list.filter(({ kind }) => kind !== 'request');
        expect(all.rows).toBe(asked.length);
        expect(all.distinctIds()).toBe(asked.length);
        expect(all.column(A!)).toMatchObject({
          n: asked.length,
          missing: asked.filter(({ a }) => a === null).length,
        });
        const score = all.column(SCORE!);
        expect(score).toMatchObject({
          n: answered.length,
          missing: answered.filter((one) => one.score === null).length,
        });
        if (score.weighted !== null) {
          const weightOf = (one: (typeof list)[number]) => (one.kind === 'whole' ? one.weight : 1);
          const missing = answered.filter((one) => one.score === null).map(weightOf);
          expect(score.weighted.missing).toEqual([
            missing.reduce((sum, weight) => sum + weight, 0),
            missing.reduce((sum, weight) => sum + weight * weight, 0),
          ]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leave the bytes of profiles without them as they were', () => {
    expect(folded({ id: 'f-1', numeric: { a: 1 } }).encode()[4]).toBe(1);
    expect(folded({ id: 'f-1', type: 'request', numeric: { a: 1 } }).encode()[4]).toBe(2);
  });

  it('refuse what belongs to the other half', () => {
    expect(() => eventOf({ type: 'request', score: 1 })).toThrow(/"score": is not for a request/);
    expect(() => eventOf({ type: 'response', numeric: {} })).toThrow(/"numeric": is not for a response/);
    expect(() => eventOf({ type: 'request', weight: 1 })).toThrow(/weight/);
  });
});
