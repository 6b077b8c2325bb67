/**
 * Membership in a consumer group (classic protocol), used for one thing: which partitions this process reads. Cursors in the object store
 * stay the truth; offsets are committed to the group so that tools that know Kafka see lag.
 *
 * The client rejoins by itself on a rebalance, and on some failures never again: when heartbeats stay away, membership begins anew.
 */
import type { Consumer, GroupAssignment } from '@platformatic/kafka';
import type { KafkaConfig } from '../../contracts/roles.ts';
import type { PartitionOwner, Position } from '../../pipeline/ports.ts';
import { connectionOptions } from './connection-options.ts';
import { within } from './deadline.ts';
import { kafkaError } from './kafka-error.ts';
import { type KafkaPackage, loadKafka } from './load.ts';
import { assignSticky, decodeOwned, encodeOwned, PROTOCOL } from './sticky-assignment.ts';

export interface KafkaGroupOptions {
  readonly config: KafkaConfig;
  /** The group is `<group>-<consumer>`. */
  readonly consumer: 'profiler' | 'archiver';
  /** A member that is silent for so long is out, milliseconds. @default 10000 */
  readonly sessionMs?: number;
  /** Between two commits of offsets, milliseconds. @default 5000 */
  readonly commitMs?: number;
  /** Told when the partitions change. */
  readonly onChange?: (owned: readonly string[]) => void;
  /** Brings the package; tests bring their own. */
  readonly load?: () => Promise<KafkaPackage>;
}

type Client = Consumer<Buffer, Buffer, Buffer, Buffer>;

const LONGEST_WAIT_MS = 10_000;
const CLOSE_MS = 5_000;

export class KafkaGroup implements PartitionOwner {
  readonly #options: KafkaGroupOptions;
  readonly #sessionMs: number;
  readonly #stopping = new AbortController();
  #partitions: readonly number[] = [];
  readonly #worked = new Map<number, number>();
  readonly #committed = new Map<number, number>();
  #problem: string | null = null;
  #running: Promise<void> | null = null;

  constructor(options: KafkaGroupOptions) {
    this.#options = options;
    this.#sessionMs = options.sessionMs ?? 10_000;
  }

  /** `<group>-<consumer>` */
  get name(): string {
    return `${this.#options.config.group}-${this.#options.consumer}`;
  }

  get problem(): string | null {
    return this.#problem;
  }

  /** Joins, and stays until `close`. */
  start(): void {
    this.#running ??= this.#run();
  }

  owned(): readonly string[] {
    return this.#partitions.map(String);
  }

  worked(partition: string, through: Position | null): void {
    if (through !== null) this.#worked.set(Number(partition), Number(through) + 1);
  }

  /** Leaves, so that others take over at once. Call it when what reads has stopped. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      const began = performance.now();
      try {
        await this.#member();
        failures = 0;
      } catch (error) {
        this.#problem = kafkaError(`kafka group ${this.name}`, error).message;
        failures = performance.now() - began > LONGEST_WAIT_MS ? 1 : failures + 1;
        await pause(Math.random() * Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(failures, 10)), signal);
      }
    }
  }

  /** One membership. Returns when told to stop; throws when it is lost. */
  async #member(): Promise<void> {
    const { config, load, commitMs = 5_000 } = this.#options;
    const { signal } = this.#stopping;
    const { Consumer: Made } = await loadKafka(load);
    let failure: Error | null = null;
    let aliveAt = performance.now();
    let isLeader = false;
    let assigned = 0;
    const partitions = (): readonly number[] => this.#partitions;
    const client: Client = new Made<Buffer, Buffer, Buffer, Buffer>({
      ...connectionOptions(config, `mlmon-${this.#options.consumer}`),
      groupId: this.name,
      sessionTimeout: this.#sessionMs,
      rebalanceTimeout: this.#sessionMs,
      heartbeatInterval: Math.max(100, Math.floor(this.#sessionMs / 4)),
      // Asked for at every joining: it tells what is owned then.
      protocols: [
        {
          name: PROTOCOL,
          version: 0,
          get metadata() {
            return encodeOwned({ partitions: partitions() });
          },
        },
      ],
      partitionAssigner: (_current, members, topics, metadata) => {
        const owned = new Map([...members].map(([id, member]) => [id, decodeOwned(member.metadata)]));
        const [topic = config.topic] = topics;
        assigned = metadata.topics.get(topic)?.partitionsCount ?? 0;
        return [...assignSticky(owned, assigned)].map(([memberId, of]) => ({
          memberId,
          assignments: new Map([[topic, { topic, partitions: of }]]),
        }));
      },
    });
    client.on('error', (error: Error) => {
      failure ??= error;
    });
    client.on('consumer:heartbeat:end', () => {
      aliveAt = performance.now();
    });
    client.on('consumer:group:join', (joined) => {
      aliveAt = performance.now();
      isLeader = joined.isLeader ?? false;
      const mine = partitionsIn(joined.assignments ?? [], config.topic);
      // The assigner is not asked where there is one member alone: that one gets all.
      if (isLeader && assigned === 0) assigned = mine.length;
      this.#take(mine);
      this.#problem = null;
    });
    try {
      client.topics.track(config.topic);
      await this.#join(client);
      let nextCommit = performance.now() + commitMs;
      while (!signal.aborted) {
        await pause(Math.min(1_000, this.#sessionMs / 4), signal);
        if (failure !== null) throw failure;
        // A rebalance may take a whole session more, in which there are no heartbeats.
        if (performance.now() - aliveAt > 3 * this.#sessionMs) throw new Error('no heartbeat was answered');
        if (performance.now() < nextCommit) continue;
        nextCommit = performance.now() + commitMs;
        await this.#commit(client).catch(() => undefined);
        if (isLeader && (await countOf(client, config.topic)) !== assigned) {
          // The topic has grown: only whoever leads can see that nobody reads what is new.
          assigned = 0;
          await this.#join(client);
        }
      }
      await this.#commit(client).catch(() => undefined);
      this.#take([]);
    } finally {
      const closing = new Promise<void>((resolve) => client.close(true, () => resolve()));
      await within(CLOSE_MS, 'close', closing).catch(() => undefined);
    }
  }

  /** Until it is in, or told to stop. */
  async #join(client: Client): Promise<void> {
    const joining = within(3 * this.#sessionMs, `kafka group ${this.name}: join`, client.joinGroup({}));
    await Promise.race([joining, pause(4 * this.#sessionMs, this.#stopping.signal)]);
    joining.catch(() => undefined);
  }

  #take(partitions: readonly number[]): void {
    const before = this.#partitions;
    this.#partitions = partitions;
    const kept = new Set(partitions);
    for (const known of [...this.#worked.keys()]) if (!kept.has(known)) this.#worked.delete(known);
    for (const known of [...this.#committed.keys()]) if (!kept.has(known)) this.#committed.delete(known);
    if (before.join() !== partitions.join()) this.#options.onChange?.(this.owned());
  }

  /** For tools that look at the lag of groups. What fails is tried again with the next. */
  async #commit(client: Client): Promise<void> {
    const changed = [...this.#worked].filter(([partition, offset]) => this.#committed.get(partition) !== offset);
    if (changed.length === 0) return;
    const offsets = changed.map(([partition, offset]) => ({
      topic: this.#options.config.topic,
      partition,
      offset: BigInt(offset),
      leaderEpoch: -1,
    }));
    const committing = new Promise<void>((resolve, reject) => {
      client.commit({ offsets }, (error) => (error == null ? resolve() : reject(error)));
    });
    await within(CLOSE_MS, `kafka group ${this.name}: commit`, committing);
    for (const [partition, offset] of changed) this.#committed.set(partition, offset);
  }
}

function partitionsIn(assignments: readonly GroupAssignment[], topic: string): number[] {
  return assignments
    .filter((one) => one.topic === topic)
    .flatMap(({ partitions }) => partitions)
    .sort((a, b) => a - b);
}

async function countOf(client: Client, topic: string): Promise<number | undefined> {
  const { topics } = await within(CLOSE_MS, 'describe', client.metadata({ topics: [topic], forceUpdate: true }));
  return topics.get(topic)?.partitionsCount;
}

/** Waits, or until the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
