import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32, portableCrc32 } from '../../../lib/adapters/disk/checksum.ts';
import { ClaimedError, claim, removeLeftovers } from '../../../lib/adapters/disk/claim.ts';
import { isAlive, ownToken, parseToken, tokenText } from '../../../lib/adapters/disk/process-token.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claim-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A process that has ended. */
const dead = { ...ownToken(), pid: spawnSync(process.execPath, ['-e', '']).pid };

describe('claim', () => {
  it('is held by one at a time', async () => {
    const held = await claim(folder, 'x', { waitMs: 0 });
    await expect(claim(folder, 'x', { waitMs: 0 })).rejects.toThrow(ClaimedError);
    await (await claim(folder, 'y', { waitMs: 0 })).release();
    await held.release();
    await (await claim(folder, 'x', { waitMs: 0 })).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('excludes whoever competes', async () => {
    let inside = 0;
    let entered = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 5; i++) {
          const held = await claim(folder, 'x', { waitMs: 20_000 });
          inside += 1;
          entered += 1;
          expect(inside).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          inside -= 1;
          await held.release();
        }
      }),
    );
    expect(entered).toBe(40);
  });

  it('passes over the claim of a dead process and removes it', async () => {
    await writeFile(join(folder, `x~${tokenText(dead)}~00`), '');
    const held = await claim(folder, 'x', { waitMs: 0 });
    expect(await readdir(folder)).toHaveLength(1);
    await held.release();
  });

  it('respects the claim of another machine as long as it shows signs of life', async () => {
    const foreign = join(folder, `x~${tokenText({ ...dead, host: 'ffffffff', boot: 'abc' })}~00`);
    await writeFile(foreign, '');
    await expect(claim(folder, 'x', { waitMs: 0 })).rejects.toThrow(ClaimedError);
    const old = new Date(Date.now() - 31_000);
    await utimes(foreign, old, old);
    await (await claim(folder, 'x', { waitMs: 0 })).release();
  });

  it('removes what dead processes left, and nothing else', async () => {
    const kept = ['mine', `put~${tokenText(ownToken())}~1`, 'a~b~c'];
    for (const file of [...kept, `put~${tokenText(dead)}~1`]) await writeFile(join(folder, file), '');
    await removeLeftovers(folder);
    expect((await readdir(folder)).sort()).toEqual([...kept].sort());
  });
});

describe('the name of a process', () => {
  it('survives being text', () => {
    expect(parseToken(tokenText(ownToken()))).toEqual(ownToken());
    for (const text of ['', '1', 'x.1.2.3.4', '1.2.3.4', '1.2.3.4.5.6']) expect(parseToken(text)).toBeNull();
  });

  it('tells living from dead', () => {
    const own = ownToken();
    expect(isAlive(own, Number.POSITIVE_INFINITY)).toBe(true);
    expect(isAlive(dead, 0)).toBe(false);
    // The machine was started again since, or the process id belongs to somebody else now.
    expect(isAlive({ ...own, boot: 'abc' }, 0)).toBe(false);
    if (own.start !== '0') expect(isAlive({ ...own, start: '1' }, 0)).toBe(false);
    expect(isAlive({ ...own, space: '1' }, 29_000)).toBe(true);
    expect(isAlive({ ...own, space: '1' }, 31_000)).toBe(false);
  });
});

describe('checksum', () => {
  it('is CRC-32, also without the built-in one', () => {
    expect(portableCrc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);
    expect(crc32(bytes, 12345)).toBe(portableCrc32(bytes, 12345));
    expect(crc32(bytes.subarray(400), crc32(bytes.subarray(0, 400)))).toBe(crc32(bytes));
  });
});
