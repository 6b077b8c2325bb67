/**
 * Increments the shared counter of a folder store under its own name, and puts and deletes objects of its own, until its
 * rounds are over or it is killed. Prints `ack <own count>` for each increment and `put <key>` for each object that stays.
 * Arguments: folder, name, rounds, durability.
 */
import { writeSync } from 'node:fs';
import { FolderStore } from '../../../../lib/adapters/disk/folder-store.ts';
import { ConflictError, TransientError } from '../../../../lib/pipeline/ports.ts';

const [folder = '', name = '', rounds = '0', durability = 'os'] = process.argv.slice(2);
const store = await FolderStore.open({ folder, durability: durability === 'fsync' ? 'fsync' : 'os' });
writeSync(1, 'open\n');

async function increment(): Promise<number> {
  for (;;) {
    const object = await store.get('shared/counter.json');
    try {
      if (object === null) {
        await store.putIfAbsent('shared/counter.json', Buffer.from('{}'));
        continue;
      }
      const counts = JSON.parse(Buffer.from(object.body).toString()) as Record<string, number>;
      const own = (counts[name] ?? 0) + 1;
      const body = Buffer.from(JSON.stringify({ ...counts, [name]: own }));
      await store.putIfUnchanged('shared/counter.json', body, object.etag);
      return own;
    } catch (error) {
      if (!(error instanceof ConflictError) && !(error instanceof TransientError)) throw error;
    }
  }
}

for (let round = 1; round <= Number(rounds); round++) {
  writeSync(1, `ack ${await increment()}\n`);
  if (round % 3 === 0) {
    const key = `own/${name}/${round}.txt`;
    await store.putIfAbsent(key, Buffer.from(`${key} `.repeat(200)));
    writeSync(1, `put ${key}\n`);
  }
  if (round % 5 === 0) {
    await store.putIfAbsent(`passing/${name}`, Buffer.from('x'));
    await store.delete(`passing/${name}`);
  }
}
writeSync(1, 'done\n');
