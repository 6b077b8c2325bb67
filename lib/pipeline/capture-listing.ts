/** Which capture objects there are, by hour of append time. Hours that can grow no more are listed once. */
import { keys } from '../contracts/object-keys.ts';
import { listAll, listFolders } from './listing.ts';
import type { ObjectStore } from './ports.ts';

const HOUR = 3_600_000;
const CAPTURE = 'capture/';
/** Hours remembered: a month and a half. */
const REMEMBERED = 1_100;

export class CaptureListing {
  private readonly store: ObjectStore;
  private readonly complete = new Map<number, readonly string[]>();

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** Start of the oldest hour that has an object; `null` when there is none. */
  async oldestHour(): Promise<number | null> {
    const [key] = await this.store.list(CAPTURE, { limit: 1 });
    const match = /^capture\/dt=(\d{4}-\d\d-\d\d)\/hr=(\d\d)\//.exec(key ?? '');
    return match === null ? null : Date.parse(`${match[1]}T${match[2]}:00:00Z`);
  }

  /**
   * Objects of the hours that meet [from, to), in order.
   * @param through append time up to which everything is captured: earlier hours grow no more
   */
  async between(from: number, to: number, through: number): Promise<string[]> {
    const days = new Set(await listFolders(this.store, CAPTURE));
    const found: string[] = [];
    for (let hour = Math.floor(from / HOUR) * HOUR; hour < to; hour += HOUR) {
      const known = this.complete.get(hour);
      if (known !== undefined) {
        found.push(...known);
        continue;
      }
      const prefix = keys.captureHour(hour);
      if (!days.has(prefix.split('/')[1] ?? '')) continue;
      const objects: string[] = [];
      for await (const key of listAll(this.store, prefix)) objects.push(key);
      if (hour + HOUR <= through) this.remember(hour, objects);
      found.push(...objects);
    }
    return found;
  }

  /** To be called when an object that was listed is gone: retention may have taken others too. */
  forget(): void {
    this.complete.clear();
  }

  private remember(hour: number, objects: readonly string[]): void {
    this.complete.set(hour, objects);
    if (this.complete.size > REMEMBERED) this.complete.delete(Math.min(...this.complete.keys()));
  }
}
