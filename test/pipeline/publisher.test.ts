import { describe, expect, it } from 'vitest';
import { FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import {
  approveBaseline,
  publishBaseline,
  publishMonitor,
  readAll,
  removeMonitor,
  rollbackBaseline,
} from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { baselineOf, HOUR, ManualClock, monitorOf, T0 } from './simulation.ts';

const MINUTE = 60_000;
const at = (ms: number): string => new Date(ms).toISOString();

function setUp(now = T0 + 20 * MINUTE) {
  const store = new MemoryStore();
  const clock = new ManualClock(now);
  return { store, clock, options: { store, clock, cacheMs: MINUTE } };
}

describe('publishing a monitor', () => {
  it('takes effect with the present window the first time, at the next boundary afterwards', async () => {
    const { options, clock } = setUp();
    const first = await publishMonitor(options, monitorOf('m'), { by: 'ann' });
    expect(first).toMatchObject({ n: 1, effectiveFrom: at(T0), removed: false, by: 'ann' });
    const second = await publishMonitor(options, monitorOf('m', { owner: 'x' }), { by: 'ann' });
    expect(second).toMatchObject({ n: 2, effectiveFrom: at(T0 + HOUR) });
    // Two cache lifetimes and the five minutes that an event may be dated ahead.
    clock.set(T0 + 53 * MINUTE + 1);
    const third = await publishMonitor(options, monitorOf('m', { owner: 'y' }), { by: 'ann' });
    expect(third).toMatchObject({ n: 3, effectiveFrom: at(T0 + 2 * HOUR) });
  });

  it('changes windows where the old and the new ones both have a boundary', async () => {
    const { options } = setUp();
    await publishMonitor(options, monitorOf('m'), { by: 'ann' });
    const daily = monitorOf('m', { window: { every: '1d', timezone: 'Europe/Berlin' }, drift: {} });
    expect((await publishMonitor(options, daily, { by: 'ann' })).effectiveFrom).toBe('2026-03-02T23:00:00.000Z');
    const utc = monitorOf('m', { window: { every: '1d' }, drift: {} });
    // Days in two time zones never begin together.
    expect((await publishMonitor(options, utc, { by: 'ann' })).effectiveFrom).toBe('2026-03-03T00:00:00.000Z');
  });

  it('does not publish what is published', async () => {
    const { options, store } = setUp();
    const first = await publishMonitor(options, monitorOf('m'), { by: 'ann' });
    expect(await publishMonitor(options, monitorOf('m'), { by: 'bob' })).toEqual(first);
    await removeMonitor(options, 'm', { by: 'ann' });
    await removeMonitor(options, 'm', { by: 'ann' });
    expect((await publishMonitor(options, monitorOf('m'), { by: 'bob' })).n).toBe(3);
    expect(await store.list('monitors/')).toEqual([1, 2, 3].map((n) => keys.monitor('m', n)));
  });

  it('gives each of many publishers a number, also when answers are lost', async () => {
    const { options, store } = setUp();
    const injector = new FaultInjector({ seed: 5, conflict: 0.3, delay: 3 });
    const faulty = { ...options, store: injector.process().store(store) };
    const owners = Array.from({ length: 8 }, (_, i) => `owner-${i}`);
    const published = await Promise.all(
      owners.map((owner) => publishMonitor(faulty, monitorOf('m', { owner }), { by: owner })),
    );
    expect(published.map(({ n }) => n).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect((await store.list('monitors/')).length).toBe(8);
  });

  it('knows no model to remove that nobody declared', async () => {
    await expect(removeMonitor(setUp().options, 'm', { by: 'ann' })).rejects.toThrow(/m: no monitor declares it/);
  });
});

describe('the life of a baseline', () => {
  it('waits for approval, takes effect ahead, and can be taken back', async () => {
    const { options, clock, store } = setUp();
    const base = { model: 'm', version: '1', by: 'ann' };
    const first = await publishBaseline(options, baselineOf('m', '1'), { ...base, approve: true });
    expect(first).toMatchObject({ n: 1, effectiveFrom: at(0) });
    await publishMonitor(options, monitorOf('m'), { by: 'ann' });
    const second = await publishBaseline(options, baselineOf('m', '1', ['z']), { ...base, approve: false });
    expect(second).toMatchObject({ n: 2, effectiveFrom: null, approved: null });
    const approved = await approveBaseline(options, { ...base, n: 2 });
    expect(approved).toMatchObject({
      n: 3,
      effectiveFrom: at(T0 + HOUR),
      approved: { by: 'ann', at: at(clock.now()) },
    });
    const registry = new Registry({ store, clock });
    const inForce = async (t: number) => {
      registry.invalidate();
      await registry.refresh();
      return registry.shapeFor('m', '1', t)?.baseline?.n;
    };
    expect([await inForce(T0), await inForce(T0 + HOUR - 1), await inForce(T0 + HOUR)]).toEqual([1, 1, 3]);
    // Before it took effect: the boundary is the same, and the later word counts.
    const back = await rollbackBaseline(options, base);
    expect(back).toMatchObject({ n: 4, effectiveFrom: at(T0 + HOUR) });
    expect(back.baseline).toEqual(first.baseline);
    expect([await inForce(T0), await inForce(T0 + HOUR)]).toEqual([1, 4]);
    await expect(approveBaseline(options, { ...base, n: 9 })).rejects.toThrow(
      /m\/1\/9: there is no such baseline.*1, 2, 3, 4/,
    );
    expect((await readAll(store, keys.baselines('m', '1'))).map(({ n }) => n)).toEqual([1, 2, 3, 4]);
  });

  it('says when there is nothing to go back to', async () => {
    const { options } = setUp();
    const base = { model: 'm', version: '1', by: 'ann' };
    await publishBaseline(options, baselineOf('m', '1'), { ...base, approve: true });
    await expect(rollbackBaseline(options, base)).rejects.toThrow(/no earlier approved baseline/);
  });
});

describe('the registry', () => {
  it('believes what it read for its lifetime, by the platform clock', async () => {
    const { options, clock, store } = setUp();
    const registry = new Registry({ store, clock, cacheMs: MINUTE });
    await registry.refresh();
    expect([registry.models(), registry.shapeFor('m', '1', T0)]).toEqual([[], null]);
    await publishMonitor(options, monitorOf('m'), { by: 'ann' });
    clock.set(clock.now() + MINUTE - 1);
    await registry.refresh();
    expect(registry.models()).toEqual([]);
    clock.set(clock.now() + 1);
    await registry.refresh();
    expect(registry.models()).toEqual(['m']);
    expect(registry.shapeFor('m', '1', T0)?.baseline).toBeNull();
  });

  it('takes the first monitor for events before it, and lets the last approved version stand in', async () => {
    const { options, clock, store } = setUp();
    await publishMonitor(options, monitorOf('m'), { by: 'ann' });
    const publish = (version: string, from: number) =>
      publishBaseline(options, baselineOf('m', version), {
        model: 'm',
        version,
        by: 'ann',
        approve: true,
        effectiveFrom: from,
      });
    await publish('2', T0);
    await publish('1', T0 - HOUR);
    const registry = new Registry({ store, clock });
    await registry.refresh();
    const told = (version: string, t: number) => registry.shapeFor('m', version, t)?.baseline ?? null;
    expect(told('3', T0 - 2 * HOUR)).toBeNull();
    expect(told('3', T0 - HOUR)).toEqual({ version: '1', n: 1, fallback: true });
    expect(told('3', T0)).toEqual({ version: '2', n: 1, fallback: true });
    expect(told('1', T0)).toEqual({ version: '1', n: 1, fallback: false });
    expect(registry.monitorAt('m', T0 - 100 * HOUR)?.n).toBe(1);
    expect(registry.monitorAt('nobody', T0)).toBeNull();
  });

  it('throws rather than profile with what may be out of date', async () => {
    const { clock, store } = setUp();
    const injector = new FaultInjector({ seed: 1, transient: 1 });
    const registry = new Registry({ store: injector.process().store(store), clock });
    await expect(registry.refresh()).rejects.toThrow(/503/);
    injector.disable();
    await registry.refresh();
  });
});
