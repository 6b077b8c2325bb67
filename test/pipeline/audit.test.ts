import { describe, expect, it } from 'vitest';
import { CrashError, FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { AuditLog, verifyAudit } from '../../lib/pipeline/audit.ts';

const clock = { now: () => 0 };

async function filled(n: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const audit = new AuditLog({ store, clock });
  for (let i = 1; i <= n; i++) await audit.record('me', 'alert.acknowledge', { i });
  return store;
}

describe('AuditLog', () => {
  it('chains entries of two writers without a gap', async () => {
    const store = new MemoryStore();
    const [a, b] = [new AuditLog({ store, clock }), new AuditLog({ store, clock })];
    await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? a : b).record('me', 'monitor.apply', { i })));
    expect(await verifyAudit(store)).toEqual({ entries: 40, broken: null });
  });

  it('holds whatever crashes, and keeps every entry that was acknowledged exactly once', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const inner = new MemoryStore();
      const injector = new FaultInjector({ seed, crash: 0.1, conflict: 0.2, maxCrashes: 5 });
      const acknowledged: number[] = [];
      for (let i = 0; i < 20; ) {
        const audit = new AuditLog({ store: injector.process().store(inner), clock });
        try {
          for (; i < 20; i++) {
            await audit.record('me', 'x', { i });
            acknowledged.push(i);
          }
        } catch (error) {
          if (!(error instanceof CrashError)) throw error;
          i++;
        }
      }
      expect((await verifyAudit(inner)).broken).toBeNull();
      const stored: number[] = [];
      for (const key of await inner.list('audit/')) {
        const body = (await inner.get(key))?.body;
        stored.push((JSON.parse(new TextDecoder().decode(body)) as { details: { i: number } }).details.i);
      }
      expect(new Set(stored).size).toBe(stored.length);
      expect(acknowledged.every((i) => stored.includes(i))).toBe(true);
    }
  });

  it.each(['removed', 'edited', 'reordered'])(
    'names the first entry that breaks the chain when one is %s',
    async (how) => {
      const store = await filled(6);
      const third = await store.get(keys.audit(3));
      const fourth = await store.get(keys.audit(4));
      if (third === null || fourth === null) throw new Error('entries are missing');
      await store.delete(keys.audit(3));
      if (how === 'edited')
        await store.putIfAbsent(
          keys.audit(3),
          new TextEncoder().encode(new TextDecoder().decode(third.body).replace('"i":3', '"i":9')),
        );
      if (how === 'reordered') {
        await store.putIfAbsent(keys.audit(3), fourth.body);
        await store.delete(keys.audit(4));
        await store.putIfAbsent(keys.audit(4), third.body);
      }
      expect((await verifyAudit(store)).broken).toBe(how === 'reordered' ? keys.audit(3) : keys.audit(4));
    },
  );
});
