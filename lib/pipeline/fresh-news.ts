/**
 * News for any number of readers: each reads every bulletin once, and what all have had the time to read is removed by whoever sees it first.
 */
import { unstamp } from '../contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../contracts/result.ts';
import { bulletinKeys, readBulletin } from './bulletins.ts';
import { inTurn } from './in-turn.ts';
import { readJson } from './json-object.ts';
import type { Clock, ObjectStore } from './ports.ts';

export interface FreshNewsOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** How long a bulletin stays for others, milliseconds. @default 3600000 */
  readonly keepMs?: number;
}

const CONCURRENCY = 8;

export class FreshNews {
  readonly #options: FreshNewsOptions;
  #read = new Set<string>();

  constructor(options: FreshNewsOptions) {
    this.#options = options;
  }

  /** Hands on every result that was announced since the last call. What a failure kept from being handed on comes again. */
  async each(take: (result: WindowResult | PerformanceResult) => void): Promise<void> {
    const { store, clock, keepMs = 3_600_000 } = this.#options;
    const keys = await bulletinKeys(store);
    const read = new Set<string>();
    await inTurn(keys, CONCURRENCY, async (key) => {
      if (!this.#read.has(key))
        for (const result of await readBulletin(store, key)) {
          const stored = await readJson<WindowResult | PerformanceResult>(store, result);
          if (stored !== null) take(stored.value);
        }
      this.#read.add(key);
      if (clock.now() - toldAt(key) > keepMs) await store.delete(key);
      else read.add(key);
    });
    this.#read = read;
  }
}

function toldAt(key: string): number {
  return unstamp(key.slice(key.lastIndexOf('/') + 1));
}
