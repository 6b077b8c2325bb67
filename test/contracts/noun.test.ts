import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectedBy } from '../../lib/contracts/expected.ts';
import { noun } from '../../lib/contracts/noun.ts';

describe('a noun after its number', () => {
  it.each([
    [0, 'rows'],
    [1, 'row'],
    [2, 'rows'],
    [1.5, 'rows'],
  ])('of %d is %s', (count, expected) => expect(noun(count, 'row')).toBe(expected));

  it('has the plural that is told, where it is another one', () => {
    expect([1, 3].map((count) => noun(count, 'entry', 'entries'))).toEqual(['entry', 'entries']);
  });
});

describe('what a schema expects', () => {
  const said = (schema: z.ZodType, value: unknown): string => {
    const { error } = schema.safeParse(value);
    return expectedBy(error!.issues[0]!);
  };

  it('is told with nouns that fit their numbers', () => {
    expect(said(z.array(z.number()).min(1), [])).toBe('at least 1 entry');
    expect(said(z.array(z.number()).min(2), [])).toBe('at least 2 entries');
    expect(said(z.array(z.number()).max(1), [1, 2])).toBe('at most 1 entry');
    expect(said(z.string().min(1), '')).toBe('at least 1 character');
    expect(said(z.string().max(3), 'four')).toBe('at most 3 characters');
    expect(said(z.number().min(1), 0)).toBe('at least 1');
  });
});
