/** Making files and names durable. */
import { open, rename } from 'node:fs/promises';
import { writeNew } from './quick-fs.ts';

/** `fsync`: a write is acknowledged when it is on the device. `os`: when the operating system has it; a power cut can lose it. */
export type Durability = 'fsync' | 'os';

/** Makes the names in a folder durable. Systems that cannot open a folder order its changes themselves. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a new file; fails when there is one. */
export async function writeNewFile(path: string, body: Uint8Array, durability: Durability): Promise<void> {
  if (durability === 'os') return writeNew(path, body);
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(body);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file so that a reader, and whoever looks after a crash, sees the old or the new content, never a part. */
export async function replaceFile(
  folder: string,
  path: string,
  temporary: string,
  body: Uint8Array,
  durability: Durability,
): Promise<void> {
  await writeNewFile(temporary, body, durability);
  await rename(temporary, path);
  if (durability === 'fsync') await syncFolder(folder);
}
