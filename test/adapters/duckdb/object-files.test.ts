import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FetchedObjects, filesInPlace } from '../../../lib/adapters/duckdb/object-files.ts';
import { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';

let store: MemoryStore;
let gets: string[];
let files: FetchedObjects;

beforeEach(async () => {
  store = new MemoryStore();
  for (const key of ['a', 'b', 'c', 'd']) await store.putIfAbsent(key, new TextEncoder().encode(key.repeat(100)));
  gets = [];
  const counted = {
    get: (key: string) => {
      gets.push(key);
      return store.get(key);
    },
  };
  files = await FetchedObjects.open({ store: counted, limitBytes: 250 });
});
afterEach(() => files.close());

const read = (keys: readonly string[]): Promise<string[]> =>
  files.hold(keys, async (path) => keys.map((key) => readFileSync(path(key), 'utf8')));

describe('copies of objects', () => {
  it('are fetched once while there is room, and hold what the objects hold', async () => {
    expect(await read(['a', 'b', 'a'])).toEqual(['a'.repeat(100), 'b'.repeat(100), 'a'.repeat(100)]);
    expect(await read(['b'])).toEqual(['b'.repeat(100)]);
    expect(gets).toEqual(['a', 'b']);
  });

  it('never take more than their room: what was read longest ago goes first', async () => {
    await read(['a']);
    await read(['b']);
    await read(['a']);
    await read(['c']);
    expect(files.bytes).toBeLessThanOrEqual(250);
    await read(['a']);
    expect(gets).toEqual(['a', 'b', 'c']);
    await read(['b']);
    expect(gets).toEqual(['a', 'b', 'c', 'b']);
  });

  it('stay while they are read, and what does not fit beside them is refused with what to do', async () => {
    let other = '';
    await files.hold(['a', 'b'], async (path) => {
      await expect(read(['c'])).rejects.toThrow(/scratch\.diskBytes: .* raise scratch\.diskBytes/);
      other = path('a');
      expect(existsSync(other)).toBe(true);
    });
    await expect(read(['a', 'b', 'c'])).rejects.toThrow(/at most 250/);
    expect(await read(['c', 'd'])).toHaveLength(2);
    expect(files.bytes).toBe(200);
  });

  it('are given up when objects were written anew, those that are read just then when they are done with', async () => {
    let state = '1';
    const own = await FetchedObjects.open({ store, limitBytes: 250, changed: async () => state });
    try {
      const body = async (key: string): Promise<string> =>
        own.hold([key], async (path) => readFileSync(path(key), 'utf8'));
      await body('a');
      await own.hold(['b'], async (path) => {
        for (const key of ['a', 'b']) {
          const { etag = '' } = (await store.get(key)) ?? {};
          await store.putIfUnchanged(key, new TextEncoder().encode('new'), etag);
        }
        expect(await body('a')).toBe('a'.repeat(100));
        state = '2';
        expect(await body('a')).toBe('new');
        expect(await body('b')).toBe('new');
        expect(readFileSync(path('b'), 'utf8')).toBe('b'.repeat(100));
      });
      expect(await body('b')).toBe('new');
      expect(own.bytes).toBe(6);
    } finally {
      await own.close();
    }
  });

  it('are asked for together by readers that come together', async () => {
    await Promise.all([read(['a', 'b']), read(['b', 'a']), read(['a'])]);
    expect(gets.sort()).toEqual(['a', 'b']);
  });

  it('are not kept of what is gone, or of a failed read', async () => {
    await expect(read(['a', 'x'])).rejects.toThrow('x: the object is gone');
    await store.putIfAbsent('x', new Uint8Array([65]));
    expect(await read(['x'])).toEqual(['A']);
    await expect(files.hold(['a'], async (path) => path('b'))).rejects.toThrow('was not asked for');
  });

  it('leave nothing behind', async () => {
    const folder = await files.hold(['a'], async (path) => path('a').replace(/\/[^/]*$/, ''));
    await files.close();
    expect(existsSync(folder)).toBe(false);
  });

  it('are not needed where objects are files', async () => {
    expect(await filesInPlace((key) => `/data/${key}`).hold(['a'], async (path) => path('a'))).toBe('/data/a');
  });
});
