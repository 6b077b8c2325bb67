/**
 * Who owns which model. The claim is written before anything is published and looked at again afterwards, so of two owners at once that want
 * the same model never both go on.
 */
import type { Delivery } from '../contracts/alerting.ts';
import { keys } from '../contracts/object-keys.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import type { SenderRights } from '../contracts/publication.ts';
import { changeJson, readJson } from './json-object.ts';
import { listAll } from './listing.ts';
import type { ObjectStore } from './ports.ts';
import { TOLD } from './publication-line.ts';
import type { Bindings } from './sender-rights.ts';

/** What an owner brought: digests of what was published of each model, `null` where it is claimed and not published yet. */
export interface PublicationRecord {
  readonly schema: 'mlmon.publication/v1';
  readonly owner: string;
  readonly models: Readonly<Record<string, string | null>>;
  readonly bindings: Bindings;
  /** Of its own models. Absent: none. */
  readonly channels?: readonly Delivery[];
}

/** Writes down that the owner has these models, and returns its record from before. @throws ProblemError when others have one of them */
export async function claim(
  store: ObjectStore,
  { owner, formerOwner }: { readonly owner: string; readonly formerOwner?: string },
  digests: ReadonlyMap<string, string>,
): Promise<PublicationRecord> {
  const known = (await readJson<PublicationRecord>(store, keys.publication(owner)))?.value;
  const before = known ?? emptyRecord(owner);
  const added = [...digests.keys()].filter((model) => before.models[model] === undefined);
  const conflicts = async (): Promise<Problem[]> =>
    (await records(store)).flatMap((other) =>
      other.owner === owner || other.owner === formerOwner
        ? []
        : [...digests.keys()]
            .filter((model) => other.models[model] !== undefined)
            .map((model) => ({
              code: 'claimed',
              path: model,
              message: 'another publication owns this model',
              got: `${shown(owner)} wants it, ${shown(other.owner)} has it`,
              fix: `remove it from one of them; its data stay`,
            })),
    );
  const found = await conflicts();
  if (found.length > 0) throw new ProblemError(found.slice(0, TOLD));
  await changeRecord(store, owner, (record) => ({
    ...record,
    models: { ...record.models, ...Object.fromEntries(added.map((model) => [model, null])) },
  }));
  // Another owner may have claimed at the same moment: each sees the other's claim now, and neither goes on.
  const met = added.length === 0 ? [] : await conflicts();
  if (met.length > 0) {
    if (known === undefined) await store.delete(keys.publication(owner));
    else
      await changeRecord(store, owner, (record) => ({
        ...record,
        models: Object.fromEntries(Object.entries(record.models).filter(([model]) => !added.includes(model))),
      }));
    throw new ProblemError(met.slice(0, TOLD));
  }
  if (formerOwner !== undefined && formerOwner !== owner) await handOver(store, formerOwner, digests);
  return before;
}

/** The publication that has the model; `null` for one that people applied. */
export async function ownerOf(store: ObjectStore, model: string): Promise<string | null> {
  return (await records(store)).find(({ models }) => models[model] !== undefined)?.owner ?? null;
}

/** What the owner takes over under its new name is not removed under the old one. */
async function handOver(store: ObjectStore, formerOwner: string, digests: ReadonlyMap<string, string>): Promise<void> {
  const former = await readJson<PublicationRecord>(store, keys.publication(formerOwner));
  if (former === null) return;
  await changeRecord(store, formerOwner, (record) => ({
    ...record,
    models: Object.fromEntries(Object.entries(record.models).filter(([model]) => !digests.has(model))),
  }));
}

/** The union of what all owners grant. The records are read within the change, so that of two at once the later one sees both. */
export async function publishBindings(store: ObjectStore): Promise<void> {
  await changeJson<Bindings>(store, keys.bindings(), async (present) => {
    const union: Record<string, SenderRights> = {};
    for (const { bindings } of await records(store))
      for (const [principal, rights] of Object.entries(bindings)) {
        const known = union[principal];
        union[principal] = {
          events: [...new Set([...(known?.events ?? []), ...rights.events])].sort(),
          labels: [...new Set([...(known?.labels ?? []), ...rights.labels])].sort(),
        };
      }
    return sameJson(present, union) ? null : union;
  });
}

/** Of all owners. */
export async function records(store: ObjectStore): Promise<PublicationRecord[]> {
  const found: PublicationRecord[] = [];
  for await (const key of listAll(store, keys.publications())) {
    const record = (await readJson<PublicationRecord>(store, key))?.value;
    if (record !== undefined) found.push(record);
  }
  return found;
}

export async function changeRecord(
  store: ObjectStore,
  owner: string,
  next: (record: PublicationRecord) => PublicationRecord,
): Promise<void> {
  await changeJson<PublicationRecord>(store, keys.publication(owner), (present) => {
    const record = next(present ?? emptyRecord(owner));
    return sameJson(record, present) ? null : record;
  });
}

function emptyRecord(owner: string): PublicationRecord {
  return { schema: 'mlmon.publication/v1', owner, models: {}, bindings: {} };
}

export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
