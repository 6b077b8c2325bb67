/**
 * An object store on a folder: a key is the path of a file, so that other programs read the objects as they are.
 *
 * Safe against a kill -9 at any moment and between processes: content is written to a file of its own and gets its name
 * in one step. `link` gives a name only if it is free (put-if-absent). A replacement or removal holds the claim of its
 * key from comparing the content to `rename` or `unlink`, so nobody changes the object in between; a writer killed there
 * leaves the old or the new object, and a claim that no longer counts. What dead processes left is removed on opening.
 */
import { createHash, randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { ConflictError, type ObjectStore, type StoredObject, TransientError } from '../../pipeline/ports.ts';
import { checkKey, checkRange } from '../object-key.ts';
import { ClaimedError, claim, removeLeftovers } from './claim.ts';
import { diskFailure, errorCode } from './disk-failure.ts';
import { listFolder } from './folder-listing.ts';
import { ownToken, tokenText } from './process-token.ts';
import { link, mkdir, readFile, readRange, rename, rmdir, stat, unlink } from './quick-fs.ts';
import { type Durability, syncFolder, writeNewFile } from './sync.ts';

/** Folder at the root that holds what is no object: unfinished files and claims. */
const OWN = '.store';
const CLAIM_WAIT_MS = 10_000;
/** Folders whose names are known to be durable, remembered so that they are synced once. */
const MOST_SYNCED = 10_000;

export interface FolderStoreOptions {
  readonly folder: string;
  /** @default 'fsync' */
  readonly durability?: Durability;
  /** Writes a new file; a test makes it fail. @default the system's */
  readonly writeFile?: typeof writeNewFile;
}

export class FolderStore implements ObjectStore {
  readonly #root: string;
  readonly #durability: Durability;
  readonly #writeFile: typeof writeNewFile;
  readonly #token = tokenText(ownToken());
  /** The last act of this process on each key that is being changed. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #synced = new Set<string>();

  private constructor(root: string, options: FolderStoreOptions) {
    this.#root = root;
    this.#durability = options.durability ?? 'fsync';
    this.#writeFile = options.writeFile ?? writeNewFile;
  }

  /** Makes the folder where there is none and removes what dead processes left unfinished. */
  static async open(options: FolderStoreOptions): Promise<FolderStore> {
    const root = resolve(options.folder);
    try {
      for (const folder of ['temporary', 'claims']) {
        await mkdir(join(root, OWN, folder), { recursive: true });
        await removeLeftovers(join(root, OWN, folder));
      }
      const store = new FolderStore(root, options);
      await unlink(await store.#unfinished(new Uint8Array()));
      return store;
    } catch (error) {
      throw diskFailure(error, 'use the folder of the object store', root);
    }
  }

  /** Where the object of this key is, or would be, as a file. */
  path(key: string): string {
    checkKey(key);
    if (key === OWN || key.startsWith(`${OWN}/`)) {
      throw new RangeError(`key ${JSON.stringify(key)}: begins with ${OWN}, which the store keeps for itself`);
    }
    return join(this.#root, key);
  }

  async get(key: string): Promise<StoredObject | null> {
    const path = this.path(key);
    try {
      const body = await readFile(path);
      return { body, etag: digest(body) };
    } catch (error) {
      if (isAbsent(error)) return null;
      throw diskFailure(error, 'read the object', path);
    }
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | null> {
    const path = this.path(key);
    checkRange(key, start, end);
    try {
      return await readRange(path, start, end);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw diskFailure(error, 'read the object', path);
    }
  }

  async list(prefix: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<string[]> {
    try {
      return await listFolder(this.#root, { prefix, after: options.after, limit: options.limit ?? 1000, hidden: OWN });
    } catch (error) {
      throw diskFailure(error, 'list the objects', this.#root);
    }
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<string> {
    const path = this.path(key);
    const etag = digest(body);
    try {
      const unfinished = await this.#unfinished(body);
      try {
        await this.#name(key, unfinished, path);
      } finally {
        await discard(unfinished);
      }
      await this.#syncNames(path);
      return etag;
    } catch (error) {
      throw error instanceof ConflictError ? error : diskFailure(error, 'put the object', path);
    }
  }

  async putIfUnchanged(key: string, body: Uint8Array, etag: string): Promise<string> {
    const path = this.path(key);
    const next = digest(body);
    try {
      const unfinished = await this.#unfinished(body);
      try {
        await this.#alone(key, async () => {
          const current = await this.get(key);
          if (current?.etag !== etag) throw new ConflictError(key);
          await rename(unfinished, path);
        });
      } catch (error) {
        await discard(unfinished);
        throw error;
      }
      await this.#syncNames(path);
      return next;
    } catch (error) {
      throw error instanceof ConflictError ? error : diskFailure(error, 'replace the object', path);
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.path(key);
    try {
      await this.#alone(key, async () => unlink(path));
      if (this.#durability === 'fsync') await syncIfThere(dirname(path));
      await this.#removeEmptyFolders(dirname(path));
    } catch (error) {
      // A folder of that name holds other objects and is none itself.
      if (isAbsent(error) || errorCode(error) === 'EPERM') return;
      throw diskFailure(error, 'delete the object', path);
    }
  }

  /** Content in a file without a key. */
  async #unfinished(body: Uint8Array): Promise<string> {
    const path = join(this.#root, OWN, 'temporary', `put~${this.#token}~${randomBytes(8).toString('hex')}`);
    try {
      await this.#writeFile(path, body, this.#durability);
    } catch (error) {
      await discard(path);
      throw error;
    }
    return path;
  }

  /** Gives a file its key if the key is free. */
  async #name(key: string, from: string, path: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await mkdir(dirname(path), { recursive: true });
        await link(from, path);
        return;
      } catch (error) {
        const code = errorCode(error);
        // Somebody removed the folder, empty until now, between the two steps.
        if (code === 'ENOENT' && attempt < 100) continue;
        if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
        if (await isFile(path)) throw new ConflictError(key);
        if (code === 'EEXIST' && attempt < 100 && !(await isThere(path)) && !(await fileAbove(this.#root, key)))
          continue;
        throw new Error(
          `${path}: cannot put the object: a part of its key is already ${(await isThere(path)) ? 'a folder of other objects' : 'an object'}; expected a key that is no folder of others`,
        );
      }
    }
  }

  /** Runs when neither this process nor another one is changing the key. */
  async #alone<T>(key: string, act: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key);
    const turn = (async () => {
      await before?.catch(() => undefined);
      const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
      const held = await claim(join(this.#root, OWN, 'claims'), name, { waitMs: CLAIM_WAIT_MS });
      try {
        return await act();
      } finally {
        await held.release();
      }
    })();
    this.#turns.set(key, turn);
    try {
      return await turn;
    } catch (error) {
      if (!(error instanceof ClaimedError)) throw error;
      throw new TransientError(
        `${key}: process ${error.holder.pid} has been changing it for ${CLAIM_WAIT_MS / 1000} s; try again`,
      );
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  /** Makes the name of an object durable, and once those of the folders it is in. */
  async #syncNames(path: string): Promise<void> {
    if (this.#durability === 'os') return;
    let folder = dirname(path);
    await syncIfThere(folder);
    while (folder !== this.#root && !this.#synced.has(folder)) {
      if (this.#synced.size >= MOST_SYNCED) this.#synced.clear();
      this.#synced.add(folder);
      folder = dirname(folder);
      await syncIfThere(folder);
    }
  }

  async #removeEmptyFolders(from: string): Promise<void> {
    for (let folder = from; folder !== this.#root; folder = dirname(folder)) {
      this.#synced.delete(folder);
      try {
        await rmdir(folder);
      } catch {
        // Not empty, or somebody else removed it: either way nothing is left to do here.
        return;
      }
    }
  }
}

/** An unfinished file that cannot be removed now is removed when the store is opened after this process. */
async function discard(unfinished: string): Promise<void> {
  await unlink(unfinished).catch(() => undefined);
}

function digest(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}

/** A folder that is gone had its objects deleted meanwhile: nothing is left to make durable. */
async function syncIfThere(folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Whether a folder of the key is an object. */
async function fileAbove(root: string, key: string): Promise<boolean> {
  const parts = key.split('/').slice(0, -1);
  for (let i = 1; i <= parts.length; i++) {
    if (await isFile(join(root, ...parts.slice(0, i)))) return true;
  }
  return false;
}
