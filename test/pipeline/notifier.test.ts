/** The notifier as a function runs it: one round at a time, each by a process that knows nothing but the store. */
import { describe, expect, it } from 'vitest';
import { CrashError, FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { alertingSchema } from '../../lib/contracts/alerting.ts';
import type { Outbox } from '../../lib/contracts/episode.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import type { GroupOptions } from '../../lib/pipeline/notification-group.ts';
import { Notifier, type NotifierOptions } from '../../lib/pipeline/notifier.ts';
import { emptyOutbox, entryOf, isSettled } from '../../lib/pipeline/outbox.ts';
import { type AlertChannel, type ObjectStore, TransientError } from '../../lib/pipeline/ports.ts';
import { destinationOf } from '../../lib/pipeline/routes.ts';
import { addTransitions, counting, NOW, outboxOf, TestChannel, TestClock, transitionFor } from './outbox-data.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A process of its own: what is remembered is in the store. */
function notifier(
  store: ObjectStore,
  clock: TestClock,
  channels: readonly AlertChannel[],
  more: Partial<NotifierOptions> = {},
): Notifier {
  return new Notifier({ store, clock, wall: clock, channels, leaseMs: MINUTE, ...more });
}

/** Rounds a minute apart, each by a new process. */
async function minutes(
  count: number,
  store: ObjectStore,
  clock: TestClock,
  channels: readonly AlertChannel[],
  more: Partial<NotifierOptions> = {},
): Promise<void> {
  for (let i = 0; i < count; i++) {
    await notifier(store, clock, channels, more).run();
    clock.pass(MINUTE);
  }
}

describe('a channel that is down (F13)', () => {
  it('gets everything once when it is back after an hour, in order, and others did not wait', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const [broken, whole] = [new TestChannel('broken', clock), new TestChannel('whole', clock)];
    broken.fail = () => (clock.now() < NOW + HOUR ? new TransientError('503') : null);
    await addTransitions(store, [transitionFor('a'), transitionFor('b'), transitionFor('a', 'closed')]);
    await minutes(130, store, clock, [broken, whole]);
    expect(whole.got.every(({ at }) => at === NOW)).toBe(true);
    expect(whole.keys.sort()).toEqual(['a-e1/closed/1', 'a-e1/opened/1', 'b-e1/opened/1']);
    expect(broken.keys.sort()).toEqual(whole.keys.sort());
    expect(broken.keys.indexOf('a-e1/opened/1')).toBeLessThan(broken.keys.indexOf('a-e1/closed/1'));
    // Soon after it is back, not at the end of a pause of hours.
    for (const { at } of broken.got) expect(at - NOW).toBeLessThanOrEqual(HOUR + 16 * MINUTE);
    expect((await outboxOf(store, 'a')).every(isSettled)).toBe(true);
    expect((await outboxOf(store, 'a')).flatMap(({ failed }) => Object.keys(failed))).toEqual([]);
  });

  it('is asked a few times a round at most, however much waits', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const channel = new TestChannel('broken', clock);
    let asked = 0;
    channel.fail = () => {
      asked++;
      return new TransientError('no answer');
    };
    await addTransitions(
      store,
      Array.from({ length: 50 }, (_, i) => transitionFor(`m${i}`)),
    );
    await notifier(store, clock, [channel]).run();
    expect(asked).toBe(3);
  });

  it('is left alone for as long as it asked', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const channel = new TestChannel('slow', clock);
    let first = true;
    channel.fail = () => {
      if (!first) return null;
      first = false;
      return new TransientError('429', { retryAfterMs: 10 * MINUTE });
    };
    await addTransitions(store, [transitionFor('a')]);
    await minutes(15, store, clock, [channel]);
    expect(channel.got.map(({ at }) => at - NOW)).toEqual([10 * MINUTE]);
  });

  it('is given up after some two hours, with the reason', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const channel = new TestChannel('gone', clock);
    channel.fail = () => new TransientError('no answer');
    await addTransitions(store, [transitionFor('a')]);
    await minutes(100, store, clock, [channel]);
    expect((await outboxOf(store, 'a'))[0]?.failed).toEqual({});
    await minutes(60, store, clock, [channel]);
    expect((await outboxOf(store, 'a'))[0]?.failed).toEqual({ gone: 'no answer' });
  });
});

describe('crashes', () => {
  it('at every write lead to a repeat that says so, never to silence', async () => {
    const kinds = ['opened', 'closed'] as const;
    for (const side of ['before', 'after'] as const)
      for (let write = 1; ; write++) {
        const [inner, clock] = [new MemoryStore(), new TestClock()];
        await addTransitions(
          inner,
          kinds.map((kind) => transitionFor('a', kind)),
        );
        const injector = new FaultInjector({ seed: write, crashAtWrite: write, crashSide: side });
        const [bell, record] = [new TestChannel('bell', clock), new TestChannel('record', clock, { records: true })];
        for (let round = 0; round < 6; round++) {
          try {
            await notifier(injector.process().store(inner), clock, [bell, record], { group: {} }).run();
          } catch (error) {
            if (!(error instanceof CrashError)) throw error;
          }
          clock.pass(MINUTE + 1);
        }
        for (const channel of [bell, record]) {
          expect([...new Set(channel.keys)], `${side} write ${write}`).toEqual(['a-e1/opened/1', 'a-e1/closed/1']);
          channel.got.forEach(({ key, repeat }, i) => {
            expect(repeat || channel.keys.indexOf(key) === i, `${side} write ${write}`).toBe(true);
          });
        }
        expect((await outboxOf(inner, 'a')).every(isSettled)).toBe(true);
        if (injector.counts.writes < write) {
          expect(write).toBeGreaterThan(5);
          // Nothing crashed: each exactly once.
          expect(bell.got).toHaveLength(2);
          expect(record.got).toHaveLength(2);
          break;
        }
      }
  });

  it('and lost answers of any kind end with each delivered and everything settled', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const [inner, clock] = [new MemoryStore(), new TestClock()];
      const models = ['a', 'b', 'c'];
      await addTransitions(
        inner,
        models.flatMap((model) => [transitionFor(model), transitionFor(model, 'closed')]),
      );
      const injector = new FaultInjector({ seed, crash: 0.05, conflict: 0.05, maxCrashes: 8 });
      const channel = new TestChannel('bell', clock);
      for (let round = 0; round < 40; round++) {
        try {
          await notifier(injector.process().store(inner), clock, [channel]).run();
        } catch (error) {
          if (!(error instanceof CrashError)) throw error;
        }
        clock.pass(2 * MINUTE);
      }
      expect([...new Set(channel.keys)].sort(), `seed ${seed}`).toHaveLength(6);
      for (const model of models) {
        expect((await outboxOf(inner, model)).every(isSettled)).toBe(true);
        expect(channel.keys.indexOf(`${model}-e1/opened/1`)).toBeLessThan(channel.keys.indexOf(`${model}-e1/closed/1`));
      }
    }
  });

  it('of whoever wrote a transition, before it could tell of it, are made good by looking at all in turn', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const channel = new TestChannel('bell', clock);
    await addTransitions(
      store,
      Array.from({ length: 100 }, (_, i) => transitionFor(`m${i}`)),
      { hint: false },
    );
    await minutes(6, store, clock, [channel]);
    expect(channel.got).toHaveLength(100);
  });
});

describe('two at once', () => {
  it('deliver each transition once', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const [inner, clock] = [new MemoryStore(), new TestClock()];
      await addTransitions(
        inner,
        Array.from({ length: 12 }, (_, i) => transitionFor(`m${i % 4}`, 'opened', { id: `e${i}` })),
      );
      const injector = new FaultInjector({ seed, delay: 5 });
      const channel = new TestChannel('bell', clock);
      await Promise.all([1, 2, 3].map(() => notifier(injector.process().store(inner), clock, [channel]).run()));
      await minutes(3, inner, clock, [channel]);
      expect(channel.keys.sort(), `seed ${seed}`).toEqual([...new Set(channel.keys)].sort());
      expect(channel.got).toHaveLength(12);
    }
  });
});

describe('a thousand models', () => {
  it('that have nothing to tell cost a few reads a round', async () => {
    const [inner, clock] = [new MemoryStore(), new TestClock()];
    await addTransitions(
      inner,
      Array.from({ length: 1_000 }, (_, i) => transitionFor(`m${i}`)),
      { hint: false },
    );
    const channel = new TestChannel('bell', clock, { records: true });
    await notifier(inner, clock, [channel]).tick(Array.from({ length: 1_000 }, (_, i) => `m${i}`));
    const { store, counts } = counting(inner);
    const result = await notifier(store, clock, [channel]).run();
    expect(result.attempts).toBe(0);
    expect(counts.gets).toBeLessThan(60);
    expect(counts.lists).toBeLessThan(6);
    expect(counts.writes).toBeLessThan(3);
  });

  it('of which one has something to tell are told of it at once, and its hint goes', async () => {
    const [inner, clock] = [new MemoryStore(), new TestClock()];
    await addTransitions(inner, [transitionFor('zz')]);
    for (let i = 0; i < 300; i++) await inner.putIfAbsent(keys.episodes(`m${i}`), encodeJson({ ...emptyOutbox() }));
    const channel = new TestChannel('bell', clock);
    await notifier(inner, clock, [channel]).run();
    expect(channel.keys).toEqual(['zz-e1/opened/1']);
    expect(await inner.list(keys.allPending())).toEqual([]);
  });

  it('keep the hint of what was not delivered', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const channel = new TestChannel('bell', clock);
    channel.fail = () => new TransientError('no');
    await addTransitions(store, [transitionFor('a')]);
    const { undeliveredMs } = await notifier(store, clock, [channel]).run();
    expect(await store.list(keys.allPending())).toHaveLength(1);
    expect(undeliveredMs).toBe(0);
    clock.pass(7 * MINUTE);
    expect((await notifier(store, clock, [channel]).run()).undeliveredMs).toBe(7 * MINUTE);
  });
});

describe('a storm (F26)', () => {
  const storm = Array.from({ length: 1_000 }, (_, i) =>
    transitionFor(`m${i}`, 'opened', { severity: i === 500 ? 'critical' : 'warning' }),
  );
  const group: GroupOptions = { limit: 5, intervalMs: 5 * MINUTE };

  it('of a thousand models is one message an interval, and every state is recorded', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const [bell, record] = [new TestChannel('bell', clock), new TestChannel('record', clock, { records: true })];
    await addTransitions(store, storm.slice(0, 700));
    await minutes(2, store, clock, [bell, record], { group });
    await addTransitions(store, storm.slice(700));
    await minutes(10, store, clock, [bell, record], { group });
    expect(bell.got.map(({ at }) => at - NOW)).toEqual([0, 5 * MINUTE]);
    expect(bell.got[0]!.transition).toMatchObject({
      title: '700 alerts on 700 models',
      episode: { severity: 'critical', owner: 'team' },
    });
    expect(bell.got[1]!.transition.title).toBe('300 alerts on 300 models');
    expect(record.got).toHaveLength(1_000);
    for (const transition of [storm[0]!, storm[999]!])
      expect((await outboxOf(store, transition.episode.model))[0]?.delivered['bell']).toBeDefined();
  });

  it('does not hold up a few, and goes back to single messages when it is over', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const bell = new TestChannel('bell', clock);
    await addTransitions(store, storm.slice(0, 3));
    await minutes(1, store, clock, [bell], { group });
    expect(bell.got).toHaveLength(3);
    await addTransitions(store, storm.slice(3, 20));
    await minutes(1, store, clock, [bell], { group });
    expect(bell.got).toHaveLength(4);
    clock.pass(10 * MINUTE);
    await addTransitions(store, storm.slice(20, 22));
    await minutes(1, store, clock, [bell], { group });
    expect(bell.keys.slice(4)).toEqual(['m20-e1/opened/1', 'm21-e1/opened/1']);
  });

  it('is closed where state is kept when the last of its episodes is, and single closings are sent one by one', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const pager = new TestChannel('pager', clock, { keepsState: true });
    await addTransitions(store, storm.slice(0, 10));
    await minutes(1, store, clock, [pager], { group });
    expect(pager.got).toHaveLength(1);
    const id = pager.got[0]!.transition.episode.id;
    const close = (from: number, to: number) =>
      storm.slice(from, to).map(({ episode }) => transitionFor(episode.model, 'closed'));
    await addTransitions(store, close(0, 9));
    await minutes(1, store, clock, [pager], { group });
    expect(pager.got.filter(({ transition }) => transition.kind === 'closed')).toHaveLength(9);
    expect(pager.keys).not.toContain(`${id}/closed/1`);
    await addTransitions(store, close(9, 10));
    await minutes(1, store, clock, [pager], { group });
    expect(pager.keys.at(-1)).toBe(`${id}/closed/1`);
    await minutes(3, store, clock, [pager], { group });
    expect(pager.keys.filter((key) => key === `${id}/closed/1`)).toHaveLength(1);
  });

  it('is told again as a whole after a crash, marked as a repeat', async () => {
    const [inner, clock] = [new MemoryStore(), new TestClock()];
    await addTransitions(inner, storm.slice(0, 8));
    const injector = new FaultInjector({ seed: 1, crashAtWrite: 20, crashSide: 'before' });
    const bell = new TestChannel('bell', clock);
    await expect(notifier(injector.process().store(inner), clock, [bell], { group }).run()).rejects.toThrow(CrashError);
    clock.pass(2 * MINUTE);
    await minutes(8, inner, clock, [bell], { group });
    expect(bell.got.at(-1)!.repeat).toBe(true);
    for (const { episode } of storm.slice(0, 8))
      expect((await outboxOf(inner, episode.model)).every(isSettled)).toBe(true);
  });
});

describe('the list of channels', () => {
  it('decides once where a transition goes: a channel that is added gets nothing old', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const [first, second] = [new TestChannel('first', clock), new TestChannel('second', clock)];
    await addTransitions(store, [transitionFor('a')]);
    await minutes(1, store, clock, [first]);
    await addTransitions(store, [transitionFor('a', 'closed')]);
    await minutes(1, store, clock, [first, second]);
    expect(first.keys).toEqual(['a-e1/opened/1', 'a-e1/closed/1']);
    expect(second.keys).toEqual(['a-e1/closed/1']);
  });

  it('lets go of what waits for a channel that is gone', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const gone = new TestChannel('gone', clock);
    gone.fail = () => new TransientError('no');
    await addTransitions(store, [transitionFor('a')]);
    await minutes(1, store, clock, [gone]);
    await minutes(1, store, clock, [new TestChannel('other', clock)]);
    expect((await outboxOf(store, 'a'))[0]).toMatchObject({
      failed: { gone: 'the channel is not configured any more' },
    });
    expect((await outboxOf(store, 'a')).every(isSettled)).toBe(true);
  });

  it('may be empty: what happened is recorded, with why nobody was told', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    await addTransitions(store, [transitionFor('a')]);
    await minutes(1, store, clock, []);
    expect((await outboxOf(store, 'a'))[0]).toMatchObject({ channels: [], muted: 'no channel takes it' });
    expect(await store.list(keys.allPending())).toEqual([]);
  });
});

describe('routes and mutes', () => {
  const routing = alertingSchema.parse({
    schema: 'mlmon.alerting/v1',
    channels: [],
    routes: [
      { match: { owner: 'team', severity: 'critical' }, channels: ['pager'] },
      { match: { owner: 'team' }, channels: ['chat'] },
      { match: { signal: 'volume' }, channels: ['nowhere'] },
    ],
    mutes: [
      { match: { model: 'quiet' }, reason: 'an experiment' },
      {
        match: { signal: 'latency' },
        from: '2026-02-01T00:00:00Z',
        until: '2026-04-01T00:00:00Z',
        reason: 'load test',
      },
    ],
  });
  const to = (episode: Parameters<typeof transitionFor>[2], isAlarm = false, more = {}) =>
    destinationOf(
      transitionFor(episode?.model ?? 'm', 'opened', episode),
      { ...routing, ...more },
      { channels: ['pager', 'chat', 'other'], now: NOW, isAlarm },
    );

  it('send to the channels of every route that matches, and of none to all', () => {
    expect(to({ severity: 'critical' }).channels).toEqual(['pager', 'chat']);
    expect(to({ severity: 'warning' }).channels).toEqual(['chat']);
    expect(to({ owner: 'others' }).channels).toEqual(['pager', 'chat', 'other']);
    expect(to({ owner: 'others', signal: 'volume' }).channels).toEqual([]);
  });

  it('hold back with the reason, for as long as they last', () => {
    expect(to({ model: 'quiet' })).toEqual({ channels: [], muted: 'an experiment' });
    expect(to({ signal: 'latency' })).toEqual({ channels: [], muted: 'load test' });
    expect(
      destinationOf(transitionFor('m', 'opened', { signal: 'latency' }), routing, {
        channels: ['chat'],
        now: Date.parse('2026-04-01T00:00:00Z'),
      }).channels,
    ).toEqual(['chat']);
  });

  it('send episodes to nobody where alarms tell of them, but alarms still', () => {
    expect(to({}, false, { notifiedBy: 'alarms' }).channels).toEqual([]);
    expect(to({ owner: 'platform' }, true, { notifiedBy: 'alarms' }).channels).toEqual(['pager', 'chat', 'other']);
  });
});

describe('alarms and tests', () => {
  it('take an alarm once, and deliver it like any transition', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const channel = new TestChannel('bell', clock);
    channel.fail = () => (clock.now() < NOW + 5 * MINUTE ? new TransientError('no') : null);
    const alarm = transitionFor('platform', 'opened', { id: 'alarm-1' });
    await notifier(store, clock, [channel]).accept([alarm, alarm]);
    await notifier(store, clock, [channel]).accept([alarm]);
    await notifier(store, clock, [channel]).runAlarms();
    clock.pass(MINUTE);
    await minutes(20, store, clock, [channel]);
    expect(channel.keys).toEqual(['alarm-1/opened/1']);
  });

  it('answer a test once through every channel, whatever the routes', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const [good, bad] = [new TestChannel('good', clock), new TestChannel('bad', clock)];
    bad.fail = () => new TransientError('no answer');
    const test: Outbox = { ...emptyOutbox(), outbox: [entryOf(transitionFor('test'))] };
    await store.putIfAbsent(keys.channelTest('t1'), encodeJson(test));
    await minutes(3, store, clock, [good, bad], { destination: () => ({ channels: [] }), group: { limit: 0 } });
    expect(good.got).toHaveLength(1);
    const answered = (await readJson<Outbox>(store, keys.channelTest('t1')))?.value.outbox[0];
    expect(answered).toMatchObject({ delivered: { good: expect.any(String) }, failed: { bad: 'no answer' } });
    clock.pass(25 * HOUR);
    await minutes(1, store, clock, [good, bad]);
    expect(await store.list(keys.channelTests())).toEqual([]);
  });
});

describe('time', () => {
  it('that is short is kept: nothing is begun after it', async () => {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const channel = new TestChannel('bell', clock);
    channel.fail = () => {
      clock.pass(10_000);
      return null;
    };
    await addTransitions(
      store,
      Array.from({ length: 10 }, (_, i) => transitionFor(`m${i}`)),
    );
    await notifier(store, clock, [channel]).run({ until: NOW + 25_000 });
    expect(channel.got).toHaveLength(3);
    await minutes(1, store, clock, [channel]);
    expect(channel.got).toHaveLength(10);
  });
});
