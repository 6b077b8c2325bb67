/** The folder store between real processes, with and without kill -9. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderStore } from '../../../lib/adapters/disk/folder-store.ts';
import { bundleChild, faultSeeds, runChild } from './children/run-child.ts';
import { seeded } from './children/seeded.ts';

let folder = '';
let bundle = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kill-store-'));
  bundle = await bundleChild('count-in-store', folder);
});
afterAll(() => rm(folder, { recursive: true }));

async function counts(store: FolderStore): Promise<Record<string, number>> {
  const object = await store.get('shared/counter.json');
  return object === null ? {} : (JSON.parse(Buffer.from(object.body).toString()) as Record<string, number>);
}

const lastAck = (lines: readonly string[]): number =>
  Math.max(0, ...lines.filter((line) => /^ack \d+$/.test(line)).map((line) => Number(line.slice(4))));

describe('the folder store between processes', () => {
  it('loses no increment of two processes', async () => {
    for (const durability of ['os', 'fsync']) {
      const place = join(folder, `counter-${durability}`);
      const rounds = 60;
      const runs = await Promise.all(
        ['a', 'b'].map((name) => runChild(bundle, [place, name, String(rounds), durability]).ended),
      );
      for (const run of runs) expect(run.lines.at(-1)).toBe('done');
      expect(await counts(await FolderStore.open({ folder: place }))).toEqual({ a: rounds, b: rounds });
    }
  });

  const seeds = faultSeeds(24);
  it(
    `keeps every acknowledged write of killed processes, and whole objects only (${seeds} kills)`,
    async () => {
      const one = async (seed: number): Promise<boolean> => {
        const random = seeded(seed);
        const place = join(folder, `kill-${seed}`);
        const survivor = runChild(bundle, [place, 'survivor', '15', 'os']);
        const victim = runChild(bundle, [place, 'victim', '100000', seed % 3 === 0 ? 'fsync' : 'os']);
        await victim.until('ack');
        await new Promise((resolve) => setTimeout(resolve, random() * 40));
        victim.process.kill('SIGKILL');
        const [killed, done] = await Promise.all([victim.ended, survivor.ended]);
        expect(killed.signal).toBe('SIGKILL');
        expect(done.lines.at(-1)).toBe('done');

        const leftBehind = await readdir(join(place, '.store', 'temporary'));
        const claims = await readdir(join(place, '.store', 'claims'));
        const store = await FolderStore.open({ folder: place, durability: 'os' });
        const found = await counts(store);
        expect(found['survivor']).toBe(15);
        const acked = lastAck(killed.lines);
        expect(found['victim'], `seed ${seed}`).toBeGreaterThanOrEqual(acked);
        expect(found['victim'], `seed ${seed}`).toBeLessThanOrEqual(acked + 1);

        const keys = await store.list('own/');
        for (const line of [...killed.lines, ...done.lines]) {
          if (/^put own\/.*\.txt$/.test(line)) expect(keys).toContain(line.slice(4));
        }
        for (const key of keys) {
          expect(Buffer.from((await store.get(key))?.body ?? []).toString()).toBe(`${key} `.repeat(200));
        }
        expect(await readdir(join(place, '.store', 'temporary'))).toEqual([]);
        expect(await readdir(join(place, '.store', 'claims'))).toEqual([]);
        await rm(place, { recursive: true });
        return leftBehind.length + claims.length > 0;
      };
      let midway = 0;
      for (let seed = 0; seed < seeds; seed++) if (await one(seed)) midway += 1;
      // Some of the kills must have hit in the middle of a write.
      expect(midway).toBeGreaterThan(0);
    },
    60_000 + seeds * 1000,
  );
});
