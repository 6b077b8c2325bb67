/**
 * Publishes what a deployment brings: monitors with their baselines, who may send what, and where alerts go. Only what changed since the last
 * publication of the same owner is published, so that what people decided meanwhile on the platform (a new baseline approved) stays; what the
 * owner brought before and brings no more is removed, its data stay. Whatever was interrupted is finished by doing it again.
 *
 * A model belongs to one owner (publication-record.ts).
 */
import { keys } from '../contracts/object-keys.ts';
import { ProblemError } from '../contracts/problem.ts';
import { AuditLog } from './audit.ts';
import { changeJson, readJson } from './json-object.ts';
import { inParallel } from './outbox-delivery.ts';
import { type Checked, check, checked, parsedAlerting, parsedBindings, parsedChannels } from './publication-line.ts';
import { changeRecord, claim, type PublicationRecord, publishBindings, sameJson } from './publication-record.ts';
import { type PublisherOptions, publishBaseline, publishMonitor, removeMonitor } from './publisher.ts';
import { checkChannelNames, publishTeamChannels, withConfiguration } from './team-channels.ts';

export interface PublicationRequest {
  readonly owner: string;
  /** The owner had this name before: what belonged to it may be taken over. */
  readonly formerOwner?: string;
  /** Lines of the asset; read twice, so that no more than one is held at a time. */
  readonly lines: () => AsyncIterable<string>;
  /** JSON; absent: what is there stays. */
  readonly alerting?: string;
  /** JSON of channels of its own models. Absent: none. */
  readonly channels?: string;
  /** JSON; absent: none. */
  readonly bindings?: string;
  /** Nothing more is begun when it answers true. */
  readonly isLate?: () => boolean;
}

export interface PublicationOutcome {
  readonly models: number;
  /** Models whose monitor or baseline changed. */
  readonly published: number;
  readonly removed: number;
  /** Time was short: the same again goes on where this ended. */
  readonly unfinished: number;
}

/** Models published before the record is written: what an interruption costs is looked at again. */
const BLOCK = 100;

/** @throws ProblemError with everything that is wrong; then nothing was published */
export async function publish(options: PublisherOptions, request: PublicationRequest): Promise<PublicationOutcome> {
  const { store } = options;
  const { owner } = request;
  const digests = await check(options.store, request.lines());
  const bindings = request.bindings === undefined ? {} : parsedBindings(request.bindings);
  const alerting = request.alerting === undefined ? null : parsedAlerting(request.alerting);
  const channels = request.channels === undefined ? [] : parsedChannels(request.channels);
  await checkChannelNames(store, { owner, formerOwner: request.formerOwner, channels, alerting });
  const before = await claim(store, request, digests);

  const changed = [...digests].filter(([model, digest]) => before.models[model] !== digest);
  const published = await publishChanged(options, request, new Map(changed));
  const late = changed.length - published;
  const removed = late > 0 ? 0 : await removeGone(options, request, before, digests);
  await changeRecord(store, owner, (record) => withConfiguration(record, { bindings, channels }));
  await publishBindings(store);
  await publishTeamChannels(store);
  if (alerting !== null)
    await changeJson(store, keys.alerting(), (present) => (sameJson(present, alerting) ? null : alerting));
  const outcome = { models: digests.size, published, removed, unfinished: late };
  if (published + removed > 0)
    await new AuditLog({ store, clock: options.clock }).record(owner, 'publication.apply', outcome);
  return outcome;
}

/** Takes back what an owner brought. What it never brought, or another owns by now, is left alone. */
export async function unpublish(
  options: PublisherOptions,
  owner: string,
  isLate: () => boolean = () => false,
): Promise<PublicationOutcome> {
  const { store } = options;
  const record = (await readJson<PublicationRecord>(store, keys.publication(owner)))?.value;
  if (record === undefined) return { models: 0, published: 0, removed: 0, unfinished: 0 };
  const models = Object.keys(record.models);
  const done = await inParallel(models, async (model) => {
    if (isLate()) return false;
    await remove(options, model, owner);
    return true;
  });
  const removed = done.filter(Boolean).length;
  if (removed < models.length) return { models: 0, published: 0, removed, unfinished: models.length - removed };
  await store.delete(keys.publication(owner));
  await publishBindings(store);
  await publishTeamChannels(store);
  if (removed > 0)
    await new AuditLog({ store, clock: options.clock }).record(owner, 'publication.remove', { models: removed });
  return { models: 0, published: 0, removed, unfinished: 0 };
}

/** Returns how many were published before time ran out. */
async function publishChanged(
  options: PublisherOptions,
  { owner, lines, isLate = () => false }: PublicationRequest,
  changed: ReadonlyMap<string, string>,
): Promise<number> {
  let published = 0;
  let block: Checked[] = [];
  const flush = async (): Promise<void> => {
    const done = await inParallel(block, async (one) => {
      if (isLate()) return null;
      await publishOne(options, one, owner);
      return one;
    });
    block = [];
    const digests = done.flatMap((one) => (one === null ? [] : [[one.monitor.model, one.digest] as const]));
    if (digests.length === 0) return;
    published += digests.length;
    await changeRecord(options.store, owner, (record) => ({
      ...record,
      models: { ...record.models, ...Object.fromEntries(digests) },
    }));
  };
  if (changed.size === 0) return 0;
  for await (const line of lines()) {
    if (isLate()) break;
    if (line.trim() === '') continue;
    const one = await checked(options.store, line);
    if (changed.get(one.monitor.model) !== one.digest) continue;
    block.push(one);
    if (block.length >= BLOCK) await flush();
  }
  await flush();
  return published;
}

async function publishOne(options: PublisherOptions, { monitor, baseline }: Checked, owner: string): Promise<void> {
  const by = `publication ${owner}`;
  const { model } = monitor;
  // Before the model has a monitor its baseline holds from the beginning, so it comes first.
  if (baseline !== null)
    await publishBaseline(options, baseline, { model, version: baseline.version ?? '1', by, approve: true, monitor });
  await publishMonitor(options, monitor, { by });
}

async function removeGone(
  options: PublisherOptions,
  { owner }: PublicationRequest,
  before: PublicationRecord,
  digests: ReadonlyMap<string, string>,
): Promise<number> {
  const gone = Object.keys(before.models).filter((model) => !digests.has(model));
  await inParallel(gone, (model) => remove(options, model, owner));
  if (gone.length > 0)
    await changeRecord(options.store, owner, (record) => ({
      ...record,
      models: Object.fromEntries(Object.entries(record.models).filter(([model]) => !gone.includes(model))),
    }));
  return gone.length;
}

/** A model that was claimed and never published has nothing to remove. */
async function remove(options: PublisherOptions, model: string, owner: string): Promise<void> {
  try {
    await removeMonitor(options, model, { by: `publication ${owner}` });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problems[0]?.code !== 'unknown-model') throw error;
  }
}
