/**
 * How far a file has been put on the log, in an object of its own: claimed by one reader at a time, moved on after each part that is durable.
 * A notification that comes twice reads nothing twice. A reader that dies between a durable part and its mark leaves that one part
 * to be sent again, with the same ids.
 */
import { encodeJson, readJson } from './json-object.ts';
import { type Clock, ConflictError, type ObjectStore } from './ports.ts';

interface Mark {
  /** Lines that are durable. */
  readonly lines: number;
  readonly done: boolean;
  /** Until when the claim holds, milliseconds since 1970. */
  readonly until: number;
}

/** Somebody else reads the file, or wrote its mark meanwhile: to be tried again later. */
export class FileClaimedError extends Error {
  override readonly name = 'FileClaimedError';
}

export class FileProgress {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #claimMs: number;
  readonly #key: string;
  #etag: string;
  /** Lines that are durable already. */
  lines: number;

  private constructor(options: FileProgressOptions, etag: string, lines: number) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#claimMs = options.claimMs;
    this.#key = options.key;
    this.#etag = etag;
    this.lines = lines;
  }

  /** `null` when the file has been read to its end. @throws FileClaimedError */
  static async claim(options: FileProgressOptions): Promise<FileProgress | null> {
    const { store, key, clock, claimMs } = options;
    const present = await readJson<Mark>(store, key);
    if (present?.value.done === true) return null;
    const now = clock.now();
    if (present !== null && now < present.value.until)
      throw new FileClaimedError(`${key}: another reader has claimed the file; try again when its claim has ended`);
    const mark: Mark = { lines: present?.value.lines ?? 0, done: false, until: now + claimMs };
    const etag = await written(key, () =>
      present === null
        ? store.putIfAbsent(key, encodeJson(mark))
        : store.putIfUnchanged(key, encodeJson(mark), present.etag),
    );
    return new FileProgress(options, etag, mark.lines);
  }

  /** So many lines are durable. @throws FileClaimedError */
  async reach(lines: number, done: boolean): Promise<void> {
    const mark: Mark = { lines, done, until: this.#clock.now() + this.#claimMs };
    this.#etag = await written(this.#key, () => this.#store.putIfUnchanged(this.#key, encodeJson(mark), this.#etag));
    this.lines = lines;
  }

  /** Lets go of a file that could not be read to its end, so that the next attempt need not wait for the claim to end. */
  async release(): Promise<void> {
    const mark: Mark = { lines: this.lines, done: false, until: 0 };
    await written(this.#key, () => this.#store.putIfUnchanged(this.#key, encodeJson(mark), this.#etag));
  }
}

export interface FileProgressOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly key: string;
  /** How long a claim holds without being renewed: longer than a part takes. */
  readonly claimMs: number;
}

async function written(key: string, write: () => Promise<string>): Promise<string> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof ConflictError)
      throw new FileClaimedError(`${key}: another reader has claimed the file; try again when its claim has ended`);
    throw error;
  }
}
