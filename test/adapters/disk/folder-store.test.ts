import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../../lib/adapters/disk/folder-store.ts';
import { objectStoreConformance } from '../../pipeline/conformance/object-store.ts';

for (const durability of ['fsync', 'os'] as const) {
  objectStoreConformance(`folder, ${durability}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'folder-store-'));
    return {
      store: await FolderStore.open({ folder, durability }),
      other: await FolderStore.open({ folder, durability }),
      close: () => rm(folder, { recursive: true }),
    };
  });
}
