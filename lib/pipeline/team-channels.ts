/**
 * Channels that teams bring with their models, beside those of the platform. A team's channel gets what is told of the models of its publication
 * and nothing else; a model that has some is told there, and besides to what a route of the platform names for it.
 */
import { type Alerting, type Delivery, type TeamChannels, teamChannelsSchema } from '../contracts/alerting.ts';
import { keys } from '../contracts/object-keys.ts';
import { ProblemError, shown } from '../contracts/problem.ts';
import { changeJson, readJson } from './json-object.ts';
import type { ObjectStore } from './ports.ts';
import { type PublicationRecord, records, sameJson } from './publication-record.ts';
import type { Bindings } from './sender-rights.ts';

export const NO_TEAMS: TeamChannels = { schema: 'mlmon.team-channels/v1', teams: {} };

/** As it is written down: a record without channels stays as it always was. */
export function withConfiguration(
  { channels: _former, ...record }: PublicationRecord,
  { bindings, channels }: { readonly bindings: Bindings; readonly channels: readonly Delivery[] },
): PublicationRecord {
  return { ...record, bindings, ...(channels.length === 0 ? {} : { channels }) };
}

/** The union of what all owners bring; read within the change, so that of two at once the later one sees both. */
export async function publishTeamChannels(store: ObjectStore): Promise<void> {
  await changeJson<TeamChannels>(store, keys.teamChannels(), async (present) => {
    const teams: Record<string, { models: string[]; channels: Delivery[] }> = {};
    for (const { owner, models, channels = [] } of await records(store))
      if (channels.length > 0) teams[owner] = { models: Object.keys(models).sort(), channels: [...channels] };
    const union: TeamChannels = { ...NO_TEAMS, teams };
    return sameJson(present ?? NO_TEAMS, union) ? null : union;
  });
}

/** Deliveries are marked by the names of channels, so a name is of one channel only. @throws ProblemError naming who has it */
export async function checkChannelNames(
  store: ObjectStore,
  {
    owner,
    formerOwner,
    channels,
    alerting,
  }: {
    readonly owner: string;
    readonly formerOwner?: string;
    readonly channels: readonly Delivery[];
    /** Of the platform, where this publication brings it. */
    readonly alerting: unknown;
  },
): Promise<void> {
  if (channels.length === 0 && alerting === null) return;
  const brought = alerting as Alerting | null;
  const own = [...channels, ...(brought?.channels ?? [])].map(({ name }) => name);
  const taken = new Map<string, string>();
  for (const record of await records(store))
    if (record.owner !== owner && record.owner !== formerOwner)
      for (const { name } of record.channels ?? []) taken.set(name, record.owner);
  if (brought === null)
    for (const { name } of (await readJson<Alerting>(store, keys.alerting()))?.value.channels ?? [])
      taken.set(name, 'the platform');
  const problems = own.flatMap((name, i) => {
    const by = own.indexOf(name) < i ? owner : taken.get(name);
    if (by === undefined) return [];
    return [
      {
        code: 'channel-taken',
        path: `Channels: ${name}`,
        message: 'another channel has this name',
        got: `${shown(owner)} wants it, ${shown(by)} has it`,
        fix: 'give the channel another name',
      },
    ];
  });
  if (problems.length > 0) throw new ProblemError(problems);
}

/** @throws Error where it is there and cannot be read as what it should be */
export async function readTeamChannels(store: ObjectStore): Promise<TeamChannels> {
  const stored = await readJson<unknown>(store, keys.teamChannels());
  if (stored === null) return NO_TEAMS;
  const parsed = teamChannelsSchema.safeParse(stored.value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `${keys.teamChannels()}: is not valid at ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}; deploy again`,
  );
}

/** Model → names of the channels that its team brought. */
export function channelsByModel({ teams }: TeamChannels): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { models, channels } of Object.values(teams))
    for (const model of models) found.set(model, [...(found.get(model) ?? []), ...channels.map(({ name }) => name)]);
  return found;
}
