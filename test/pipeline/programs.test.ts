/** Channels for programs: they get what people are spared, with the reason, and nothing of the platform's own alarms. */
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { type Alerting, alertingSchema } from '../../lib/contracts/alerting.ts';
import type { EpisodeState, Transition } from '../../lib/contracts/episode.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { changeJson, encodeJson } from '../../lib/pipeline/json-object.ts';
import { Notifier } from '../../lib/pipeline/notifier.ts';
import { emptyOutbox, entryOf, isSettled } from '../../lib/pipeline/outbox.ts';
import { type AlertChannel, type DeliveryOptions, TransientError } from '../../lib/pipeline/ports.ts';
import { destinationOf } from '../../lib/pipeline/routes.ts';
import { addTransitions, NOW, outboxOf, TestChannel, TestClock, transitionFor } from './outbox-data.ts';

class Program implements AlertChannel {
  readonly name = 'event-bus';
  readonly records = true;
  readonly takesAll = true;
  readonly got: (DeliveryOptions & { readonly key: string })[] = [];
  fails = 0;

  async deliver({ key }: Transition, options: DeliveryOptions): Promise<void> {
    if (this.fails-- > 0) throw new TransientError('throttled');
    this.got.push({ key, ...options });
  }
}

function setUp(more: Partial<Alerting> = {}) {
  const [store, clock, program] = [new MemoryStore(), new TestClock(), new Program()];
  const people = new TestChannel('people', clock);
  const routing = alertingSchema.parse({ schema: 'mlmon.alerting/v1', channels: [], ...more });
  const round = () =>
    new Notifier({
      ...{ store, clock, wall: clock, channels: [people, program] },
      destination: (transition, source) =>
        destinationOf(transition, routing, { channels: ['people'], now: clock.now(), isAlarm: source === 'alarms' }),
    }).run();
  return { store, clock, program, people, round };
}

describe('a program', () => {
  it('gets what people get, with nothing withheld', async () => {
    const { store, people, program, round } = setUp();
    await addTransitions(store, [transitionFor('a'), transitionFor('a', 'closed')]);
    await round();
    expect(people.keys).toEqual(['a-e1/opened/1', 'a-e1/closed/1']);
    expect(program.got.map(({ key, withheld }) => [key, withheld])).toEqual([
      ['a-e1/opened/1', undefined],
      ['a-e1/closed/1', undefined],
    ]);
  });

  it.each([
    ['muted', { mutes: [{ match: {}, reason: 'a launch' }] }, 'a launch'],
    ['told by alarms', { notifiedBy: 'alarms' as const }, 'alarms tell of open episodes'],
  ])('gets what is %s, with the reason', async (_, more, reason) => {
    const { store, people, program, round } = setUp(more);
    await addTransitions(store, [transitionFor('a')]);
    await round();
    expect(people.got).toEqual([]);
    expect(program.got).toMatchObject([{ key: 'a-e1/opened/1', withheld: reason }]);
    expect((await outboxOf(store, 'a'))[0]).toMatchObject({ channels: ['event-bus'], muted: reason });
  });

  it('gets what is silenced', async () => {
    const { store, people, program, round } = setUp();
    await addTransitions(store, [transitionFor('a')]);
    const span = { from: new Date(NOW - 1).toISOString(), until: new Date(NOW + 3_600_000).toISOString() };
    await changeJson<EpisodeState>(store, keys.episodes('a'), (state) =>
      state === null
        ? null
        : { ...state, silences: [{ id: 's1', model: 'a', signal: null, ...span, by: 'ann', reason: 'known' }] },
    );
    await round();
    expect(people.got).toEqual([]);
    expect(program.got).toMatchObject([{ withheld: 'silenced by s1' }]);
    expect((await outboxOf(store, 'a')).every(isSettled)).toBe(true);
  });

  it('is tried again, and is told that it may be a repeat', async () => {
    const { store, clock, program, round } = setUp({ mutes: [{ match: {}, reason: 'a launch' }] });
    program.fails = 2;
    await addTransitions(store, [transitionFor('a')]);
    for (let minute = 0; minute < 5; minute++) {
      await round();
      clock.pass(60_000);
    }
    expect(program.got).toMatchObject([{ key: 'a-e1/opened/1', repeat: true, withheld: 'a launch' }]);
  });

  it('hears of a test that it is one, and of no alarm', async () => {
    const { store, people, program, round } = setUp();
    const outbox = (model: string) => encodeJson({ ...emptyOutbox(), outbox: [entryOf(transitionFor(model))] });
    await store.putIfAbsent(keys.channelTest('t'), outbox('test'));
    await store.putIfAbsent(keys.alarms(), outbox('alarm'));
    await round();
    expect(people.keys.sort()).toEqual(['alarm-e1/opened/1', 'test-e1/opened/1']);
    expect(program.got).toMatchObject([{ key: 'test-e1/opened/1', test: true }]);
  });
});
