import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderStore } from '../../../lib/adapters/disk/folder-store.ts';
import { ConflictError, TransientError } from '../../../lib/pipeline/ports.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-faults-'));
});
afterEach(() => rm(folder, { recursive: true }));
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('the folder store', () => {
  it('keeps objects as files at their keys', async () => {
    const store = await FolderStore.open({ folder });
    await store.putIfAbsent('capture/dt=2001-02-01/a.parquet', bytes('x'));
    expect(store.path('capture/dt=2001-02-01/a.parquet')).toBe(join(folder, 'capture/dt=2001-02-01/a.parquet'));
    expect(await readFile(store.path('capture/dt=2001-02-01/a.parquet'), 'utf8')).toBe('x');
    expect(() => store.path('../outside')).toThrow(RangeError);
    expect(() => store.path('.store/claims/x')).toThrow('keeps for itself');
  });

  it('removes folders that became empty, and only those', async () => {
    const store = await FolderStore.open({ folder });
    await store.putIfAbsent('a/b/c/1', bytes(''));
    await store.putIfAbsent('a/2', bytes(''));
    await store.delete('a/b/c/1');
    expect((await readdir(folder)).sort()).toEqual(['.store', 'a']);
    expect(await readdir(join(folder, 'a'))).toEqual(['2']);
  });

  it('names an object that would have to be a folder, and the other way round', async () => {
    const store = await FolderStore.open({ folder });
    await store.putIfAbsent('a/b', bytes('1'));
    await expect(store.putIfAbsent('a/b/c', bytes('2'))).rejects.toThrow('a part of its key is already an object');
    await expect(store.putIfAbsent('a', bytes('2'))).rejects.toThrow('already a folder of other objects');
    await expect(store.putIfAbsent('a', bytes('2'))).rejects.not.toThrow(ConflictError);
    await expect(store.putIfUnchanged('a', bytes('2'), 'x')).rejects.toThrow(ConflictError);
    expect(await store.get('a')).toBeNull();
    expect(await store.get('a/b/c')).toBeNull();
    await store.delete('a');
    expect(await store.list('')).toEqual(['a/b']);
  });

  it('says what a full disk did, and leaves nothing behind', async () => {
    let full = false;
    const store = await FolderStore.open({
      folder,
      writeFile: async (path, body) => {
        await writeFile(path, full ? body.subarray(0, body.length / 2) : body, { flag: 'wx' });
        if (full) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      },
    });
    const etag = await store.putIfAbsent('a', bytes('first'));
    full = true;
    for (const attempt of [
      () => store.putIfAbsent('b', bytes('second')),
      () => store.putIfUnchanged('a', bytes('second'), etag),
    ]) {
      const error = await attempt().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(TransientError);
      expect((error as Error).message).toMatch(/cannot (put|replace) the object, got ENOSPC: the disk is full/);
    }
    expect(await readdir(join(folder, '.store', 'temporary'))).toEqual([]);
    expect(await store.list('')).toEqual(['a']);
    full = false;
    await store.putIfUnchanged('a', bytes('second'), etag);
  });

  it('says so when the folder cannot be used', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(FolderStore.open({ folder: join(folder, 'file', 'store') })).rejects.toThrow(
      /file\/store: cannot use the folder of the object store, got ENOTDIR: .* expected a folder/,
    );
  });

  it('opens no folder that a prefix or a start excludes', async () => {
    const store = await FolderStore.open({ folder });
    for (const day of ['01', '02', '03']) await store.putIfAbsent(`packs/${day}/p0/x`, bytes(''));
    // A folder that cannot be listed would fail the call if it were opened.
    await mkdir(join(folder, 'packs', '00'));
    await rm(join(folder, 'packs', '01'), { recursive: true });
    await writeFile(join(folder, 'packs', '01'), '');
    expect(await store.list('packs/02/')).toEqual(['packs/02/p0/x']);
    expect(await store.list('packs/', { after: 'packs/02/p0/x' })).toEqual(['packs/03/p0/x']);
    expect(await store.list('packs/../../')).toEqual([]);
    for (const prefix of ['/', 'packs//', './', '.store/', '.store/claims/', 'a\0/']) {
      expect(await store.list(prefix)).toEqual([]);
    }
  });
});
