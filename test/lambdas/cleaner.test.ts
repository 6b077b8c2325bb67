import { expect, it } from 'vitest';
import { cleanerHandler } from '../../lambdas/cleaner/handler.ts';
import { logOf } from '../../lambdas/log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { readCursors } from '../../lib/pipeline/cursor.ts';
import { generate, HOUR, T0, wire } from '../pipeline/simulation.ts';
import { StreamWorld } from './stream-world.ts';

const DAY = 24 * HOUR;

it('deletes packs that nothing names once they are old, some today and the rest at the next run when time is short', async () => {
  const world = new StreamWorld({ source: { batchSize: 10 } });
  await world.world.declare('m');
  const events = generate(1, { count: 100, models: ['m'] });
  for (const [id, event] of events.entries()) world.append(wire(event, id), event.appendTime);
  await world.source.drain();
  await world.redriveAll();
  await world.finish(T0 + 60 * HOUR);
  const { store, clock } = world.world;
  const said: string[] = [];
  const write = (line: string) => said.push(line);
  const log = logOf('cleaner', { write });
  const handler = cleanerHandler({ store, clock, retentionDays: 21, environment: 'test', log, write });
  const run = (remaining: number[] = []) =>
    handler({}, { awsRequestId: '1', getRemainingTimeInMillis: () => remaining.shift() ?? 60_000 });
  const before = (await store.list('packs/')).length;
  await run();
  expect(await store.list('packs/')).toHaveLength(before);

  clock.set(T0 + 30 * DAY);
  // Of three looks at the clock the last says that time is short, and so do all after it.
  await run([60_000, 60_000, 60_000, ...Array.from({ length: 1_000 }, () => 1)]);
  const some = (await store.list('packs/')).length;
  expect(some).toBeLessThan(before);
  await run();
  const left = await store.list('packs/');
  expect(left.length).toBeLessThan(some);
  const named = (await readCursors(store)).flatMap(({ cursor }) => cursor.packs);
  expect(named.every((pack) => left.includes(pack))).toBe(true);
  expect(said.filter((line) => line.includes('"Runs":1'))).toHaveLength(3);
});

it('deletes what a monitor keeps no longer, and says so in the audit log', async () => {
  const store = new MemoryStore();
  const put = (key: string, body = 'x') => store.putIfAbsent(key, new TextEncoder().encode(body));
  await put(keys.monitor('m', 1), '{"monitor":{"model":"m","retention":{"profiles":"20d","results":"30d"}}}');
  for (const days of [10, 25, 40]) {
    await put(keys.profile('m', '1', T0 - days * DAY, 'b', 'd'));
    await put(keys.result('m', '1', T0 - days * DAY, '1h', 1));
  }
  const log = logOf('cleaner', { write: () => undefined });
  const clock = { now: () => T0 };
  const handler = cleanerHandler({ store, clock, retentionDays: 21, environment: 'test', log, write: () => undefined });
  await handler({}, { awsRequestId: '1', getRemainingTimeInMillis: () => 60_000 });
  expect((await store.list('profiles/')).length).toBe(1);
  expect((await store.list('results/')).length).toBe(2);
  const entry = JSON.parse(new TextDecoder().decode((await store.get(keys.audit(1)))?.body)) as object;
  expect(entry).toMatchObject({
    by: 'retention',
    action: 'retention.delete',
    details: { models: { m: { profiles: 2, results: 1 } } },
  });
});
