/** Lists a tree of folders as if it were a flat, ordered space of keys, opening only the folders that can hold an answer. */
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { compareKeys } from '../object-key.ts';
import { errorCode } from './disk-failure.ts';
import { readEntries } from './quick-fs.ts';

export interface Listing {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
  /** Name at the root that is no object. */
  readonly hidden: string;
}

/** Keys of the files under `root`, ascending by code points. O(entries of the folders opened). */
export async function listFolder(root: string, listing: Listing): Promise<string[]> {
  const found: string[] = [];
  const slash = listing.prefix.lastIndexOf('/');
  const start = listing.prefix.slice(0, slash + 1);
  if (listing.limit <= 0 || !canHoldKeys(start, listing.hidden)) return found;
  await visit(root, start, listing, found);
  return found;
}

/** Whether a key can begin so; anything else would lead out of the root, or into what is no object. */
function canHoldKeys(start: string, hidden: string): boolean {
  const parts = start.split('/').slice(0, -1);
  return (
    parts[0] !== hidden && !parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))
  );
}

/** `base`: the key of the folder, empty or ending in a slash. */
async function visit(root: string, base: string, listing: Listing, found: string[]): Promise<void> {
  const { prefix, after, limit, hidden } = listing;
  const names = (await entries(join(root, base)))
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => base + entry.name + (entry.isDirectory() ? '/' : ''))
    .filter((key) => key.startsWith(prefix) || (key.endsWith('/') && prefix.startsWith(key)))
    .sort(compareKeys);
  for (const key of names) {
    if (found.length >= limit) return;
    if (key === `${hidden}/`) continue;
    if (key.endsWith('/')) {
      const allBefore = after !== undefined && compareKeys(key, after) < 0 && !after.startsWith(key);
      if (!allBefore) await visit(root, key, listing, found);
    } else if (after === undefined || compareKeys(key, after) > 0) {
      found.push(key);
    }
  }
}

async function entries(folder: string): Promise<Dirent[]> {
  try {
    return await readEntries(folder);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return [];
    throw error;
  }
}
