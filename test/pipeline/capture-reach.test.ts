import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { cursorBytes, EMPTY_CURSOR } from '../../lib/pipeline/cursor.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DELAY = 15 * MINUTE;
const NOW = Date.parse('2001-02-10T10:30:00Z');

async function made(of: {
  readonly profiled?: number;
  readonly delivered?: readonly number[];
  readonly name?: string;
}) {
  const store = new MemoryStore();
  const clock = { time: NOW, now: () => clock.time };
  for (const [i, at] of (of.delivered ?? []).entries()) {
    const stamp = new Date(at).toISOString().slice(0, 19).replace(/[T:]/g, '-');
    await store.putIfAbsent(`${keys.captureHour(at)}${of.name ?? `stream-1-${stamp}-${i}`}.parquet`, new Uint8Array());
  }
  for (const partition of ['a', 'b'])
    await store.putIfAbsent(
      keys.cursor('log', partition),
      cursorBytes({
        ...EMPTY_CURSOR,
        ...(of.profiled === undefined
          ? {}
          : { position: '1', appendTime: of.profiled - (partition === 'a' ? HOUR : 0) }),
      }),
    );
  let lists = 0;
  const counting = {
    get: store.get.bind(store),
    list: (...given: Parameters<typeof store.list>) => {
      lists += 1;
      return store.list(...given);
    },
  };
  const reach = new DeliveredCapture({ store: counting as unknown as MemoryStore, clock, delayMs: DELAY });
  return { reach, store, clock, lists: () => lists };
}

describe('how far a delivery reaches', () => {
  it('is the delay behind the clock while delivery follows the stream', async () => {
    const { reach } = await made({ profiled: NOW, delivered: [NOW - HOUR, NOW - 10 * MINUTE] });
    expect(await reach.through()).toBe(NOW - DELAY);
    const quiet = await made({ profiled: NOW - 3 * HOUR, delivered: [NOW - 3 * HOUR - 5 * MINUTE] });
    expect(await quiet.reach.through()).toBe(NOW - DELAY);
    const silent = await made({ profiled: NOW - 3 * DAY, delivered: [NOW - 4 * DAY] });
    expect(await silent.reach.through()).toBe(NOW - DELAY);
    expect(await (await made({})).reach.through()).toBe(NOW - DELAY);
  });

  it('stays with the newest object while delivery stands still, for a day', async () => {
    const { reach, clock } = await made({ profiled: NOW, delivered: [NOW - 5 * HOUR, NOW - 6 * HOUR] });
    expect(await reach.through()).toBe(NOW - 5 * HOUR);
    clock.time += 18 * HOUR;
    expect(await reach.through()).toBe(NOW - 5 * HOUR);
    const longer = await made({ profiled: NOW, delivered: [NOW - 3 * DAY] });
    expect(await longer.reach.through()).toBe(NOW - DELAY - DAY);
  });

  it('takes the end of the hour for objects of other names', async () => {
    const { reach } = await made({ profiled: NOW, delivered: [NOW - 3 * HOUR], name: 'part-0' });
    expect(await reach.through()).toBe(Date.parse('2001-02-10T08:00:00Z'));
  });

  it('looks at few listings', async () => {
    const { reach, lists } = await made({
      profiled: NOW,
      delivered: Array.from({ length: 200 }, (_, i) => NOW - i * HOUR),
    });
    await reach.through();
    await reach.oldestHour();
    await reach.between(NOW - 7 * DAY, NOW);
    expect(lists()).toBeLessThan(6);
  });
});

describe('where what arrived lies', () => {
  it('is in the hours from one delay before to a day after, no further than now', async () => {
    const { reach } = await made({ delivered: [NOW - 9 * DAY] });
    const hours = await reach.between(NOW - 3 * DAY + 10 * MINUTE, NOW - 2 * DAY);
    expect(hours[0]).toBe('capture/dt=2001-02-07/hr=10/');
    expect(hours.at(-1)).toBe('capture/dt=2001-02-09/hr=10/');
    expect(hours.length).toBe(49);
    expect((await reach.between(NOW - HOUR, NOW + HOUR)).at(-1)).toBe('capture/dt=2001-02-10/hr=10/');
  });

  it('does not begin before the oldest hour', async () => {
    const { reach } = await made({ delivered: [NOW - 2 * HOUR] });
    expect(await reach.between(NOW - 30 * DAY, NOW)).toEqual(
      ['08', '09', '10'].map((hour) => `capture/dt=2001-02-10/hr=${hour}/`),
    );
  });

  it('names the hours that have redriven lines', async () => {
    const { reach, store } = await made({ delivered: [NOW - 9 * DAY] });
    for (const at of [NOW - 8 * DAY, NOW - 2 * DAY, NOW - 2 * DAY + HOUR, NOW - HOUR])
      for (const name of ['x', 'y']) await store.putIfAbsent(keys.redriven(at, name), new Uint8Array());
    const hours = (await reach.between(NOW - 2 * DAY, NOW - 2 * DAY + HOUR)).filter((hour) =>
      hour.includes('redriven'),
    );
    expect(hours).toEqual(['capture-redriven/dt=2001-02-08/hr=10/', 'capture-redriven/dt=2001-02-08/hr=11/']);
  });
});
