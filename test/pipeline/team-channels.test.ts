/** Channels that teams bring: who gets what is told, and what their publications leave. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { alertingSchema, type Delivery, type TeamChannels } from '../../lib/contracts/alerting.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';
import { type PublicationRequest, publish, unpublish } from '../../lib/pipeline/publication.ts';
import { destinationOf } from '../../lib/pipeline/routes.ts';
import { channelsByModel, NO_TEAMS, readTeamChannels } from '../../lib/pipeline/team-channels.ts';
import { NOW, transitionFor } from './outbox-data.ts';
import { ManualClock, monitorOf, T0 } from './simulation.ts';

const sqs = (name: string): Delivery => ({ type: 'sqs', name, queueUrl: `https://sqs.example.com/${name}` });

function request(owner: string, models: readonly string[], more: Partial<PublicationRequest> = {}): PublicationRequest {
  return {
    owner,
    lines: async function* () {
      for (const model of models) {
        const { features, window } = monitorOf(model);
        yield JSON.stringify({ monitor: { model, features, window }, baseline: null });
      }
    },
    ...more,
  };
}

const brought = (...channels: Delivery[]): Partial<PublicationRequest> => ({ channels: JSON.stringify(channels) });
const stored = async (store: ObjectStore): Promise<TeamChannels['teams']> => (await readTeamChannels(store)).teams;

describe('channels of teams', () => {
  it('are the union over publications, each with the models of its own', async () => {
    const store = new MemoryStore();
    const options = { store, clock: new ManualClock(T0) };
    await publish(options, request('a', ['one', 'two'], brought(sqs('one-sqs'))));
    await publish(options, request('b', ['three'], brought(sqs('three-sqs'), sqs('three-more'))));
    await publish(options, request('c', ['four']));
    expect(await stored(store)).toEqual({
      a: { models: ['one', 'two'], channels: [sqs('one-sqs')] },
      b: { models: ['three'], channels: [sqs('three-sqs'), sqs('three-more')] },
    });
    // What a deployment does not bring any more is gone, and so is what is taken back.
    await publish(options, request('a', ['one']));
    expect(Object.keys(await stored(store))).toEqual(['b']);
    await unpublish(options, 'b');
    expect(await stored(store)).toEqual({});
  });

  it('write nothing where nobody brings any', async () => {
    const store = new MemoryStore();
    await publish({ store, clock: new ManualClock(T0) }, request('a', ['one']));
    expect(await store.get(keys.teamChannels())).toBeNull();
    expect(await readTeamChannels(store)).toEqual(NO_TEAMS);
    expect((await readJson<object>(store, keys.publication('a')))?.value).not.toHaveProperty('channels');
  });

  it.each([
    ['of another team', request('b', ['two'], brought(sqs('one-sqs')))],
    ['of the platform', request('b', ['two'], brought(sqs('central')))],
    ['twice', request('b', ['two'], brought(sqs('new'), sqs('new')))],
  ])('are refused under a name %s, and then nothing is published', async (_, wrong) => {
    const store = new MemoryStore();
    const options = { store, clock: new ManualClock(T0) };
    const central = alertingSchema.parse({ schema: 'mlmon.alerting/v1', channels: [sqs('central')] });
    await publish(options, request('platform', [], { alerting: JSON.stringify(central) }));
    await publish(options, request('a', ['one'], brought(sqs('one-sqs'))));
    await expect(publish(options, wrong)).rejects.toThrow(/another channel has this name/);
    expect(await store.list(keys.monitors('two'))).toEqual([]);
    expect(Object.keys(await stored(store))).toEqual(['a']);
  });

  it('may keep their names when their owner gets another', async () => {
    const store = new MemoryStore();
    const options = { store, clock: new ManualClock(T0) };
    await publish(options, request('old', ['one'], brought(sqs('one-sqs'))));
    await publish(options, request('new', ['one'], { ...brought(sqs('one-sqs')), formerOwner: 'old' }));
    await unpublish(options, 'old');
    expect(Object.keys(await stored(store))).toEqual(['new']);
  });

  it('that are no channels are refused with what is wrong', async () => {
    const options = { store: new MemoryStore(), clock: new ManualClock(T0) };
    for (const channels of ['no json', '[{"type":"pigeon"}]', '{}'])
      await expect(publish(options, request('a', ['one'], { channels }))).rejects.toThrow(/Channels/);
  });

  it('that cannot be read are told, since nobody would hear of alerts otherwise', async () => {
    const store = new MemoryStore();
    await store.putIfAbsent(keys.teamChannels(), encodeJson({ schema: 'mlmon.team-channels/v9', teams: {} }));
    await expect(readTeamChannels(store)).rejects.toThrow(/team-channels.json: is not valid at schema/);
  });
});

describe('what is told of a model', () => {
  const routing = alertingSchema.parse({
    schema: 'mlmon.alerting/v1',
    channels: [],
    routes: [{ match: { severity: 'critical' }, channels: ['pager'] }],
    mutes: [{ match: { model: 'quiet' }, reason: 'an experiment' }],
  });
  const teams = channelsByModel({
    ...NO_TEAMS,
    teams: {
      a: { models: ['fraud', 'quiet'], channels: [sqs('fraud-a'), sqs('fraud-b')] },
      b: { models: ['price'], channels: [sqs('price-a')] },
    },
  });
  const to = (model: string, severity: 'critical' | 'warning', isAlarm = false) =>
    destinationOf(transitionFor(model, 'opened', { model, severity }), routing, {
      channels: ['pager', 'mail'],
      now: NOW,
      isAlarm,
      teams,
    }).channels;

  it('goes to the channels of its team, and to those that a route of the platform names', () => {
    expect(to('fraud', 'warning')).toEqual(['fraud-a', 'fraud-b']);
    expect(to('fraud', 'critical')).toEqual(['pager', 'fraud-a', 'fraud-b']);
    expect(to('price', 'warning')).toEqual(['price-a']);
    expect(to('other', 'warning')).toEqual(['pager', 'mail']);
    expect(to('quiet', 'critical')).toEqual([]);
    // An alarm of the platform is nobody's model, whatever it is called.
    expect(to('fraud', 'warning', true)).toEqual(['pager', 'mail']);
  });

  it('never goes to a channel of another team', () => {
    const all = ['fraud-a', 'fraud-b', 'price-a'];
    fc.assert(
      fc.property(
        fc.constantFrom('fraud', 'price', 'quiet', 'other'),
        fc.constantFrom('critical' as const, 'warning' as const),
        fc.boolean(),
        (model, severity, isAlarm) => {
          const own = isAlarm ? [] : (teams.get(model) ?? []);
          const strangers = all.filter((name) => !own.includes(name));
          expect(to(model, severity, isAlarm).filter((name) => strangers.includes(name))).toEqual([]);
        },
      ),
    );
  });
});
