/**
 * A queue between dispatcher and evaluators as SQS may be on its worst day: it loses, repeats and reorders messages, hands them to several
 * consumers at once, and hands a message that was not finished out again.
 */
import type { EvaluationMessage } from '../../lib/contracts/functions.ts';
import type { EvaluationQueue } from '../../lib/pipeline/dispatcher.ts';

export interface QueueFaults {
  /** Probabilities. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** Of a message to be refused when it is sent. */
  readonly refuse?: number;
  readonly reorder?: boolean;
}

export class SimulatedQueue implements EvaluationQueue {
  readonly waiting: EvaluationMessage[] = [];
  sent = 0;
  lost = 0;
  readonly #faults: QueueFaults;
  readonly #random: () => number;

  constructor(random: () => number, faults: QueueFaults = {}) {
    this.#random = random;
    this.#faults = faults;
  }

  async send(messages: readonly EvaluationMessage[]): Promise<readonly EvaluationMessage[]> {
    const { loss = 0, duplicate = 0, refuse = 0 } = this.#faults;
    const refused: EvaluationMessage[] = [];
    for (const message of messages) {
      if (this.#random() < refuse) {
        refused.push(message);
        continue;
      }
      this.sent++;
      if (this.#random() < loss) this.lost++;
      else this.waiting.push(message);
      if (this.#random() < duplicate) this.waiting.push(message);
    }
    return refused;
  }

  take(): EvaluationMessage | null {
    const at = this.#faults.reorder === true ? Math.floor(this.#random() * this.waiting.length) : 0;
    return this.waiting.splice(at, 1)[0] ?? null;
  }

  /** It was not finished. */
  back(message: EvaluationMessage): void {
    this.waiting.push(message);
  }
}
