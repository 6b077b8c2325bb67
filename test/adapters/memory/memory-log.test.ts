import { expect, it } from 'vitest';
import { MemoryLog } from '../../../lib/adapters/memory/memory-log.ts';
import type { EventLog } from '../../../lib/pipeline/ports.ts';
import { eventLogConformance } from '../../pipeline/conformance/event-log.ts';

for (const [name, spacing] of [
  ['memory', {}],
  ['memory, positions as Kinesis gives them', { firstPosition: 49_590_338_271_490_256_608n, stride: 977n }],
] as const) {
  eventLogConformance(name, async ({ partitions, clock }) => {
    const log = new MemoryLog({ partitions, clock, ...spacing });
    return {
      log,
      controlsTime: true,
      reopen: async (): Promise<EventLog> => log,
      recreate: async () => {
        log.recreate();
        return log;
      },
      split: async (partition) => log.split(partition),
      expire: async () => {
        for (const { id } of await log.partitions()) {
          const { records } = await log.read(id, null, { records: 10, bytes: 1 << 20 });
          log.trim(id, records.at(-1)?.position as string);
        }
      },
      close: async () => {},
    };
  });
}

it('takes a record at a chosen time in a chosen partition', async () => {
  const log = new MemoryLog({ clock: { now: () => 5 }, partitions: 2 });
  log.put('p1', new Uint8Array([1]), 100);
  log.put('p1', new Uint8Array([2]), 50);
  const { records } = await log.read('p1', null, { records: 9, bytes: 99 });
  expect(records.map((record) => record.appendTime)).toEqual([100, 100]);
});

it('merges neighbours and keeps the routing total', async () => {
  const log = new MemoryLog({ clock: { now: () => 5 }, partitions: 3 });
  log.merge('p0', 'p1');
  log.split('p2');
  const open = (await log.partitions()).filter((state) => !state.closed);
  expect(open.map((state) => [state.id, state.parents])).toEqual([
    ['p3', ['p0', 'p1']],
    ['p4', ['p2']],
    ['p5', ['p2']],
  ]);
  const places = await log.append(Array.from({ length: 99 }, (_, i) => ({ key: `${i}`, data: new Uint8Array() })));
  expect(new Set(places.map((place) => place.partition))).toEqual(new Set(['p3', 'p4', 'p5']));
  expect(() => log.merge('p3', 'p5')).toThrow('not neighbours');
  expect(() => log.put('p0', new Uint8Array())).toThrow('closed');
});
