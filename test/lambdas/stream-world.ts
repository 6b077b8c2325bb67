/** A platform on AWS in one process: simulated stream and event source, the functions' handlers, objects in memory. */

import { logOf } from '../../lambdas/log.ts';
import { profilerHandler } from '../../lambdas/profiler/handler.ts';
import { pushedProfiler } from '../../lambdas/pushed-profiler.ts';
import { redriveHandler } from '../../lambdas/redrive/handler.ts';
import { KinesisLog } from '../../lib/adapters/kinesis/kinesis-log.ts';
import { CrashError, FaultInjector, type FaultOptions } from '../../lib/adapters/memory/faults.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { readCursor } from '../../lib/pipeline/cursor.ts';
import { Evaluator } from '../../lib/pipeline/evaluator.ts';
import { Grains } from '../../lib/pipeline/grains.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import type { EventLog } from '../../lib/pipeline/ports.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { SimulatedStream, type SimulatedStreamOptions } from '../adapters/kinesis/simulated-stream.ts';
import { countingJudge, HOUR, lines, seeded, World } from '../pipeline/simulation.ts';
import { EventSource, type EventSourceOptions, type KinesisInvocation, type SimulatedContext } from './event-source.ts';

export interface StreamWorldOptions {
  readonly seed?: number;
  readonly shards?: number;
  readonly source?: Partial<Omit<EventSourceOptions, 'stream' | 'now' | 'random' | 'giveUp' | 'invoke'>>;
  /** What the event source calls. @default the profiler function */
  readonly invoke?: (world: StreamWorld, ...of: Parameters<EventSourceOptions['invoke']>) => Promise<unknown>;
  readonly stream?: Partial<SimulatedStreamOptions>;
  /** Of the ports of the functions. */
  readonly faults?: Omit<FaultOptions, 'seed'>;
}

const CALM_CONTEXT: SimulatedContext = { awsRequestId: 'calm', getRemainingTimeInMillis: () => 60_000 };

/** One copy of a function: killed with all its ports, then replaced. */
interface Copy<E> {
  readonly handler: (event: E, context: SimulatedContext) => Promise<unknown>;
  readonly isDead: () => boolean;
}

export class StreamWorld {
  readonly world = new World();
  readonly stream: SimulatedStream;
  readonly source: EventSource;
  readonly injector: FaultInjector;
  readonly random: () => number;
  /** Lines of the functions' logs and metrics. */
  readonly said: string[] = [];
  #profiler: Copy<KinesisInvocation> | null = null;

  constructor(options: StreamWorldOptions = {}) {
    const { seed = 1, shards = 1, source = {}, stream = {}, faults = {}, invoke } = options;
    const now = () => this.world.clock.now();
    this.random = seeded(seed * 7_919 + 1);
    this.injector = new FaultInjector({ seed, ...faults });
    this.stream = new SimulatedStream({ now, shards, ...stream });
    this.source = new EventSource({
      stream: this.stream,
      now,
      random: this.random,
      invoke: (...of) => invoke?.(this, ...of) ?? this.profile(...of),
      giveUp: async (key, body) => void (await this.world.store.putIfAbsent(key, body)),
      ...source,
    });
  }

  /** The profiler function, a new copy of it after one was killed. */
  async profile(event: KinesisInvocation, context: SimulatedContext = CALM_CONTEXT): Promise<unknown> {
    if (this.#profiler === null || this.#profiler.isDead()) this.#profiler = this.#profilerCopy();
    const copy = this.#profiler;
    const answer = await copy.handler(event, context);
    // A copy that is killed answers nothing.
    if (copy.isDead()) throw new CrashError('killed');
    return answer;
  }

  /** The redrive function, for notifications of these keys. */
  async redrive(givenUp: readonly string[], context: SimulatedContext = CALM_CONTEXT): Promise<void> {
    const process = this.injector.process();
    const store = process.store(this.world.store);
    const stream = process.log(this.#log());
    const handler = redriveHandler({
      profiler: pushedProfiler({ log: stream, store, clock: this.world.clock }),
      stream,
      store,
      environment: 'test',
      clock: this.world.clock,
      log: logOf('redrive', { write: (line) => this.said.push(line) }),
      write: (line) => this.said.push(line),
    });
    await handler({ Records: givenUp.map((key) => ({ s3: { object: { key } } })) }, context);
    if (process.dead) throw new CrashError('killed');
  }

  /** All that were given up, again and again until each is done. */
  async redriveAll(): Promise<void> {
    for (const key of this.source.givenUp)
      for (let attempt = 0; attempt < 50; attempt++)
        try {
          await this.redrive([key]);
          break;
        } catch {}
  }

  append(event: object, at: number, key = String(this.random())): void {
    this.world.clock.set(at);
    this.stream.put(key, lines([event]), { at });
  }

  /** Judges and closes all that time brings until `until`. */
  async finish(until: number, step = 2 * HOUR): Promise<void> {
    const { store, clock } = this.world;
    const parts = { store, clock, registry: new Registry({ store, clock }), reader: new PackReader(store) };
    const grains = new Grains(parts);
    const evaluator = new Evaluator({ ...parts, log: this.#log(), judge: countingJudge, settleMs: 0 });
    for (let now = clock.now(); now <= until + step; now += step) {
      clock.set(now);
      await this.#settle(evaluator, grains);
    }
    await this.#settle(evaluator, grains);
  }

  async #settle(evaluator: Evaluator, grains: Grains): Promise<void> {
    while ((await evaluator.tick()).more);
    while ((await grains.close()).more);
  }

  #profilerCopy(): Copy<KinesisInvocation> {
    const process = this.injector.process();
    const handler = profilerHandler({
      profiler: pushedProfiler({
        log: process.log(this.#log()),
        store: process.store(this.world.store),
        clock: this.world.clock,
      }),
      log: logOf('profiler', { write: (line) => this.said.push(line) }),
    });
    return { handler, isDead: () => process.dead };
  }

  #log(): EventLog {
    const { store } = this.world;
    return new KinesisLog({
      client: this.stream.client(),
      streamArn: this.stream.arn,
      identityMs: 0,
      firstWaitMs: 1,
      profiled: async (identity, partition) => (await readCursor(store, keys.cursor(identity, partition))).cursor,
    });
  }
}
