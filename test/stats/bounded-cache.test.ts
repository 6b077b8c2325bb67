import { describe, expect, it } from 'vitest';
import { BoundedCache } from '../../lib/stats/bounded-cache.ts';

describe('the bounded cache', () => {
  it('makes a value once and forgets what was used least recently', () => {
    const made: string[] = [];
    const cache = new BoundedCache<string>(2);
    const get = (key: string): string =>
      cache.get(key, () => {
        made.push(key);
        return key.toUpperCase();
      });
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map(get)).toEqual(['A', 'B', 'A', 'C', 'A', 'B']);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
    expect(cache.size).toBe(2);
  });
});
