/**
 * Objects as files that DuckDB reads. Where the store is a folder they lie there already. Elsewhere they are fetched through the store to a
 * folder of their own, bounded in bytes: what was read longest ago goes first, and what a query reads now stays until it is done.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProblemError } from '../../contracts/problem.ts';
import type { ObjectStore } from '../../pipeline/ports.ts';
import { diskFailure } from '../disk/disk-failure.ts';

/** The file of an object. */
export type PathOf = (key: string) => string;

export interface ObjectFiles {
  /** Does work with the files of these objects. @throws Error when one of the objects is gone */
  hold<T>(keys: readonly string[], work: (path: PathOf) => Promise<T>): Promise<T>;
}

/** Objects that are files where they lie. */
export function filesInPlace(path: PathOf): ObjectFiles {
  return { hold: (_keys, work) => work(path) };
}

export interface FetchedObjectsOptions {
  readonly store: Pick<ObjectStore, 'get'>;
  /** Bytes on disk. */
  readonly limitBytes: number;
  /** Where a folder of its own is made. @default the system's for temporary files */
  readonly temporary?: string;
  /** Asked before objects are held: when the answer is another one, copies from before are given up. @default objects never change */
  readonly changed?: () => Promise<string | null>;
}

interface Entry {
  readonly path: string;
  bytes: number;
  holds: number;
  /** Another copy is to be fetched; this one goes when nobody holds it. */
  isOld: boolean;
  ready: Promise<void>;
}

const CONCURRENCY = 8;

export class FetchedObjects implements ObjectFiles {
  readonly #store: FetchedObjectsOptions['store'];
  readonly #limit: number;
  readonly #folder: string;
  /** Least recently held first. Objects of the capture change when something is erased from them alone: then `changed` answers anew. */
  readonly #entries = new Map<string, Entry>();
  #copies = 0;
  readonly #changed: FetchedObjectsOptions['changed'];
  #state: string | null | undefined;
  #bytes = 0;

  private constructor(folder: string, { store, limitBytes, changed }: FetchedObjectsOptions) {
    this.#changed = changed;
    this.#folder = folder;
    this.#store = store;
    this.#limit = limitBytes;
  }

  static async open(options: FetchedObjectsOptions): Promise<FetchedObjects> {
    return new FetchedObjects(await mkdtemp(join(options.temporary ?? tmpdir(), 'mlmon-objects-')), options);
  }

  /** Bytes on disk now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws ProblemError when what is held at once is more than the limit */
  async hold<T>(keys: readonly string[], work: (path: PathOf) => Promise<T>): Promise<T> {
    await this.#giveUpOld();
    const held = new Map<string, Entry>();
    try {
      const wanted = [...new Set(keys)];
      let next = 0;
      const line = async (): Promise<void> => {
        for (let key = wanted[next++]; key !== undefined; key = wanted[next++]) {
          const entry = this.#take(key);
          held.set(key, entry);
          await entry.ready;
        }
      };
      const lines = Array.from({ length: Math.min(CONCURRENCY, wanted.length) }, line);
      // All have ended before anything is let go, whichever failed.
      const failed = (await Promise.allSettled(lines)).find((outcome) => outcome.status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
      return await work((key) => {
        const entry = held.get(key);
        if (entry === undefined) throw new Error(`${key}: was not asked for, and has no file here`);
        return entry.path;
      });
    } finally {
      for (const entry of held.values()) {
        entry.holds--;
        if (entry.isOld && entry.holds === 0) await this.#remove(entry);
      }
      await this.#makeRoom();
    }
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#bytes = 0;
    await rm(this.#folder, { recursive: true, force: true });
  }

  #take(key: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
      const path = join(this.#folder, `${name}-${this.#copies++}.parquet`);
      entry = { path, bytes: 0, holds: 0, isOld: false, ready: Promise.resolve() };
      entry.ready = this.#fetch(key, entry);
      // Whoever holds it is told; one that nobody waits for any more harms nobody.
      const own = entry;
      entry.ready.catch(() => {
        if (this.#entries.get(key) === own) this.#entries.delete(key);
      });
    } else this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.holds++;
    return entry;
  }

  async #fetch(key: string, entry: Entry): Promise<void> {
    const stored = await this.#store.get(key);
    if (stored === null) throw new Error(`${key}: the object is gone`);
    const bytes = stored.body.byteLength;
    // Counted before anything is waited for, so that two at once do not take the same room.
    this.#bytes += bytes;
    entry.bytes = bytes;
    try {
      await this.#makeRoom();
      if (this.#bytes > this.#limit) throw this.#tooMuch();
      await writeFile(`${entry.path}.part`, stored.body);
      await rename(`${entry.path}.part`, entry.path);
    } catch (error) {
      this.#bytes -= bytes;
      entry.bytes = 0;
      await rm(`${entry.path}.part`, { force: true });
      throw error instanceof ProblemError ? error : diskFailure(error, 'keep a copy of an object', entry.path);
    }
  }

  async #giveUpOld(): Promise<void> {
    if (this.#changed === undefined) return;
    const state = await this.#changed();
    if (state === this.#state) return;
    const isFirst = this.#state === undefined;
    this.#state = state;
    if (isFirst) return;
    const old = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of old) {
      entry.isOld = true;
      if (entry.holds === 0) await this.#remove(entry);
    }
  }

  async #remove(entry: Entry): Promise<void> {
    this.#bytes -= entry.bytes;
    entry.bytes = 0;
    await rm(entry.path, { force: true });
  }

  async #makeRoom(): Promise<void> {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#limit) return;
      if (entry.holds > 0) continue;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
      await rm(entry.path, { force: true });
    }
  }

  #tooMuch(): ProblemError {
    return new ProblemError([
      {
        code: 'scratch-full',
        path: 'scratch.diskBytes',
        message: 'one query reads more objects than may lie on the disk at once',
        got: `${this.#bytes} bytes and more`,
        expected: `at most ${this.#limit}`,
        fix: 'raise scratch.diskBytes, and the room of the volume with it; or shorten the horizon of labels',
      },
    ]);
  }
}
