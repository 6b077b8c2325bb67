/** The event log on a real broker: what comes with retention, transactions, compression, passwords, rights, growth, and a broker that goes away. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AclOperations, AclPermissionTypes, Producer, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KafkaGroup } from '../../lib/adapters/kafka/kafka-group.ts';
import { KafkaLog } from '../../lib/adapters/kafka/kafka-log.ts';
import type { KafkaConfig } from '../../lib/contracts/roles.ts';
import { type LogRecord, TransientError } from '../../lib/pipeline/ports.ts';
import { readAll } from '../pipeline/conformance/event-log.ts';
import { type KafkaBroker, startKafka } from './kafka/broker.ts';
import { makeCertificates } from './kafka/certificates.ts';
import { configFor } from './kafka/log-subject.ts';
import { endAll, eventually } from './programs.ts';

const WIDE = { records: 1_000_000, bytes: 1 << 30 };
const USER = { username: 'reader', password: 'not a secret' };
let broker: KafkaBroker;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlmon-kafka-files-'));
  broker = await startKafka({
    secure: USER,
    properties: { 'log.retention.check.interval.ms': '300', 'log.initial.task.delay.ms': '300' },
  });
});
afterAll(async () => {
  await broker.close();
  endAll();
  await rm(folder, { recursive: true });
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(config: KafkaConfig, timeoutMs?: number): Promise<KafkaLog> {
  const log = await KafkaLog.open({ config, timeoutMs });
  closing.push(() => log.close());
  return log;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const texts = (records: readonly LogRecord[]): string[] => records.map(({ data }) => Buffer.from(data).toString());

describe('a topic', () => {
  it('keeps what was appended through a kill of the broker, under the same identity', async () => {
    await broker.createTopic('restart', { partitions: 2 });
    const log = await open(configFor(broker, 'restart'), 5_000);
    const identity = await log.identity();
    await log.append(Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, data: bytes(`before ${i}`) })));
    const before = await log.partitions();
    const records = await Promise.all(before.map(({ id }) => readAll(log, id)));
    await broker.down('SIGKILL');
    await expect(log.append([{ key: 'k', data: bytes('lost?') }])).rejects.toThrow(TransientError);
    await expect(log.partitions()).rejects.toThrow(TransientError);
    await expect(log.read('0', null, WIDE)).rejects.toThrow(TransientError);
    await broker.up();
    await eventually(
      () => log.append([{ key: 'k', data: bytes('after') }]),
      () => true,
      60_000,
    );
    expect(await log.identity()).toBe(identity);
    const after = await Promise.all(before.map(({ id }) => readAll(log, id)));
    after.forEach((all, i) => {
      expect(all.slice(0, records[i]?.length)).toEqual(records[i]);
    });
    expect(after.flatMap((all, i) => texts(all.slice(records[i]?.length)))).toEqual(['after']);
  });

  it('tells what retention took, and that it is empty when it took all', async () => {
    const config = {
      'retention.ms': '1500',
      'segment.bytes': '1048576',
      'segment.ms': '1000',
      'file.delete.delay.ms': '0',
    };
    await broker.createTopic('retention', { partitions: 1, config });
    const log = await open(configFor(broker, 'retention'));
    const data = Buffer.alloc(50_000, 'x');
    for (let i = 0; i < 60; i++) await log.append([{ key: 'k', data }]);
    await eventually(
      async () => (await log.partitions())[0],
      (state) => state?.first === null && state.head === '59',
    );
    expect(await log.read('0', '10', WIDE)).toEqual({ records: [], gap: null });
    await log.append([{ key: 'k', data: bytes('new') }]);
    const { records, gap } = await log.read('0', '10', WIDE);
    expect(gap).toEqual({ after: '10', first: '60' });
    expect(texts(records)).toEqual(['new']);
    expect((await log.partitions())[0]).toMatchObject({
      first: '60',
      head: '60',
      headAppendTime: records[0]?.appendTime,
    });
  });

  it('may get more partitions', async () => {
    await broker.createTopic('grown', { partitions: 1 });
    const log = await open(configFor(broker, 'grown'));
    await log.append([{ key: 'k', data: bytes('first') }]);
    await broker.growTopic('grown', 4);
    await eventually(
      () => log.partitions(),
      ({ length }) => length === 4,
    );
    const places = await eventually(
      () => log.append(Array.from({ length: 64 }, (_, i) => ({ key: `key ${i}`, data: bytes(String(i)) }))),
      (found) => new Set(found.map(({ partition }) => partition)).size === 4,
    );
    for (const { partition, position } of places.slice(0, 5))
      expect((await readAll(log, partition)).some((record) => record.position === position)).toBe(true);
  });

  it('holds transactions of other producers: what they gave up is never seen, and the head waits for what is open', async () => {
    await broker.createTopic('transactions', { partitions: 1 });
    const log = await open(configFor(broker, 'transactions'));
    const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
      clientId: 'other',
      bootstrapBrokers: [broker.address],
      transactionalId: 'other',
      idempotent: true,
    });
    closing.push(() => producer.close());
    const send = async (value: string, end: 'commit' | 'abort' | 'open') => {
      const transaction = await producer.beginTransaction();
      await transaction.send({
        messages: [{ topic: 'transactions', partition: 0, key: Buffer.from('k'), value: Buffer.from(value) }],
      });
      if (end === 'commit') await transaction.commit();
      if (end === 'abort') await transaction.abort();
      return transaction;
    };
    await send('kept', 'commit');
    await send('given up', 'abort');
    const closed = async () => (await log.partitions())[0];
    const settled = await eventually(closed, (state) => state?.head === '0');
    expect(texts(await readAll(log, '0'))).toEqual(['kept']);
    expect(settled?.headAppendTime).toBe((await readAll(log, '0'))[0]?.appendTime);
    const open1 = await send('open', 'open');
    // A consumer that has read all there is to see is not at the head: it must wait.
    expect(Number((await closed())?.head)).toBeGreaterThan(0);
    expect(texts(await readAll(log, '0'))).toEqual(['kept']);
    await open1.commit();
    await eventually(
      () => readAll(log, '0'),
      (records) => texts(records).join() === 'kept,open',
    );
    const all = await readAll(log, '0');
    await eventually(closed, (state) => state?.head === all.at(-1)?.position);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'may be compressed with %s, or says that it cannot be read',
    async (type) => {
      const topic = `compressed-${type}`;
      await broker.createTopic(topic, { partitions: 1, config: { 'compression.type': type } });
      const log = await open(configFor(broker, topic));
      const sent = Array.from({ length: 300 }, (_, i) => `{"id":"event-${i}","numeric":{"amount":${i}}}`.repeat(5));
      await log.append(sent.map((data) => ({ key: 'k', data: bytes(data) })));
      const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
      const canZstd = major > 22 || (major === 22 && minor >= 15);
      if (type === 'zstd' && !canZstd)
        await expect(log.read('0', null, WIDE)).rejects.toThrow(/zstd, which this Node cannot decode; run Node 22\.15/);
      else expect(texts(await readAll(log, '0'))).toEqual(sent);
    },
  );

  it('takes records in smaller batches where its limit is lower, and says so when one is too large', async () => {
    await broker.createTopic('small', { partitions: 1, config: { 'max.message.bytes': '20000' } });
    const log = await open(configFor(broker, 'small'));
    const sent = Array.from({ length: 20 }, (_, i) => String(i % 10).repeat(5_000));
    await log.append(sent.map((data) => ({ key: 'k', data: bytes(data) })));
    expect(texts(await readAll(log, '0'))).toEqual(sent);
    await expect(log.append([{ key: 'k', data: Buffer.alloc(30_000, 'x') }])).rejects.toThrow(/max\.message\.bytes/);
    await expect(log.append([{ key: 'k', data: Buffer.alloc(2_000_000) }])).rejects.toThrow(RangeError);
    await log.append([{ key: 'k', data: bytes('goes on') }]);
    expect(texts(await readAll(log, '0')).at(-1)).toBe('goes on');
  });

  it('is refused when its times are those of producers, before and after it is mended', async () => {
    await broker.createTopic('producer-time', { partitions: 1, config: { 'message.timestamp.type': 'CreateTime' } });
    await expect(open(configFor(broker, 'producer-time'))).rejects.toThrow(
      /message\.timestamp\.type is CreateTime.*kafka-configs --alter/,
    );
    const log = new KafkaLog({ config: configFor(broker, 'producer-time') });
    closing.push(() => log.close());
    await log.append([{ key: 'k', data: bytes('{}') }]);
    await expect(log.read('0', null, WIDE)).rejects.toThrow(/the time at offset 0 was set by its producer/);
  });

  it('is named when it is missing', async () => {
    await expect(open(configFor(broker, 'no-such-topic'))).rejects.toThrow(/no-such-topic: there is no such topic/);
  });
});

describe('with TLS, a password and rights', () => {
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };

  async function secured(topic: string, password = USER.password): Promise<KafkaConfig> {
    return configFor(broker, topic, {
      brokers: [broker.secureAddress],
      tls: { caFile: broker.certificates?.caFile },
      sasl: {
        mechanism: 'scram-sha-512',
        usernameFile: await file('user', `${USER.username}\n`),
        passwordFile: await file('password', `${password}\n`),
      },
    });
  }

  async function allow(resource: { topic?: string; group?: string }, ...operations: (keyof typeof AclOperations)[]) {
    const admin = broker.admin();
    await admin.createAcls({
      creations: operations.map((operation) => ({
        resourceType: resource.topic === undefined ? ResourceTypes.GROUP : ResourceTypes.TOPIC,
        resourceName: resource.topic ?? resource.group ?? '',
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${USER.username}`,
        host: '*',
        operation: AclOperations[operation],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    });
    await admin.close();
  }

  it('reads and appends with the least rights: READ, WRITE, DESCRIBE on the topic', async () => {
    await broker.createTopic('secure', { partitions: 2 });
    const config = await secured('secure');
    await expect(open(config)).rejects.toThrow(/no such topic, or no right to see it|no right on the topic/);
    await allow({ topic: 'secure' }, 'DESCRIBE', 'READ');
    const reader = await eventually(
      () => open(config),
      () => true,
      20_000,
    );
    expect(await reader.read('0', null, WIDE)).toEqual({ records: [], gap: null });
    await expect(reader.append([{ key: 'k', data: bytes('x') }])).rejects.toThrow(/no right|grant WRITE/);
    await allow({ topic: 'secure' }, 'WRITE');
    const [place] = await eventually(
      () => reader.append([{ key: 'k', data: bytes('x') }]),
      () => true,
      20_000,
    );
    expect(texts(await readAll(reader, place?.partition ?? ''))).toEqual(['x']);
  });

  it('joins a group with READ on it, and says so without', async () => {
    await broker.createTopic('secure-group', { partitions: 2 });
    await allow({ topic: 'secure-group' }, 'DESCRIBE', 'READ');
    const group = new KafkaGroup({ config: await secured('secure-group'), consumer: 'profiler', sessionMs: 6_000 });
    group.start();
    closing.push(() => group.close());
    await eventually(
      async () => group.problem,
      (problem) => /--group/.test(problem ?? ''),
      30_000,
    );
    expect(group.owned()).toEqual([]);
    await allow({ group: 'mlmon-profiler' }, 'READ');
    await eventually(
      async () => group.owned(),
      (owned) => owned.length === 2,
      60_000,
    );
    expect(group.problem).toBeNull();
  });

  it('says what is wrong with passwords and certificates, and goes on when the file is mended', async () => {
    await broker.createTopic('rotated', { partitions: 1 });
    await allow({ topic: 'rotated' }, 'DESCRIBE', 'READ', 'WRITE');
    const config = await secured('rotated', 'wrong');
    const log = new KafkaLog({ config });
    closing.push(() => log.close());
    await expect(open(config)).rejects.toThrow(/refused user name and password/);
    await expect(log.append([{ key: 'k', data: bytes('x') }])).rejects.toThrow(/refused user name and password/);
    await secured('rotated');
    await log.append([{ key: 'k', data: bytes('after') }]);
    expect(texts(await readAll(log, '0'))).toEqual(['after']);

    const other = await mkdtemp(join(folder, 'other-'));
    const { caFile } = await makeCertificates(other);
    await expect(open({ ...config, tls: { caFile } })).rejects.toThrow(/signed by nobody trusted here/);
    await expect(open({ ...config, tls: {} })).rejects.toThrow(/signed by nobody trusted here/);
    await expect(open({ ...config, brokers: [broker.address] })).rejects.toThrow(/speaks no TLS|TLS/);
    await expect(open({ ...config, tls: { caFile: join(folder, 'gone') } })).rejects.toThrow(/gone cannot be read/);
  });
});
