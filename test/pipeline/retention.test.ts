/** Retention: exactly what is older than it says goes, whatever else is there, and the audit log says so. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { RETENTION } from '../../lib/contracts/retention.ts';
import { AuditLog, verifyAudit } from '../../lib/pipeline/audit.ts';
import { applyEventRetention, expireByAge } from '../../lib/pipeline/event-retention.ts';
import { encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import { applyRetention } from '../../lib/pipeline/retention.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const NOW = Date.parse('2001-06-15T05:20:00Z');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const noParquet = () => Promise.reject(new Error('nothing is Parquet here'));

function world() {
  const store = new MemoryStore();
  let now = NOW;
  const clock = { now: () => now };
  return {
    store,
    clock,
    audit: new AuditLog({ store, clock }),
    pass: (ms: number) => {
      now += ms;
    },
    monitor: (model: string, n: number, retention: object, removed = false) =>
      store.putIfAbsent(keys.monitor(model, n), encodeJson({ n, removed, monitor: { model, retention } })),
    audited: async () =>
      Promise.all(
        (await store.list('audit/')).map(
          async (key) => (await readJson<{ action: string; details: object }>(store, key))?.value,
        ),
      ),
  };
}

describe('profiles and results', () => {
  it('go by whole days, of the models that say so', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 60 * 24 }), { minLength: 1, maxLength: 20 }),
        fc.constantFrom('1h', '1d', '7d'),
        fc.integer({ min: 19, max: 40 }),
        async (ages, length, days) => {
          const { store, clock, audit, monitor } = world();
          await monitor('a', 1, { profiles: '1000d' });
          await monitor('a', 2, { profiles: `${days}d`, results: `${days}d` }, true);
          await monitor('b', 1, {});
          const left: string[] = [];
          const cut = Math.floor((NOW - days * DAY) / DAY) * DAY;
          const ms = { '1h': HOUR, '1d': DAY, '7d': 7 * DAY }[length];
          const put = async (key: string, stays: boolean): Promise<void> => {
            await store.putIfAbsent(key, bytes('x')).catch(() => undefined);
            if (stays && !left.includes(key)) left.push(key);
          };
          for (const age of ages) {
            const start = NOW - 20 * 60_000 - age * HOUR;
            for (const version of ['1', 'v/2']) {
              await put(keys.profile('a', version, start, 'b', 'd'), start >= cut);
              await put(keys.profile('b', version, start, 'b', 'd'), true);
              for (const key of [
                keys.result('a', version, start, length, 2),
                keys.performance('a', version, start, length, 1),
              ])
                await put(key, start + ms > cut);
              await put(keys.result('b', version, start, length, 1), true);
            }
          }
          await applyRetention({ store, clock, audit });
          expect([...(await store.list('profiles/')), ...(await store.list('results/'))].sort()).toEqual(left.sort());
        },
      ),
      { numRuns: 40 },
    );
  });

  it('go once a day, in one entry of the audit log, and go on where time was short', async () => {
    const { store, clock, audit, monitor, pass, audited } = world();
    await monitor('a', 1, { profiles: '20d' });
    for (const days of [1, 30, 40])
      await store.putIfAbsent(keys.profile('a', '1', NOW - days * DAY, 'b', 'd'), bytes('x'));
    let looks = 0;
    const signal = {
      get aborted() {
        return ++looks > 2;
      },
    };
    expect(await applyRetention({ store, clock, audit, signal })).toEqual({ profiles: 1, results: 0 });
    expect(await applyRetention({ store, clock, audit })).toEqual({ profiles: 1, results: 0 });
    expect(await applyRetention({ store, clock, audit })).toBeNull();
    pass(DAY);
    expect(await applyRetention({ store, clock, audit })).toEqual({ profiles: 0, results: 0 });
    expect((await audited()).map((entry) => entry?.details)).toEqual([
      { models: { a: { profiles: 1, results: 0 } } },
      { models: { a: { profiles: 1, results: 0 } } },
    ]);
    expect(await verifyAudit(store)).toEqual({ entries: 2, broken: null });
  });
});

describe('events', () => {
  const line = (model: string): string => `{"id":"1","type":"label","model":"${model}"}\n`;

  it('of a model go out of what it shares with others, each day once', async () => {
    const { store, clock, audit, monitor, pass, audited } = world();
    await monitor('a', 1, { events: '20d' });
    await monitor('b', 1, { events: '400d' });
    const at = (days: number): string => `${keys.captureHour(NOW - days * DAY)}lines.json`;
    for (const days of [30, 21, 20, 1]) await store.putIfAbsent(at(days), bytes(line('a') + line('b') + line('a')));
    await store.putIfAbsent(keys.redriven(NOW - 30 * DAY, 'r'), bytes(line('a')));
    const options = { store, clock, audit, rewriter: noParquet };
    expect(await applyEventRetention(options)).toEqual({ a: 5 });
    const text = async (key: string): Promise<string> => new TextDecoder().decode((await store.get(key))?.body);
    expect(await Promise.all([30, 21, 20, 1].map((days) => text(at(days))))).toEqual([
      line('b'),
      line('b'),
      line('a') + line('b') + line('a'),
      line('a') + line('b') + line('a'),
    ]);
    expect(await text(keys.redriven(NOW - 30 * DAY, 'r'))).toBe('');
    expect(await applyEventRetention(options)).toEqual({});
    pass(DAY);
    expect(await applyEventRetention(options)).toEqual({ a: 2 });
    expect(await text(at(20))).toBe(line('b'));
    expect((await audited()).map((entry) => entry?.details)).toEqual([{ events: { a: 5 } }, { events: { a: 2 } }]);
    expect(await store.get(keys.rewritten())).not.toBeNull();
  });

  it('and what failed go with their objects, by the age of their prefix', async () => {
    const { store, clock, audit, audited } = world();
    const old = [
      keys.quarantine(NOW - 16 * DAY, 'json', 'p', '1'),
      keys.capture(NOW - 92 * DAY, 'p', '1', '2'),
      keys.redriven(NOW - 92 * DAY, 'r'),
    ];
    const young = [
      keys.quarantine(NOW - 14 * DAY, 'json', 'p', '1'),
      keys.capture(NOW - 90 * DAY, 'p', '1', '2'),
      keys.monitor('a', 1),
      keys.profile('a', '1', NOW - 1_000 * DAY, 'b', 'd'),
    ];
    for (const key of [...old, ...young]) await store.putIfAbsent(key, bytes('x'));
    expect(await expireByAge({ store, clock, audit })).toBe(1);
    expect(await expireByAge({ store, clock, audit, ages: { events: 90 * DAY } })).toBe(2);
    expect((await store.list('')).filter((key) => !key.startsWith('audit/')).sort()).toEqual(young.sort());
    expect((await audited()).map((entry) => entry?.details)).toEqual([
      { objects: { 'quarantine/': 1 } },
      { objects: { 'capture/': 1, 'capture-redriven/': 1 } },
    ]);
  });

  it('have a day in every key by which they are to go', () => {
    const samples = [keys.capture(NOW, 'p', '1', '2'), keys.redriven(NOW, 'r'), keys.quarantine(NOW, 'json', 'p', '1')];
    // Those of AWS alone go by rules of the bucket.
    for (const { prefix } of RETENTION.filter(({ goes, events }) => goes.by === 'age' && events !== null))
      if (!['capture-errors/', 'aws/lambda/'].includes(prefix))
        expect(
          samples.some((key) => key.startsWith(prefix) && key.includes('2001-06-15/')),
          prefix,
        ).toBe(true);
  });
});
