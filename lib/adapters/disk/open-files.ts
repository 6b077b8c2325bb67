/** Files kept open for reading, the least recently used closed first. */
import { type FileHandle, open } from 'node:fs/promises';

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  users: number;
}

export class OpenFiles {
  #most: number;
  readonly #files = new Map<string, OpenFile>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs with the file open; it stays open meanwhile even if it is deleted. */
  async use<T>(path: string, act: (handle: FileHandle) => Promise<T>): Promise<T> {
    const file = this.#files.get(path) ?? { handle: open(path, 'r'), users: 0 };
    // Taken out and put back: the order of the map is the order of use.
    this.#files.delete(path);
    this.#files.set(path, file);
    file.users += 1;
    try {
      return await act(await file.handle);
    } catch (error) {
      if (this.#files.get(path) === file) this.#files.delete(path);
      throw error;
    } finally {
      file.users -= 1;
      if (file.users === 0 && this.#files.get(path) !== file) await closeQuietly(file);
      await this.#closeIdle(this.#most);
    }
  }

  /** Forgets a file that was deleted. */
  async drop(path: string): Promise<void> {
    const file = this.#files.get(path);
    this.#files.delete(path);
    if (file !== undefined && file.users === 0) await closeQuietly(file);
  }

  /** Closes what is idle now, and the rest as it becomes so. */
  async close(): Promise<void> {
    this.#most = 0;
    await this.#closeIdle(0);
  }

  async #closeIdle(keep: number): Promise<void> {
    for (const [path, file] of this.#files) {
      if (this.#files.size <= keep) return;
      if (file.users > 0) continue;
      this.#files.delete(path);
      await closeQuietly(file);
    }
  }
}

/** A file that was only read has nothing to lose when closing it fails. */
async function closeQuietly(file: OpenFile): Promise<void> {
  await file.handle.then((handle) => handle.close()).catch(() => undefined);
}
