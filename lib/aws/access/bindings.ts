import { Lazy, Token } from 'aws-cdk-lib';

type Right = 'events' | 'labels';

/** Who may send which model's events and labels. Principals may be tokens, so the JSON is written around them. */
export class Bindings {
  readonly #rights = new Map<string, Readonly<Record<Right, Set<string>>>>();

  /** @param model or `*` */
  add(principal: string, right: Right, model: string): void {
    let rights = this.#rights.get(principal);
    if (rights === undefined) {
      rights = { events: new Set(), labels: new Set() };
      this.#rights.set(principal, rights);
    }
    rights[right].add(model);
  }

  get isEmpty(): boolean {
    return this.#rights.size === 0;
  }

  /** JSON of all that was added until the end of synthesis; `undefined` for none. */
  get json(): string {
    return Lazy.string({ produce: () => (this.isEmpty ? undefined : this.#text()) });
  }

  #text(): string {
    const entries = [...this.#rights].map(
      ([principal, { events, labels }]) =>
        // A subject of tokens may hold what JSON escapes; an ARN that is known when deployed does not.
        `${Token.isUnresolved(principal) ? `"${principal}"` : JSON.stringify(principal)}:${JSON.stringify({ events: [...events].sort(), labels: [...labels].sort() })}`,
    );
    return `{${entries.join(',')}}`;
  }
}
