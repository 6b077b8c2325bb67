/**
 * Days on which something is away, wrong or stuck, on a real Kafka and a real S3 server: nothing that was acknowledged is lost, every event counts
 * once, and all goes on by itself.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KafkaLog } from '../../lib/adapters/kafka/kafka-log.ts';
import { readCursors } from '../../lib/pipeline/cursor.ts';
import { readJson } from '../../lib/pipeline/json-object.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { type KafkaBroker, startKafka } from './kafka/broker.ts';
import { eventsIn, platformOfRoles, type RolesPlatform, type StartedRole } from './platform-of-roles.ts';
import { endAll, eventually } from './programs.ts';
import { REGION, startVersitygw, type Versitygw } from './versitygw.ts';

const MONITOR = 'model: churn\nfeatures: { age: { type: numeric } }\nwindow: { every: 1m, lateness: 5m }\n';
const ROLES = ['collector', 'archiver', 'profiler', 'evaluator'] as const;

let kafka: KafkaBroker;
let s3: Versitygw;
let platform: RolesPlatform;
let started: StartedRole[] = [];
const platforms: RolesPlatform[] = [];

beforeAll(async () => {
  [kafka, s3] = await Promise.all([startKafka(), startVersitygw()]);
});
afterEach(async () => {
  for (const { program } of started) await program.stop('SIGKILL');
  started = [];
});
afterAll(async () => {
  for (const one of platforms) await one.close();
  await kafka?.close();
  await s3?.close();
  endAll();
});

async function fresh(partitions = 2): Promise<void> {
  platform = await platformOfRoles({ kafka, s3, partitions, monitors: { 'churn.yaml': MONITOR } });
  platforms.push(platform);
}
async function start(...[roles, options]: Parameters<RolesPlatform['start']>): Promise<StartedRole> {
  const role = await platform.start(roles, options);
  started.push(role);
  return role;
}

let ids = 0;
interface Sent {
  readonly id: string;
  readonly body: string;
}
function event(): Sent {
  const id = `event-${ids++}`;
  const data = {
    id,
    type: 'inference',
    model: 'churn',
    version: '1',
    time: new Date().toISOString(),
    numeric: { age: ids },
  };
  return { id, body: JSON.stringify({ specversion: '1.0', id, source: 'test', type: 'ml.inference.v1', data }) };
}

/** Whether it was acknowledged. */
async function post(http: string, { body }: Sent): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/cloudevents+json' };
    const answer = await fetch(`${http}/v1/events`, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(20_000),
    });
    const { accepted } = (await answer.json()) as { accepted?: number };
    return answer.status === 202 && accepted === 1;
  } catch {
    return false;
  }
}
/** Until each is acknowledged, as senders do. */
async function deliver(http: string, count: number, acknowledged: Set<string>): Promise<void> {
  const one = async (sent: Sent): Promise<void> => {
    while (!(await post(http, sent))) await new Promise((again) => setTimeout(again, 200));
    acknowledged.add(sent.id);
  };
  for (let n = 0; n < count; n += 25)
    await Promise.all(Array.from({ length: Math.min(25, count - n) }, () => one(event())));
}

/** In front of a server: what goes there and what comes back waits for so long, by as many connections as there are. */
async function slowly(
  endpoint: string,
  delayMs: number,
): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const behind = connect(Number(port), hostname);
    for (const [from, to] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), delayMs));
      from.on('close', () => setTimeout(() => to.destroy(), delayMs));
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const status = async (url: string): Promise<number> => (await fetch(url)).status;

async function captured(): Promise<number> {
  let sum = 0;
  for await (const key of listAll(platform.store, 'archive/'))
    sum += (await readJson<{ captured: number }>(platform.store, key))?.value.captured ?? 0;
  return sum;
}

/** What was acknowledged is on the log, and what is on the log is profiled and captured, each line once. */
async function nothingIsLost(acknowledged: ReadonlySet<string>, unreadable = 0): Promise<void> {
  const lines = eventsIn(await platform.records());
  const onLog = new Set(lines.map(({ id }) => id));
  expect([...acknowledged].filter((id) => !onLog.has(id))).toEqual([]);
  expect(lines.length).toBeGreaterThanOrEqual(acknowledged.size);
  await eventually(
    async () => [await platform.profiled(), await captured()],
    ([p = 0, c = 0]) => p >= lines.length && c >= lines.length,
  );
  expect([await platform.profiled(), await captured()]).toEqual([lines.length + unreadable, lines.length]);
}

describe('a bad day', () => {
  it('Kafka is away, and back', async () => {
    await fresh();
    const { http, operations } = await start(ROLES);
    const acknowledged = new Set<string>();
    await deliver(http, 100, acknowledged);
    await kafka.down('SIGKILL');
    const late = deliver(http, 50, acknowledged);
    await eventually(
      () => status(`${operations}/readyz`),
      (code) => code === 503,
    );
    // It is not the process that is ill: nobody restarts it.
    expect(await status(`${operations}/healthz`)).toBe(200);
    await kafka.up();
    await late;
    await eventually(
      () => status(`${operations}/readyz`),
      (code) => code === 200,
    );
    await deliver(http, 50, acknowledged);
    expect(acknowledged.size).toBe(200);
    await nothingIsLost(acknowledged);
  });

  it('the store is away, and back', async () => {
    await fresh();
    const { http, operations } = await start(ROLES);
    const acknowledged = new Set<string>();
    await deliver(http, 100, acknowledged);
    await s3.stop();
    // Events are taken all the same: the log keeps them.
    await deliver(http, 100, acknowledged);
    await eventually(
      () => status(`${operations}/readyz`),
      (code) => code === 503,
    );
    expect(await status(`${operations}/healthz`)).toBe(200);
    await s3.start();
    await eventually(
      () => status(`${operations}/readyz`),
      (code) => code === 200,
    );
    await deliver(http, 100, acknowledged);
    await nothingIsLost(acknowledged);
  });

  it('records on the topic that nobody can read', async () => {
    await fresh();
    const { http } = await start(ROLES);
    const acknowledged = new Set<string>();
    await deliver(http, 50, acknowledged);
    const log = await KafkaLog.open({ config: { brokers: [kafka.address], topic: platform.topic, group: 'poison' } });
    const poison = [
      Buffer.from('{"id":'),
      randomBytes(1_000),
      Buffer.from('[]'),
      Buffer.from('{}'),
      Buffer.alloc(700_000, '{'),
    ];
    await log.append(poison.map((data, n) => ({ key: `${n}`, data })));
    await log.close();
    await deliver(http, 50, acknowledged);
    await eventually(
      async () =>
        (await readCursors(platform.store)).reduce(
          (sum, { cursor }) => sum + Object.values(cursor.totals.quarantined).reduce((a, b) => a + (b ?? 0), 0),
          0,
        ),
      (count) => count >= poison.length,
    );
    await eventually(captured, (count) => count >= 100);
    const totals = (await readCursors(platform.store)).map(({ cursor }) => cursor.totals);
    expect(totals.reduce((sum, { profiled }) => sum + profiled, 0)).toBe(100);
    expect(await captured()).toBe(100);
  });

  it('the topic gets more partitions', async () => {
    await fresh(1);
    const { http } = await start(ROLES);
    const acknowledged = new Set<string>();
    await deliver(http, 100, acknowledged);
    await kafka.growTopic(platform.topic, 4);
    // Until senders have seen it they go on with the partitions that they know.
    await eventually(
      async () => {
        await deliver(http, 25, acknowledged);
        return new Set((await platform.records()).map(({ partition }) => partition)).size;
      },
      (partitions) => partitions > 1,
    );
    await nothingIsLost(acknowledged);
  });

  it('wrong credentials, that are mended without a restart', async () => {
    await fresh();
    const wrong = join(platform.folder, 'secret');
    writeFileSync(wrong, 'wrong');
    const { endpoint, accessKeyIdFile, secretAccessKeyFile } = s3;
    const store = { bucket: platform.topic, prefix: 'mlmon', region: REGION, endpoint, accessKeyIdFile };
    const { program, operations } = await start(ROLES, {
      more: { store: { s3: { ...store, secretAccessKeyFile: wrong } } },
      ready: false,
    });
    await program.says(/store: not yet: .*(?:SignatureDoesNotMatch|403)/);
    expect(program.err).not.toContain('wrong');
    expect([await status(`${operations}/readyz`), await status(`${operations}/healthz`)]).toEqual([503, 200]);
    writeFileSync(wrong, readFileSync(secretAccessKeyFile));
    await program.says(/ready: /);
    const http = /http: (http:\/\/\S+)/.exec(program.err)?.[1] ?? '';
    const acknowledged = new Set<string>();
    await deliver(http, 25, acknowledged);
    await nothingIsLost(acknowledged);
  });

  it('the store is slow', async () => {
    await fresh();
    // Half a second there and half a second back, for every request.
    const slow = await slowly(s3.endpoint, 500);
    try {
      const { endpoint } = slow;
      const { accessKeyIdFile, secretAccessKeyFile } = s3;
      const store = { bucket: platform.topic, prefix: 'mlmon', region: REGION, endpoint, accessKeyIdFile };
      const { http, operations } = await start(ROLES, { more: { store: { s3: { ...store, secretAccessKeyFile } } } });
      const acknowledged = new Set<string>();
      await deliver(http, 300, acknowledged);
      expect(await status(`${operations}/readyz`)).toBe(200);
      await nothingIsLost(acknowledged);
    } finally {
      await slow.close();
    }
  });

  it('a sender whose clock is an hour ahead', async () => {
    await fresh();
    const { http } = await start(ROLES);
    const acknowledged = new Set<string>();
    await deliver(http, 50, acknowledged);
    const ahead = { ...event(), time: Date.now() + 3_600_000 };
    const line = (id: string, ms: number): string =>
      `${JSON.stringify({ id, type: 'inference', model: 'churn', version: '1', time: new Date(ms).toISOString(), numeric: { age: 1 } })}\n`;
    // By the door, which says so; and straight onto the log, where nobody can.
    const data = JSON.parse(line(ahead.id, ahead.time)) as unknown;
    const answer = await fetch(`${http}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', id: ahead.id, source: 'test', type: 'ml.inference.v1', data }),
    });
    expect(await answer.json()).toMatchObject({ accepted: 0, quarantined: 1 });
    const log = await KafkaLog.open({ config: { brokers: [kafka.address], topic: platform.topic, group: 'ahead' } });
    await log.append([
      { key: 'far', data: Buffer.from(line('far', Date.now() + 3_600_000)) },
      { key: 'near', data: Buffer.from(line('near', Date.now() + 60_000)) },
    ]);
    await log.close();
    await deliver(http, 50, acknowledged);
    await eventually(
      async () => (await readCursors(platform.store)).map(({ cursor }) => cursor.totals),
      (totals) =>
        totals.reduce((sum, { quarantined }) => sum + (quarantined.future ?? 0), 0) === 1 &&
        totals.reduce((sum, { profiled }) => sum + profiled, 0) === 101,
    );
    // Everything that came is captured, what is not counted included.
    await eventually(captured, (count) => count === 102);
  });

  it('SIGTERM under load', async () => {
    await fresh();
    // Whoever publishes monitors comes first.
    const second = await start(ROLES);
    const first = await start(['collector']);
    const acknowledged = new Set<string>();
    let refused = 0;
    let sending = true;
    const senders = Array.from({ length: 8 }, async () => {
      while (sending) {
        const sent = event();
        if (await post(first.http, sent)) acknowledged.add(sent.id);
        else refused++;
      }
    });
    await eventually(
      async () => acknowledged.size,
      (size) => size > 200,
    );
    const ended = first.program.stop('SIGTERM');
    // Whoever balances load has seen that it is not ready any more.
    await eventually(
      () => status(`${first.operations}/readyz`),
      (code) => code === 503,
    );
    sending = false;
    await Promise.all(senders);
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(refused).toBe(0);
    await deliver(second.http, 25, acknowledged);
    await nothingIsLost(acknowledged);
  });

  it('a consumer is stuck, others go on, and it comes back', async () => {
    await fresh(4);
    const { http } = await start(['collector', 'evaluator', 'archiver']);
    const stuck = await start(['profiler']);
    await start(['profiler']);
    const acknowledged = new Set<string>();
    await deliver(http, 200, acknowledged);
    await eventually(
      () => platform.profiled(),
      (count) => count === 200,
    );
    stuck.program.signal('SIGSTOP');
    await deliver(http, 200, acknowledged);
    // The other reads all partitions once the group has missed it for a session.
    await eventually(
      () => platform.profiled(),
      (count) => count === 400,
    );
    stuck.program.signal('SIGCONT');
    await deliver(http, 200, acknowledged);
    await nothingIsLost(acknowledged);
  });
});
