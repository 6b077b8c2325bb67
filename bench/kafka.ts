/**
 * The profiler on a real Kafka broker: how much of the plain client's own speed is left when every message is one event, how much of the
 * speed of profiling in process when it holds 15, and how soon a consumer that was killed is replaced. Four partitions; objects in memory.
 * Needs Java, and the broker that `bash scripts/kafka.sh broker` installs.
 *
 *   node --import tsx bench/kafka.ts [rounds]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Consumer } from '@platformatic/kafka';
import { KafkaGroup } from '../lib/adapters/kafka/kafka-group.ts';
import { KafkaLog } from '../lib/adapters/kafka/kafka-log.ts';
import { MemoryStore } from '../lib/adapters/memory/memory-store.ts';
import type { KafkaConfig } from '../lib/contracts/roles.ts';
import { readRecord } from '../lib/engine/event-reader.ts';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { readCursors } from '../lib/pipeline/cursor.ts';
import type { EventLog } from '../lib/pipeline/ports.ts';
import { Profiler } from '../lib/pipeline/profiler.ts';
import { publishBaseline, publishMonitor } from '../lib/pipeline/publisher.ts';
import { Registry } from '../lib/pipeline/registry.ts';
import { type KafkaBroker, startKafka } from '../test/real/kafka/broker.ts';
import { endAll } from '../test/real/programs.ts';
import { compare, median, tell } from './measurement.ts';
import { benchBaseline, benchEvents, benchMonitor } from './profiler-data.ts';

const COMMAND = 'node --import tsx bench/kafka.ts';
const SESSION_MS = 6_000;
const PARTITIONS = 4;
const SINGLE = 40_000;
const PACKED = { messages: 6_000, lines: 15 } as const;
const KILLS = 3;

const baseline = benchBaseline(20_000, 1);
const monitor = benchMonitor();

/** A consumer in a process of its own, to be killed. */
async function beMember(address: string): Promise<void> {
  new KafkaGroup({
    config: { brokers: [address], topic: 'single', group: 'bench' },
    consumer: 'profiler',
    sessionMs: SESSION_MS,
    onChange: (owned) => process.stdout.write(`owns ${owned.join()}\n`),
  }).start();
  await new Promise(() => undefined);
}

async function measure(rounds: number): Promise<void> {
  const topic = { partitions: PARTITIONS };
  const broker = await startKafka({ topics: { single: topic, packed: topic } });
  try {
    const now = new Date(Date.now() - 60_000).toISOString();
    const lines = benchEvents(SINGLE, 2).map(({ line }) => line.replace(/"time":"[^"]*"/, `"time":"${now}"`));
    const bytes = lines.reduce((sum, line) => sum + line.length, 0) / lines.length;
    const single = lines.map((line) => `${line}\n`);
    const packed = Array.from(
      { length: PACKED.messages },
      (_, i) =>
        `${Array.from({ length: PACKED.lines }, (_, j) => lines[(i * PACKED.lines + j) % lines.length]).join('\n')}\n`,
    );
    await append(broker, 'single', single);
    await append(broker, 'packed', packed);
    await singleEvents(broker, rounds, bytes);
    await packedEvents(broker, packed, rounds, bytes);
    await killedConsumer(broker);
  } finally {
    await broker.close();
    endAll();
  }
}

async function append(broker: KafkaBroker, topic: string, messages: readonly string[]): Promise<void> {
  const log = await KafkaLog.open({ config: configOf(broker, topic) });
  const began = performance.now();
  for (let from = 0; from < messages.length; from += 5_000)
    await log.append(
      messages.slice(from, from + 5_000).map((data, i) => ({ key: `key-${i}`, data: Buffer.from(data) })),
    );
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(`appended ${rate(messages.length / seconds)} messages a second to ${topic} (acks=all)\n`);
  await log.close();
}

async function singleEvents(broker: KafkaBroker, rounds: number, bytes: number): Promise<void> {
  const running = await Running.start(broker, 'single');
  const wall = { ours: [] as number[], plain: [] as number[] };
  const { ours, reference, ratio, noise } = await compare(
    rounds,
    () => timed(wall.ours, () => running.profile(SINGLE, SINGLE)),
    () => timed(wall.plain, () => consume(broker, 'single', SINGLE)),
    2,
  );
  await running.stop();
  process.stdout.write(
    `one event a message: ${rate(SINGLE / median(wall.ours))} a second by the clock, the plain client ${rate(SINGLE / median(wall.plain))}; ${load()}\n`,
  );
  tell({
    benchmark: 'kafka',
    measure: `one event (${Math.round(bytes)} bytes) a message: from the broker to pack and cursor`,
    ours: SINGLE / ours,
    reference: SINGLE / reference,
    against: 'the plain client, which only counts the same messages',
    ratio: 1 / ratio,
    unit: 'events a second of processor time',
    target: 'ratio ≥ 0.45',
    met: 1 / ratio >= 0.45,
    noise,
    command: COMMAND,
  });
}

async function packedEvents(
  broker: KafkaBroker,
  packed: readonly string[],
  rounds: number,
  bytes: number,
): Promise<void> {
  const shape = compileShape(monitor, baseline);
  const records = packed.map((data) => Buffer.from(data));
  const inProcess = (): Profile => {
    const folded = new Profile(shape);
    for (const record of records)
      readRecord(
        record,
        (event) => folded.fold(event),
        ({ reason, detail }) => {
          throw new Error(`${reason}: ${detail}`);
        },
      );
    return folded;
  };
  const events = PACKED.messages * PACKED.lines;
  const running = await Running.start(broker, 'packed');
  const wall: number[] = [];
  const { ours, reference, ratio, noise } = await compare(
    rounds,
    () => timed(wall, () => running.profile(PACKED.messages, events)),
    inProcess,
    2,
  );
  await running.stop();
  process.stdout.write(
    `${PACKED.lines} events a message: ${rate(events / median(wall))} a second by the clock; ${load()}\n`,
  );
  tell({
    benchmark: 'kafka',
    measure: `${PACKED.lines} events of ${Math.round(bytes)} bytes a message: from the broker to pack and cursor`,
    ours: events / ours,
    reference: events / reference,
    against: 'the same bytes read, checked and folded in process',
    ratio: 1 / ratio,
    unit: 'events a second of processor time',
    target: 'ratio ≥ 0.80',
    met: 1 / ratio >= 0.8,
    noise,
    command: COMMAND,
  });
}

/** From SIGKILL until the other member reads all partitions. */
async function killedConsumer(broker: KafkaBroker): Promise<void> {
  const seconds: number[] = [];
  let owned: readonly string[] = [];
  const group = new KafkaGroup({
    config: configOf(broker, 'single'),
    consumer: 'profiler',
    sessionMs: SESSION_MS,
    onChange: (partitions) => {
      owned = partitions;
    },
  });
  group.start();
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((again) => setTimeout(again, 10));
  };
  await until(() => owned.length === PARTITIONS);
  for (let kill = 0; kill < KILLS; kill++) {
    const child: ChildProcess = spawn(
      process.execPath,
      ['--import', 'tsx', fileURLToPath(import.meta.url), 'member', broker.address],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }))
      if (/^owns \d/.test(line)) break;
    await until(() => owned.length < PARTITIONS);
    const began = performance.now();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(() => owned.length === PARTITIONS);
    seconds.push((performance.now() - began) / 1_000);
  }
  await group.close();
  const slowest = Math.max(...seconds);
  tell({
    benchmark: 'kafka',
    measure: `a consumer killed with SIGKILL: until another reads its partitions, the slowest of ${KILLS}`,
    ours: slowest,
    reference: SESSION_MS / 1_000,
    against: 'the session time-out',
    ratio: slowest / (SESSION_MS / 1_000),
    unit: 's',
    target: '≤ 2 × session time-out',
    met: slowest <= (2 * SESSION_MS) / 1_000,
    noise: null,
    command: COMMAND,
  });
}

/** A platform that is up: what is measured is its steady work, not its start. */
class Running {
  readonly #log: KafkaLog;
  readonly #store = new MemoryStore();
  readonly #clock = { now: () => Date.now() };
  #registry: Registry | null = null;
  #round = 0;

  constructor(log: KafkaLog) {
    this.#log = log;
  }

  static async start(broker: KafkaBroker, topic: string): Promise<Running> {
    const running = new Running(await KafkaLog.open({ config: configOf(broker, topic) }));
    const publisher = { store: running.#store, clock: running.#clock, cacheMs: 60_000 };
    await publishBaseline(publisher, baseline, {
      model: monitor.model,
      version: '7',
      by: 'bench',
      approve: true,
      effectiveFrom: 0,
    });
    await publishMonitor(publisher, monitor, { by: 'bench', effectiveFrom: Date.now() - 86_400_000 });
    return running;
  }

  /** Everything from the oldest record on, by one profiler a partition, as `mlmon run` does: under another identity, so with new cursors. */
  async profile(messages: number, events: number): Promise<void> {
    const identity = `bench-${this.#round++}`;
    const log: EventLog = {
      identity: async () => identity,
      partitions: () => this.#log.partitions(),
      read: (...call) => this.#log.read(...call),
      append: (records) => this.#log.append(records),
    };
    const [store, clock] = [this.#store, this.#clock];
    const registry = (this.#registry ??= new Registry({ store, clock, cacheMs: 60_000 }));
    const profilers = (await log.partitions()).map(({ id }) => new Profiler({ log, store, registry, partition: id }));
    let read = 0;
    await Promise.all(
      profilers.map(async (profiler) => {
        for (let more = true; more; ) {
          const step = await profiler.step();
          read += step.records;
          more = step.more;
        }
      }),
    );
    const profiled = (await readCursors(store))
      .filter(({ key }) => key.includes(identity))
      .reduce((sum, { cursor }) => sum + cursor.totals.profiled, 0);
    if (read !== messages || profiled !== events)
      throw new Error(`${read} messages and ${profiled} events profiled, expected ${messages} and ${events}`);
  }

  stop(): Promise<void> {
    return this.#log.close();
  }
}

async function consume(broker: KafkaBroker, topic: string, messages: number): Promise<void> {
  const consumer = new Consumer({
    clientId: 'plain',
    groupId: `plain-${performance.now()}`.replace('.', '-'),
    bootstrapBrokers: [broker.address],
    maxBytes: 4 * 1_048_576,
  });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false });
  let read = 0;
  await new Promise<void>((done, fail) => {
    stream.on('error', fail);
    stream.on('data', () => {
      if (++read === messages) done();
    });
  });
  await stream.close();
  await new Promise<void>((closed) => consumer.close(true, () => closed()));
}

function configOf(broker: KafkaBroker, topic: string): KafkaConfig {
  return { brokers: [broker.address], topic, group: 'bench' };
}

async function timed(seconds: number[], work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await work();
  seconds.push((performance.now() - began) / 1_000);
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function load(): string {
  return `load ${loadavg()[0]?.toFixed(1)}`;
}

if (process.argv[2] === 'member') await beMember(process.argv[3] ?? '');
else await measure(Number(process.argv[2] ?? 9));
