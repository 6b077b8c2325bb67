/** Walking through the keys of a store, a page at a time. */
import type { ObjectStore } from './ports.ts';

const PAGE = 1_000;

/** All keys under a prefix above `after`, ascending. */
export async function* listAll(store: ObjectStore, prefix: string, after?: string): AsyncGenerator<string> {
  let last = after;
  for (;;) {
    const page = await store.list(prefix, { after: last, limit: PAGE });
    yield* page;
    last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
  }
}

/** The first folders directly under a prefix that ends in `/`, ascending, with one short call for each and not one for each object. */
export async function listFolders(
  store: ObjectStore,
  prefix: string,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const folders: string[] = [];
  let after: string | undefined;
  while (folders.length < limit) {
    const [key] = await store.list(prefix, { after, limit: 1 });
    if (key === undefined) return folders;
    const end = key.indexOf('/', prefix.length);
    if (end < 0) {
      after = key;
      continue;
    }
    folders.push(key.slice(prefix.length, end));
    // `0` follows `/` in code points, so this lies behind everything in the folder.
    after = `${key.slice(0, end)}0`;
  }
  return folders;
}
