/** Profilers that share a topic: joining, leaving, killed, growing; nothing is counted twice or missed. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KafkaGroup, type KafkaGroupOptions } from '../../lib/adapters/kafka/kafka-group.ts';
import { KafkaLog } from '../../lib/adapters/kafka/kafka-log.ts';
import { addTotals, EMPTY_TOTALS, readCursors } from '../../lib/pipeline/cursor.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { type S3Server, startS3Server } from '../adapters/s3/s3-server.ts';
import { baselineOf, monitorOf } from '../pipeline/simulation.ts';
import { type KafkaBroker, startKafka, startKfake } from './kafka/broker.ts';
import { configFor } from './kafka/log-subject.ts';
import { CHECKOUT, endAll, eventually, Program } from './programs.ts';

const SESSION_MS = 6_000;
const PARTITIONS = 4;
let fake: KafkaBroker;
let real: KafkaBroker;

beforeAll(async () => {
  fake = await startKfake();
  real = await startKafka();
});
afterAll(async () => {
  await fake.close();
  await real.close();
  endAll();
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function member(broker: KafkaBroker, topic: string, options: Partial<KafkaGroupOptions> = {}): KafkaGroup {
  const group = new KafkaGroup({
    config: configFor(broker, topic, { group: topic }),
    consumer: 'profiler',
    sessionMs: SESSION_MS,
    commitMs: 500,
    ...options,
  });
  group.start();
  closing.push(() => group.close());
  return group;
}

const owned = (...members: readonly KafkaGroup[]): string[][] => members.map((one) => [...one.owned()]);
/** Every partition is owned once. */
const isShared = (members: readonly KafkaGroup[], count: number): boolean =>
  owned(...members)
    .flat()
    .sort()
    .join() ===
  Array.from({ length: count }, (_, i) => String(i))
    .sort()
    .join();

describe.each(['kfake', 'Kafka'])('members of a group on %s', (name) => {
  const brokerOf = (): KafkaBroker => (name === 'Kafka' ? real : fake);

  it('share, and keep what they can when one comes or goes', async () => {
    const broker = brokerOf();
    const topic = `share-${name}`;
    await broker.createTopic(topic, { partitions: 6 });
    const a = member(broker, topic);
    await eventually(
      async () => owned(a),
      () => isShared([a], 6),
    );
    const b = member(broker, topic);
    await eventually(
      async () => owned(a, b),
      () => isShared([a, b], 6) && b.owned().length === 3,
    );
    const before = owned(a, b);
    const c = member(broker, topic);
    await eventually(
      async () => owned(a, b, c),
      () => isShared([a, b, c], 6) && c.owned().length === 2,
    );
    expect(before[0]).toEqual(expect.arrayContaining(owned(a)[0] as string[]));
    expect(before[1]).toEqual(expect.arrayContaining(owned(b)[0] as string[]));
    const kept = owned(a, b);
    await c.close();
    await eventually(
      async () => owned(a, b),
      () => isShared([a, b], 6),
    );
    expect(owned(a)[0]).toEqual(expect.arrayContaining(kept[0] as string[]));
    expect(c.owned()).toEqual([]);
    expect([a.problem, b.problem]).toEqual([null, null]);
  });

  it('take what a topic grows by, and tell how far they are', async () => {
    const broker = brokerOf();
    const topic = `grow-${name}`;
    await broker.createTopic(topic, { partitions: 2 });
    const a = member(broker, topic);
    const b = member(broker, topic);
    await eventually(
      async () => owned(a, b),
      () => isShared([a, b], 2) && a.owned().length === 1,
    );
    await broker.growTopic(topic, 5);
    await eventually(
      async () => owned(a, b),
      () => isShared([a, b], 5),
    );
    for (const one of [a, b])
      for (const partition of one.owned()) one.worked(partition, String(40 + Number(partition)));
    const admin = broker.admin();
    closing.push(() => admin.close());
    const committed = await eventually(
      async () => {
        const [found] = await admin.listConsumerGroupOffsets({ groups: [a.name] });
        const partitions = found?.topics.find((one) => one.name === topic)?.partitions ?? [];
        return new Map(partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]));
      },
      (offsets) => offsets.size === 5 && [...offsets.values()].every((offset) => offset > 0n),
    );
    expect([...committed].sort(([x], [y]) => x - y)).toEqual(
      Array.from({ length: 5 }, (_, partition) => [partition, BigInt(41 + partition)]),
    );
  });

  it('come back by themselves when the broker was away', async () => {
    const broker = brokerOf();
    const topic = `away-${name}`;
    await broker.createTopic(topic, { partitions: 3 });
    const a = member(broker, topic);
    await eventually(
      async () => owned(a),
      () => isShared([a], 3),
    );
    await broker.down();
    await eventually(
      async () => a.problem,
      (problem) => problem !== null,
    );
    expect(isShared([a], 3)).toBe(true);
    await broker.up();
    // What is in memory is gone with it.
    if (name === 'kfake') await broker.createTopic(topic, { partitions: 3 });
    await eventually(
      async () => a.problem,
      (problem) => problem === null,
    );
    const b = member(broker, topic);
    await eventually(
      async () => owned(a, b),
      () => isShared([a, b], 3) && b.owned().length > 0,
    );
  });
});

describe('profilers as processes', () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await startS3Server();
  });
  afterAll(() => s3.close());

  const profiler = (topic: string, share: 'group' | 'all' = 'group'): Program =>
    new Program(
      process.execPath,
      ['--import', 'tsx', join(CHECKOUT, 'test/real/kafka/profiler-process.ts'), real.address, topic, s3.url, share],
      { env: { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } },
    );
  const totals = async () =>
    (await readCursors(s3.bucket('bucket'))).reduce((sum, { cursor }) => addTotals(sum, cursor.totals), EMPTY_TOTALS);

  async function world(topic: string): Promise<{ append(count: number): Promise<void>; appended: () => number }> {
    await real.createTopic(topic, { partitions: PARTITIONS });
    const publisher = { store: s3.bucket('bucket'), clock: { now: () => Date.now() }, cacheMs: 1 };
    const published = { by: 'test', effectiveFrom: 0 };
    await publishBaseline(publisher, baselineOf('m', '1'), { model: 'm', version: '1', approve: true, ...published });
    await publishMonitor(publisher, monitorOf('m'), published);
    const log = await KafkaLog.open({ config: configFor(real, topic) });
    closing.push(() => log.close());
    let appended = 0;
    return {
      appended: () => appended,
      async append(count) {
        const time = new Date().toISOString();
        await log.append(
          Array.from({ length: count }, (_, i) => {
            const id = `e-${appended + i}`;
            const event = { id, type: 'inference', model: 'm', version: '1', time, numeric: { amount: i % 40 } };
            return { key: id, data: Buffer.from(`${JSON.stringify(event)}\n`) };
          }),
        );
        appended += count;
      },
    };
  }

  it('count every event once through a rebalance, a kill and an orderly end', async () => {
    const { append, appended } = await world('exact');
    const already = (await totals()).received;
    const a = profiler('exact');
    await a.says(/owns 0,1,2,3/);
    let goesOn = true;
    const appending = (async () => {
      while (goesOn) {
        await append(50);
        await new Promise((later) => setTimeout(later, 20));
      }
    })();
    const b = profiler('exact');
    await b.says(/owns \d,\d\n/);
    await eventually(totals, ({ received }) => received > already + 100);
    const killed = performance.now();
    await a.stop('SIGKILL');
    await b.says(/owns 0,1,2,3/);
    // The bound that is promised, with nothing added for a slow machine.
    expect(performance.now() - killed).toBeLessThan(2 * SESSION_MS);
    const c = profiler('exact');
    await c.says(/owns \d,\d\n/);
    expect(await b.stop('SIGTERM')).toMatchObject({ code: 0 });
    await c.says(/owns 0,1,2,3/);
    goesOn = false;
    await appending;
    await eventually(totals, ({ received }) => received >= already + appended());
    // Whoever still works may add to it: nothing does.
    await new Promise((later) => setTimeout(later, 1_000));
    const end = await totals();
    expect(end.received - already).toBe(appended());
    expect(end.profiled).toBe(end.received);
    expect(end.lost).toBe(0);
    expect(await c.stop('SIGTERM')).toMatchObject({ code: 0 });
  });

  it('count every event once when each reads all partitions', async () => {
    const { append, appended } = await world('overlap');
    const already = (await totals()).received;
    const all = [profiler('overlap', 'all'), profiler('overlap', 'all')];
    await Promise.all(all.map((one) => one.says(/ready/)));
    for (let i = 0; i < 60; i++) await append(40);
    await eventually(totals, ({ received }) => received >= already + appended());
    await new Promise((later) => setTimeout(later, 1_000));
    const end = await totals();
    expect(end.received - already).toBe(appended());
    expect(end.profiled).toBe(end.received);
    for (const one of all) expect(await one.stop('SIGTERM')).toMatchObject({ code: 0 });
  });
});
