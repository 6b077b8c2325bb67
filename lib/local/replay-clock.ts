/** The clock of a replay: it stands at the newest time that the producer told, and never goes back. */
import type { Clock } from '../pipeline/ports.ts';

export class ReplayClock implements Clock {
  #now: number;
  constructor(start: number) {
    this.#now = start;
  }
  now(): number {
    return this.#now;
  }
  advanceTo(ms: number): void {
    if (Number.isFinite(ms) && ms > this.#now) this.#now = ms;
  }
}

export const wallClock: Clock = { now: () => Date.now() };
