import { describe, expect, it } from 'vitest';
import { CrashError, FaultInjector, type FaultOptions } from '../../../lib/adapters/memory/faults.ts';
import { MemoryLog } from '../../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../../lib/adapters/memory/memory-store.ts';
import { ConflictError, TransientError } from '../../../lib/pipeline/ports.ts';

const body = new Uint8Array([1]);

/** Puts `n` objects one after another, each until it is there; returns what happened. */
async function trace(options: FaultOptions, n = 60): Promise<string[]> {
  const injector = new FaultInjector(options);
  const inner = new MemoryStore();
  const happened: string[] = [];
  let store = injector.process().store(inner);
  for (let i = 0; i < n; i++) {
    try {
      await store.putIfAbsent(`k${i}`, body);
      happened.push('ok');
    } catch (error) {
      happened.push(`${(error as Error).name} ${inner.size}`);
      if (error instanceof CrashError) store = injector.process().store(inner);
    }
  }
  return happened;
}

describe('fault injector', () => {
  it('repeats itself from its seed', async () => {
    const options = { crash: 0.1, conflict: 0.1, transient: 0.1, delay: 2 };
    const first = await trace({ seed: 7, ...options });
    expect(await trace({ seed: 7, ...options })).toEqual(first);
    expect(await trace({ seed: 8, ...options })).not.toEqual(first);
    for (const name of ['CrashError', 'ConflictError', 'TransientError']) {
      expect(first.some((line) => line.startsWith(name))).toBe(true);
    }
  });

  it('kills before or after the write, and the whole process', async () => {
    for (const crashSide of ['before', 'after'] as const) {
      const injector = new FaultInjector({ seed: 1, crashAtWrite: 2, crashSide });
      const inner = new MemoryStore();
      const log = new MemoryLog({ clock: { now: () => 0 } });
      const process = injector.process();
      const store = process.store(inner);
      await store.putIfAbsent('a', body);
      await expect(store.putIfAbsent('b', body)).rejects.toThrow(CrashError);
      expect(process.dead).toBe(true);
      expect(inner.size).toBe(crashSide === 'before' ? 1 : 2);
      await expect(store.get('a')).rejects.toThrow(CrashError);
      await expect(process.log(log).append([{ key: 'k', data: body }])).rejects.toThrow(CrashError);
      expect(await injector.process().store(inner).get('a')).not.toBeNull();
    }
  });

  it('stops what was under way when its process dies', async () => {
    const injector = new FaultInjector({ seed: 3, delay: 5, crashAtWrite: 1, crashSide: 'before' });
    const inner = new MemoryStore();
    const store = injector.process().store(inner);
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((i) => store.putIfAbsent(`k${i}`, body)));
    expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
    expect(inner.size).toBe(0);
  });

  it('answers a write that took effect with a conflict', async () => {
    const injector = new FaultInjector({ seed: 1, conflict: 1 });
    const inner = new MemoryStore();
    await expect(injector.process().store(inner).putIfAbsent('k', body)).rejects.toThrow(ConflictError);
    expect(inner.size).toBe(1);
  });

  it('throttles, sometimes after the write took effect', async () => {
    const injector = new FaultInjector({ seed: 1, transient: 1 });
    const inner = new MemoryStore();
    const store = injector.process().store(inner);
    for (let i = 0; i < 100; i++) await expect(store.putIfAbsent(`k${i}`, body)).rejects.toThrow(TransientError);
    expect(inner.size).toBeGreaterThan(5);
    expect(inner.size).toBeLessThan(60);
  });

  it('is quiet when disabled', async () => {
    const injector = new FaultInjector({ seed: 1, crash: 1, conflict: 1, transient: 1 });
    injector.disable();
    const inner = new MemoryStore();
    await injector.process().store(inner).putIfAbsent('k', body);
    expect(injector.counts).toEqual({ writes: 1, crashes: 0, conflicts: 0, transients: 0 });
  });
});
