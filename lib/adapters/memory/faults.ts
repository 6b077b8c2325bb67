/**
 * A seeded fault injector around the ports: what a kill -9, a lost answer, a throttled service and an unlucky
 * interleaving do, repeatable from one number.
 *
 * One `FaultyProcess` is one incarnation of a process. When it crashes every port of it is dead at once: each further
 * call fails with CrashError, so nothing that "still runs" in the test can write. The harness starts the next
 * incarnation with `injector.process()` on the same inner ports.
 */
import { ConflictError, type EventLog, type ObjectStore, TransientError } from '../../pipeline/ports.ts';

/** Stands for a kill -9 of the whole process: never caught by the code under test, only by the harness. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
}

export interface FaultOptions {
  /** Equal seeds and equal orders of calls give equal faults. */
  readonly seed: number;
  /** Probability, at each write, of a kill; half of them before, half after the write took effect. @default 0 */
  readonly crash?: number;
  /** Kill exactly at the n-th write of the injector (from 1), besides `crash`. @default never */
  readonly crashAtWrite?: number;
  /** Which side of the write `crashAtWrite` hits. @default chosen by the seed */
  readonly crashSide?: 'before' | 'after';
  /** Most kills in all, so that a run ends. @default Infinity */
  readonly maxCrashes?: number;
  /**
   * Probability, at each conditional write, that it takes effect but is answered with ConflictError: the answer was lost
   * and the client's own retry met its first attempt. @default 0
   */
  readonly conflict?: number;
  /** Probability, at each call, of a TransientError; for writes one in four of them took effect. @default 0 */
  readonly transient?: number;
  /** Each call waits 0 to this many turns of the event loop before and after, so that processes interleave. @default 0 */
  readonly delay?: number;
}

export interface FaultCounts {
  writes: number;
  crashes: number;
  conflicts: number;
  transients: number;
}

export interface FaultyProcess {
  readonly dead: boolean;
  log(inner: EventLog): EventLog;
  store(inner: ObjectStore): ObjectStore;
  /** Any other write: `effect` runs at most once, with the same faults around it. */
  write<T>(what: string, effect: () => Promise<T>): Promise<T>;
  /** Kills it now. */
  kill(): void;
}

export class FaultInjector {
  readonly counts: FaultCounts = { writes: 0, crashes: 0, conflicts: 0, transients: 0 };
  readonly #options: FaultOptions;
  readonly #random: () => number;
  #enabled = true;

  constructor(options: FaultOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** No faults any more (delays stay), so that a run can settle and be compared with its oracle. */
  disable(): void {
    this.#enabled = false;
  }

  enable(): void {
    this.#enabled = true;
  }

  /** Uniform in [0, 1), from the same seed. */
  random(): number {
    return this.#random();
  }

  process(): FaultyProcess {
    let dead = false;
    const alive = (what: string): void => {
      if (dead) throw new CrashError(`${what}: the process is dead`);
    };
    const die = (what: string): never => {
      dead = true;
      this.counts.crashes += 1;
      throw new CrashError(what);
    };

    const read = async <T>(what: string, effect: () => Promise<T>): Promise<T> => {
      alive(what);
      await this.#wait();
      alive(what);
      if (this.#chance(this.#options.transient)) {
        this.counts.transients += 1;
        throw new TransientError(`${what}: 503, injected`);
      }
      const result = await effect();
      await this.#wait();
      alive(what);
      return result;
    };

    const write = async <T>(what: string, effect: () => Promise<T>, conditionalKey?: string): Promise<T> => {
      alive(what);
      await this.#wait();
      alive(what);
      const crash = this.#crashSide();
      if (crash === 'before') die(`killed before ${what}`);
      if (this.#chance(this.#options.transient)) {
        this.counts.transients += 1;
        if (this.#random() < 0.25) await effect();
        alive(what);
        throw new TransientError(`${what}: 503, injected`);
      }
      const result = await effect();
      if (crash === 'after') die(`killed after ${what}`);
      if (conditionalKey !== undefined && this.#chance(this.#options.conflict)) {
        this.counts.conflicts += 1;
        throw new ConflictError(conditionalKey);
      }
      await this.#wait();
      alive(what);
      return result;
    };

    return {
      get dead() {
        return dead;
      },
      kill() {
        dead = true;
      },
      write: (what, effect) => write(what, effect),
      log: (inner) => ({
        identity: () => read('identity', () => inner.identity()),
        partitions: () => read('partitions', () => inner.partitions()),
        read: (partition, after, limit) => read(`read ${partition}`, () => inner.read(partition, after, limit)),
        append: (records) => write('append', () => inner.append(records)),
      }),
      store: (inner) => ({
        get: (key) => read(`get ${key}`, () => inner.get(key)),
        getRange: (key, start, end) => read(`get ${key}`, () => inner.getRange(key, start, end)),
        list: (prefix, options) => read(`list ${prefix}`, () => inner.list(prefix, options)),
        putIfAbsent: (key, body) => write(`put ${key}`, () => inner.putIfAbsent(key, body), key),
        putIfUnchanged: (key, body, etag) => write(`put ${key}`, () => inner.putIfUnchanged(key, body, etag), key),
        delete: (key) => write(`delete ${key}`, () => inner.delete(key)),
      }),
    };
  }

  #crashSide(): 'before' | 'after' | null {
    this.counts.writes += 1;
    const { crash = 0, crashAtWrite, maxCrashes = Number.POSITIVE_INFINITY } = this.#options;
    // Drawn always, so that the sequence does not depend on what happened before.
    const roll = this.#random();
    const side = this.#random() < 0.5 ? 'before' : 'after';
    if (!this.#enabled || this.counts.crashes >= maxCrashes) return null;
    if (this.counts.writes === crashAtWrite) return this.#options.crashSide ?? side;
    return roll < crash ? side : null;
  }

  #chance(probability = 0): boolean {
    return this.#random() < probability && this.#enabled;
  }

  async #wait(): Promise<void> {
    const { delay = 0 } = this.#options;
    if (delay === 0) return;
    for (let turns = Math.floor(this.#random() * (delay + 1)); turns > 0; turns--) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

/** Mulberry32: 32 bits of state, uniform in [0, 1). For tests only. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
