/** The local inbox: each transition an object, put-if-absent under its key, so a repeat is no second message. */

import type { Transition } from '../../contracts/episode.ts';
import { segment } from '../../contracts/object-keys.ts';
import { type AlertChannel, ConflictError, type ObjectStore } from '../../pipeline/ports.ts';

export class InboxChannel implements AlertChannel {
  readonly name = 'inbox';
  readonly records = true;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async deliver(transition: Transition): Promise<void> {
    const key = `inbox/${segment(transition.episode.model)}/${segment(transition.key)}.json`;
    try {
      await this.#store.putIfAbsent(key, new TextEncoder().encode(`${JSON.stringify(transition)}\n`));
    } catch (error) {
      // It is there already: a repeat of what was delivered before a crash.
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
