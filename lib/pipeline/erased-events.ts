/** How many captured events of each model were erased lately: whoever counts the capture must not take them for lost. */
import type { ErasedEvents } from '../contracts/erasure.ts';
import { keys } from '../contracts/object-keys.ts';
import { changeJson, readJson } from './json-object.ts';
import type { ObjectStore } from './ports.ts';

/** Longer than any window is revised by far. */
const KEPT_MS = 400 * 86_400_000;

export async function noteErased(
  store: ObjectStore,
  now: number,
  erased: Readonly<Record<string, number>>,
): Promise<void> {
  const [day, oldest] = [now, now - KEPT_MS].map((ms) => new Date(ms).toISOString().slice(0, 10)) as [string, string];
  await changeJson<ErasedEvents>(store, keys.erased(), (present) => {
    const models: Record<string, Record<string, number>> = {};
    for (const [model, days] of Object.entries(present?.models ?? {})) {
      const young = Object.entries(days).filter(([one]) => one >= oldest);
      if (young.length > 0) models[model] = Object.fromEntries(young);
    }
    for (const [model, n] of Object.entries(erased))
      models[model] = { ...models[model], [day]: (models[model]?.[day] ?? 0) + n };
    return { schema: 'mlmon.erased/v1', models };
  });
}

/** By model, since the day of `from`: an upper bound of what was erased from any of its windows since. */
export async function erasedSince(store: ObjectStore, from: number): Promise<ReadonlyMap<string, number>> {
  const stored = await readJson<ErasedEvents>(store, keys.erased());
  const first = new Date(from).toISOString().slice(0, 10);
  return new Map(
    Object.entries(stored?.value.models ?? {}).map(([model, days]) => [
      model,
      Object.entries(days).reduce((sum, [day, n]) => sum + (day >= first ? n : 0), 0),
    ]),
  );
}
