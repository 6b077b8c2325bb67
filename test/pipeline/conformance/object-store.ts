/** What every ObjectStore must do. An adapter runs it as `objectStoreConformance('s3', make)`. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConflictError, type ObjectStore } from '../../../lib/pipeline/ports.ts';

export interface ObjectStoreSubject {
  /** Empty. */
  readonly store: ObjectStore;
  /** A second client of the same objects; the same one where that makes no difference. */
  readonly other: ObjectStore;
  close(): Promise<void>;
}

export interface KnownFaults {
  /**
   * The service checks the condition of a put and then writes, and a removal may come between: the object is back. Little rests on it, since
   * what is removed is changed by nobody any more. Says why the service does so.
   */
  readonly removalsUnordered?: string;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function objectStoreConformance(
  name: string,
  make: () => Promise<ObjectStoreSubject>,
  faults: KnownFaults = {},
): void {
  describe(`object store: ${name}`, () => {
    let subject: ObjectStoreSubject;
    let store: ObjectStore;
    beforeEach(async () => {
      subject = await make();
      store = subject.store;
    });
    afterEach(() => subject.close());

    const textOf = async (key: string): Promise<string | null> => {
      const object = await store.get(key);
      return object === null ? null : new TextDecoder().decode(object.body);
    };

    it('has nothing at first', async () => {
      expect(await store.get('a/b')).toBeNull();
      expect(await store.getRange('a/b', 0, 10)).toBeNull();
      expect(await store.list('')).toEqual([]);
      await store.delete('a/b');
    });

    it('returns what was put, byte for byte', async () => {
      const every = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
      const etag = await store.putIfAbsent('a/b.bin', every);
      const got = await store.get('a/b.bin');
      expect(got?.etag).toBe(etag);
      expect(Buffer.from(got?.body ?? []).equals(every)).toBe(true);
    });

    it('keeps empty objects', async () => {
      await store.putIfAbsent('empty', new Uint8Array());
      expect((await store.get('empty'))?.body).toHaveLength(0);
      expect(await store.getRange('empty', 0, 5)).toHaveLength(0);
    });

    it('does not share its bytes', async () => {
      const body = bytes('before');
      await store.putIfAbsent('k', body);
      body.fill(0);
      (await store.get('k'))?.body.fill(0);
      expect(await textOf('k')).toBe('before');
    });

    it('puts only where there is none', async () => {
      await store.putIfAbsent('k', bytes('first'));
      await expect(store.putIfAbsent('k', bytes('second'))).rejects.toThrow(ConflictError);
      await expect(subject.other.putIfAbsent('k', bytes('first'))).rejects.toThrow(ConflictError);
      expect(await textOf('k')).toBe('first');
    });

    it('replaces only what is unchanged', async () => {
      const first = await store.putIfAbsent('k', bytes('1'));
      const second = await store.putIfUnchanged('k', bytes('2'), first);
      expect(second).not.toBe(first);
      await expect(store.putIfUnchanged('k', bytes('3'), first)).rejects.toThrow(ConflictError);
      expect(await textOf('k')).toBe('2');
      expect((await store.get('k'))?.etag).toBe(second);
      await store.putIfUnchanged('k', bytes('3'), second);
      expect(await textOf('k')).toBe('3');
    });

    it('does not replace what is not there', async () => {
      const etag = await store.putIfAbsent('k', bytes('1'));
      await store.delete('k');
      await expect(store.putIfUnchanged('k', bytes('2'), etag)).rejects.toThrow(ConflictError);
      expect(await store.get('k')).toBeNull();
    });

    it('deletes, and can put again', async () => {
      await store.putIfAbsent('a/b/c', bytes('1'));
      await store.putIfAbsent('a/b/d', bytes('2'));
      await store.delete('a/b/c');
      expect(await store.get('a/b/c')).toBeNull();
      expect(await store.list('')).toEqual(['a/b/d']);
      await store.delete('a/b/d');
      expect(await store.list('')).toEqual([]);
      await store.putIfAbsent('a/b/c', bytes('3'));
      expect(await textOf('a/b/c')).toBe('3');
    });

    it('reads a range, cut at the end of the object', async () => {
      await store.putIfAbsent('k', bytes('0123456789'));
      const range = async (start: number, end: number): Promise<string> =>
        new TextDecoder().decode((await store.getRange('k', start, end)) ?? bytes('none'));
      expect(await range(0, 4)).toBe('0123');
      expect(await range(3, 7)).toBe('3456');
      expect(await range(8, 99)).toBe('89');
      expect(await range(5, 5)).toBe('');
      expect(await range(10, 12)).toBe('');
      expect(await range(50, 60)).toBe('');
    });

    it('refuses a wrong range', async () => {
      await store.putIfAbsent('k', bytes('0123456789'));
      for (const [start, end] of [
        [-1, 3],
        [4, 2],
        [0.5, 2],
        [0, Number.NaN],
      ] as const) {
        await expect(store.getRange('k', start, end)).rejects.toThrow(RangeError);
      }
    });

    it('refuses wrong keys', async () => {
      const wrong = [
        '',
        '/a',
        'a/',
        'a//b',
        '..',
        '../a',
        'a/../b',
        './a',
        'a/.',
        'a\0b',
        'a\\b',
        'a/\ud800',
        'x'.repeat(256),
      ];
      for (const key of [...wrong, `${'y/'.repeat(600)}y`]) {
        await expect(store.putIfAbsent(key, bytes('x')), JSON.stringify(key)).rejects.toThrow(RangeError);
        await expect(store.get(key), JSON.stringify(key)).rejects.toThrow(RangeError);
        await expect(store.delete(key), JSON.stringify(key)).rejects.toThrow(RangeError);
      }
      expect(await store.list('')).toEqual([]);
    });

    it('keeps keys apart that look alike', async () => {
      const keys = ['a', 'a b', 'a%20b', 'a=b', 'ä', 'a\u0308', 'p/%2E%2E/q', 'p/...', 'p/..a', 'p/-', '日本/😀'];
      for (const key of keys) await store.putIfAbsent(key, bytes(key));
      for (const key of keys) expect(await textOf(key)).toBe(key);
      expect((await store.list('')).sort()).toEqual([...keys].sort());
    });

    it('lists in order of code points, across folders', async () => {
      const keys = ['a', 'a-b', 'a.b/c', 'b/c', 'b0', 'c/d/e', 'c/d-e', '\uffee', '\u{1f600}', 'Z'];
      for (const key of [...keys].reverse()) await store.putIfAbsent(key, bytes(key));
      const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(await store.list('')).toEqual(sorted);
      expect(await subject.other.list('')).toEqual(sorted);
      expect(await store.list('', { limit: 3 })).toEqual(sorted.slice(0, 3));
      expect(await store.list('', { limit: 0 })).toEqual([]);
      for (const after of keys) {
        expect(await store.list('', { after })).toEqual(sorted.slice(sorted.indexOf(after) + 1));
      }
    });

    it('lists any prefix after any key, in pages', async () => {
      const name = fc.stringMatching(/^[ab.-]{1,2}$/).filter((part) => part !== '.' && part !== '..');
      const key = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `r/${parts.join('/')}`);
      const keys = new Set(fc.sample(key, { numRuns: 80, seed: 3 }));
      // A key cannot also be a folder of other keys everywhere (on a file system it cannot), so none is.
      for (const each of [...keys]) {
        if ([...keys].some((other) => other.startsWith(`${each}/`))) keys.delete(each);
      }
      await Promise.all([...keys].map((each) => store.putIfAbsent(each, bytes(each))));
      const sorted = [...keys].sort();
      const probe = fc.oneof(
        key,
        key.map((each) => `${each}/`),
        fc.constantFrom(...sorted, '', 'r', 'r/', 'q', 's'),
      );
      await fc.assert(
        fc.asyncProperty(
          probe,
          fc.option(probe, { nil: undefined }),
          fc.integer({ min: 1, max: 9 }),
          async (prefix, after, limit) => {
            const matching = sorted.filter((each) => each.startsWith(prefix) && (after === undefined || each > after));
            expect(await store.list(prefix, { after, limit })).toEqual(matching.slice(0, limit));
          },
        ),
        { numRuns: 150 },
      );
      const paged: string[] = [];
      for (;;) {
        const page: string[] = await store.list('r/', { after: paged.at(-1), limit: 7 });
        if (page.length === 0) break;
        paged.push(...page);
      }
      expect(paged).toEqual(sorted);
    });

    it('gives at most 1,000 keys unless told otherwise', async () => {
      await Promise.all(
        Array.from({ length: 1005 }, (_, i) => store.putIfAbsent(`n/${String(i).padStart(5, '0')}`, bytes(''))),
      );
      const page = await store.list('n/');
      expect(page).toHaveLength(1000);
      expect(page.at(-1)).toBe('n/00999');
      expect(await store.list('n/', { limit: 5000 })).toHaveLength(1005);
    });

    it('lets exactly one of many put', async () => {
      for (let round = 0; round < 5; round++) {
        const attempts = Array.from({ length: 12 }, (_, i) =>
          (i % 2 === 0 ? store : subject.other).putIfAbsent(`race/${round}`, bytes(String(i))).then(
            () => i,
            (error: unknown) => {
              expect(error).toBeInstanceOf(ConflictError);
              return null;
            },
          ),
        );
        const winners = (await Promise.all(attempts)).filter((winner) => winner !== null);
        expect(winners).toHaveLength(1);
        expect(await textOf(`race/${round}`)).toBe(String(winners[0]));
      }
    });

    it('loses no increment of many writers', async () => {
      await store.putIfAbsent('counter', bytes('0'));
      const increment = async (client: ObjectStore): Promise<void> => {
        for (;;) {
          const object = await client.get('counter');
          if (object === null) throw new Error('counter is gone');
          const next = Number(new TextDecoder().decode(object.body)) + 1;
          try {
            await client.putIfUnchanged('counter', bytes(String(next)), object.etag);
            return;
          } catch (error) {
            if (!(error instanceof ConflictError)) throw error;
          }
        }
      };
      const writers = Array.from({ length: 6 }, async (_, i) => {
        for (let n = 0; n < 10; n++) await increment(i % 2 === 0 ? store : subject.other);
      });
      await Promise.all(writers);
      expect(await textOf('counter')).toBe('60');
    });

    it('orders a replacement and a removal that meet', async () => {
      for (let round = 0; round < 40; round++) {
        const key = `meet/${round}`;
        const etag = await store.putIfAbsent(key, bytes('old'));
        const replaced = store.putIfUnchanged(key, bytes('new'), etag).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(ConflictError);
            return false;
          },
        );
        if (round % 4 > 0) await new Promise((resolve) => setTimeout(resolve, (round % 4) - 1));
        await subject.other.delete(key);
        const won = await replaced;
        const left = await textOf(key);
        // Replaced and then removed, or removed and then in conflict: it is gone either way.
        if (faults.removalsUnordered === undefined) expect(left, `round ${round}`).toBeNull();
        else expect(won ? [null, 'new'] : [null], `round ${round}: ${faults.removalsUnordered}`).toContain(left);
      }
    });

    it('survives puts and deletes in one folder at once', async () => {
      await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const client = i % 2 === 0 ? store : subject.other;
          for (let n = 0; n < 12; n++) {
            await client.putIfAbsent(`shared/folder/${i}`, bytes(String(n)));
            await client.delete(`shared/folder/${i}`);
          }
        }),
      );
      expect(await store.list('')).toEqual([]);
    });
  });
}
