/** A small platform in memory for tests of the stream path, generated events, and a plain oracle that counts them directly. */

import type { FaultInjector, FaultyProcess } from '../../lib/adapters/memory/faults.ts';
import { MemoryLog, type MemoryLogOptions } from '../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { durationMs } from '../../lib/contracts/duration.ts';
import { type Monitor, type MonitorInput, monitorSchema } from '../../lib/contracts/monitor.ts';
import { keys, unsegment } from '../../lib/contracts/object-keys.ts';
import type { FeatureResult, WindowResult } from '../../lib/contracts/result.ts';
import { addTotals, EMPTY_TOTALS, type LedgerTotals, readCursors } from '../../lib/pipeline/cursor.ts';
import { Evaluator } from '../../lib/pipeline/evaluator.ts';
import type { EvaluatorOptions } from '../../lib/pipeline/evaluator-options.ts';
import { Grains } from '../../lib/pipeline/grains.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import type { EventLog, ObjectStore } from '../../lib/pipeline/ports.ts';
import { Profiler } from '../../lib/pipeline/profiler.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { type Judge, statisticsBytes } from '../../lib/pipeline/window-judge.ts';

export const HOUR = 3_600_000;
export const T0 = Date.parse('2026-03-02T00:00:00Z');
export const CATEGORIES = ['a', 'b', 'c'] as const;
const EDGES = [0, 10, 20, 30, 40];

export class ManualClock {
  #now: number;
  constructor(now: number) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  set(now: number): void {
    this.#now = Math.max(now, this.#now);
  }
}

export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

export function monitorOf(model: string, change: Partial<MonitorInput> = {}): Monitor {
  return monitorSchema.parse({
    model,
    window: { every: '1h', lateness: '30m', revise: '12h' },
    drift: { scales: ['6h'] },
    ...change,
  });
}

export function baselineOf(model: string, version: string, categories: readonly string[] = CATEGORIES): Baseline {
  return {
    schema: 'mlmon.baseline/v1',
    model,
    version,
    source: { kind: 'file', name: 'made-up', from: null, to: null },
    rows: 400,
    window: null,
    columns: [
      {
        name: 'amount',
        type: 'numeric',
        role: 'feature',
        count: 400,
        missing: 0,
        nonFinite: 0,
        mean: 20,
        std: 10,
        min: 0,
        max: 39,
        integer: false,
        center: 20,
        unit: 2 ** -10,
        bins: { edges: EDGES, verdictBin: [0, 0, 1, 2, 3, 3] },
        counts: [0, 100, 100, 100, 100, 0],
        calibration: null,
      },
      {
        name: 'kind',
        type: 'categorical',
        role: 'feature',
        count: 400,
        missing: 0,
        categories: [...categories],
        counts: categories.map(() => Math.floor(400 / categories.length)),
        other: 0,
        distinct: categories.length,
        verdictBin: categories.map((_, i) => i),
        calibration: null,
      },
    ],
    volume: null,
    performance: null,
    findings: [],
  };
}

/** A judge that only tells its counts: `results` then compare with the oracle's bit by bit. */
export const countingJudge: Judge = ({ shape, profile }) => ({
  status: shape.baseline === null ? 'learning' : 'ok',
  null: 'independent',
  features: shape.columns.map(({ name, type, role, index }): FeatureResult => {
    const { n, missing, nonFinite, invalid, bins, unseen } = profile.column(index);
    return {
      name,
      type,
      role,
      status: 'ok',
      test: 'counts',
      statistic: null,
      pValue: null,
      threshold: null,
      effect: null,
      aspect: null,
      detectable: null,
      provisional: false,
      referenceCount: 0,
      currentCount: n,
      missingReference: 0,
      missingCurrent: missing,
      summary: JSON.stringify({
        bins: [...Array.from(bins)],
        unseen: [...unseen.top],
        other: unseen.total,
        nonFinite,
        invalid,
      }),
      changes: [],
      others: [],
      mean: null,
      std: null,
    };
  }),
  quality: [],
  volume: null,
  latency: null,
  segments: [],
});

export interface SimulationOptions {
  readonly partitions?: number;
  readonly log?: Partial<MemoryLogOptions>;
  readonly cacheMs?: number;
}

/** What survives crashes: log, store, clock. */
export class World {
  readonly clock = new ManualClock(T0);
  readonly log: MemoryLog;
  readonly store = new MemoryStore();
  readonly cacheMs: number;

  constructor({ partitions = 1, log, cacheMs = 60_000 }: SimulationOptions = {}) {
    this.log = new MemoryLog({ clock: this.clock, partitions, identity: 'log-1', ...log });
    this.cacheMs = cacheMs;
  }

  get publisher() {
    return { store: this.store, clock: this.clock, cacheMs: this.cacheMs };
  }

  /** A monitor and an approved baseline from `from` on. */
  async declare(
    model: string,
    options: { monitor?: Monitor; version?: string; from?: number; baseline?: boolean } = {},
  ) {
    const { monitor = monitorOf(model), version = '1', from = T0, baseline = true } = options;
    if (baseline)
      await publishBaseline(this.publisher, baselineOf(model, version), {
        model,
        version,
        by: 'test',
        approve: true,
        effectiveFrom: 0,
      });
    await publishMonitor(this.publisher, monitor, { by: 'test', effectiveFrom: from });
  }

  append(partition: string, events: readonly unknown[], time: number): void {
    this.clock.set(time);
    this.log.put(partition, lines(events), time);
  }

  async results(): Promise<WindowResult[]> {
    const found: WindowResult[] = [];
    for await (const key of listAll(this.store, 'results/'))
      found.push(JSON.parse(new TextDecoder().decode((await this.store.get(key))?.body)) as WindowResult);
    return found;
  }

  async totals(): Promise<LedgerTotals> {
    return (await readCursors(this.store)).reduce((sum, { cursor }) => addTotals(sum, cursor.totals), EMPTY_TOTALS);
  }
}

export interface PlatformOptions
  extends Partial<Pick<EvaluatorOptions, 'onResult' | 'stalledAfterMs' | 'settleMs' | 'judge'>> {
  readonly records?: number;
  readonly bytes?: number;
  readonly closeAfterMs?: number;
  readonly process?: FaultyProcess;
}

/** One incarnation of the process. */
export class Platform {
  readonly log: EventLog;
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly reader: PackReader;
  readonly grains: Grains;
  readonly evaluator: Evaluator;
  readonly problems: Error[] = [];
  readonly #world: World;
  readonly #options: PlatformOptions;
  readonly #profilers = new Map<string, Profiler>();

  constructor(world: World, options: PlatformOptions = {}) {
    this.#world = world;
    this.#options = options;
    const { clock, cacheMs } = world;
    this.log = options.process?.log(world.log) ?? world.log;
    this.store = options.process?.store(world.store) ?? world.store;
    this.registry = new Registry({ store: this.store, clock, cacheMs });
    this.reader = new PackReader(this.store);
    const parts = { store: this.store, clock, registry: this.registry, reader: this.reader };
    this.grains = new Grains({
      ...parts,
      closeAfterMs: options.closeAfterMs ?? HOUR,
      onProblem: (error) => this.problems.push(error),
    });
    this.evaluator = new Evaluator({
      ...parts,
      log: this.log,
      judge: options.judge ?? countingJudge,
      onResult: options.onResult,
      settleMs: options.settleMs ?? 0,
      stalledAfterMs: options.stalledAfterMs ?? 1_000 * 24 * HOUR,
    });
  }

  profiler(partition: string): Profiler {
    let profiler = this.#profilers.get(partition);
    if (profiler === undefined) {
      const { records = 50, bytes } = this.#options;
      const relieve = (key: string) => this.grains.relieve(key);
      const { log, store, registry } = this;
      profiler = new Profiler({ log, store, registry, partition, records, bytes, relieve });
      this.#profilers.set(partition, profiler);
    }
    return profiler;
  }

  async profileAll(): Promise<void> {
    for (const { id } of await this.#world.log.partitions()) while ((await this.profiler(id).step()).more);
  }

  async settle(): Promise<void> {
    await this.profileAll();
    while ((await this.evaluator.tick()).more);
    while ((await this.grains.close()).more);
  }
}

/** Lets everything happen that time brings: the clock goes on in steps until nothing is left to judge or to revise. */
export async function finish(world: World, platform: Platform, until: number, step = 2 * HOUR): Promise<void> {
  await platform.settle();
  for (let now = world.clock.now() + step; now <= until + step; now += step) {
    world.clock.set(now);
    await platform.settle();
  }
  // Revisions are made with a state that was read in an earlier tick.
  await platform.settle();
}

export function lines(events: readonly unknown[]): Uint8Array {
  return new TextEncoder().encode(
    events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event))).join('\n'),
  );
}

export interface GeneratedEvent {
  readonly partition: number;
  readonly appendTime: number;
  readonly time: number;
  readonly model: string;
  readonly version: string;
  readonly amount: number | null;
  readonly kind: string;
}

/** Events of some hours in the order of their append times; most on time, some late, some very late. */
export function generate(
  seed: number,
  {
    count = 300,
    hours = 8,
    models = ['m'],
    versions = ['1'],
  }: { count?: number; hours?: number; models?: string[]; versions?: string[] } = {},
): GeneratedEvent[] {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const events = Array.from({ length: count }, () => {
    const time = T0 + Math.floor(random() * hours * HOUR);
    const lateness = random();
    const delay =
      lateness < 0.75
        ? random() * 0.4 * HOUR
        : lateness < 0.9
          ? random() * 6 * HOUR
          : lateness < 0.97
            ? random() * 13 * HOUR
            : random() * 40 * HOUR;
    return {
      partition: Math.floor(random() * 1_000),
      appendTime: time + Math.floor(delay),
      time,
      model: pick(models),
      version: pick(versions),
      amount: random() < 0.1 ? null : Math.round(random() * 600) / 10 - 10,
      kind: pick(['a', 'b', 'c', 'd', 'e']),
    };
  });
  return events.sort((a, b) => a.appendTime - b.appendTime);
}

export function wire(event: GeneratedEvent, id: number): object {
  return {
    id: `e-${id}`,
    type: 'inference',
    model: event.model,
    version: event.version,
    time: new Date(event.time).toISOString(),
    numeric: { amount: event.amount },
    categorical: { kind: event.kind },
  };
}

/** Exact counts of one window, computed from the events alone. */
export interface OracleWindow {
  rows: number;
  amount: number[];
  kind: number[];
  other: number;
  missing: number;
}

/**
 * What the architecture promises, in plain words: a record belongs to the window of its event time; the first revision of a scale has
 * those appended before the scale's window ended plus lateness; the last revision all those that were not beyond.
 */
export function oracle(events: readonly GeneratedEvent[], monitor: Monitor, scaleMs: number) {
  const base = durationMs(monitor.window.every);
  const lateness = durationMs(monitor.window.lateness);
  const revise = durationMs(monitor.window.revise);
  const first = new Map<string, OracleWindow>();
  const last = new Map<string, OracleWindow>();
  let beyond = 0;
  for (const event of events) {
    const baseEnd = Math.floor(event.time / base) * base + base;
    if (event.appendTime >= baseEnd + lateness + revise) {
      beyond++;
      continue;
    }
    const start = Math.floor(event.time / scaleMs) * scaleMs;
    const name = `${event.model}/${event.version}/${start}`;
    const onTime = event.appendTime < start + scaleMs + lateness;
    if (!first.has(name)) first.set(name, emptyWindow());
    if (onTime) count(first.get(name) as OracleWindow, event);
    if (!last.has(name)) last.set(name, emptyWindow());
    count(last.get(name) as OracleWindow, event);
  }
  return { first, last, beyond };
}

function emptyWindow(): OracleWindow {
  return {
    rows: 0,
    amount: new Array<number>(EDGES.length + 1).fill(0),
    kind: CATEGORIES.map(() => 0),
    other: 0,
    missing: 0,
  };
}

function count(window: OracleWindow, { amount, kind }: GeneratedEvent): void {
  window.rows++;
  if (amount === null) window.missing++;
  else {
    const bin = EDGES.filter((edge) => amount >= edge).length;
    window.amount[bin] = (window.amount[bin] ?? 0) + 1;
  }
  const at = CATEGORIES.indexOf(kind as (typeof CATEGORIES)[number]);
  if (at < 0) window.other++;
  else window.kind[at] = (window.kind[at] ?? 0) + 1;
}

/** The same counts as told by `countingJudge`. */
export function countsOf(result: WindowResult): OracleWindow {
  const [amount, kind] = result.features;
  const told = (feature: FeatureResult | undefined) =>
    JSON.parse(feature?.summary ?? '{}') as { bins: number[]; other: number };
  return {
    rows: result.rows,
    amount: told(amount).bins,
    kind: told(kind).bins,
    other: told(kind).other,
    missing: amount?.missingCurrent ?? -1,
  };
}

/** Results by `<model>/<version>/<start>` of one scale: first revision, last revision, all. */
export function byWindow(results: readonly WindowResult[], length: string) {
  const first = new Map<string, WindowResult>();
  const last = new Map<string, WindowResult>();
  for (const result of results) {
    if (result.length !== length) continue;
    const name = `${result.model}/${result.version}/${Date.parse(result.start)}`;
    const { revision } = result.provenance;
    if (revision === 0) first.set(name, result);
    if (revision >= (last.get(name)?.provenance.revision ?? -1)) last.set(name, result);
  }
  return { first, last };
}

/** Differences between the results and the oracle, as text; empty when all is exact. */
export function differences(
  results: readonly WindowResult[],
  events: readonly GeneratedEvent[],
  monitor: Monitor,
): string[] {
  const wrong: string[] = [];
  for (const [length, ms] of [
    ['1h', HOUR],
    ['6h', 6 * HOUR],
  ] as const) {
    const expected = oracle(events, monitor, ms);
    const found = byWindow(results, length);
    for (const which of ['first', 'last'] as const) {
      for (const [name, window] of expected[which]) {
        const result = found[which].get(name);
        const told = result === undefined ? 'none' : JSON.stringify(countsOf(result));
        // A version whose rows of a window were all late may have been found by the revision only.
        if (told !== JSON.stringify(window))
          wrong.push(`${length} ${which} ${name}: ${told}, not ${JSON.stringify(window)}`);
      }
      for (const [name, result] of found[which])
        if (result.rows > 0 && !expected[which].has(name))
          wrong.push(`${length} ${which} ${name}: ${result.rows} rows, not any`);
    }
  }
  return wrong;
}

/** Every revision counts at least the packs of the one before it. */
export async function shrunkRevisions(world: World, results: readonly WindowResult[]): Promise<string[]> {
  const reader = new PackReader(world.store);
  const leaves = async ({ provenance }: WindowResult): Promise<Set<string>> =>
    new Set((await Promise.all(provenance.inputs.map(async (key) => (await reader.content(key)).leaves))).flat());
  const wrong: string[] = [];
  const sorted = [...results].sort((a, b) => a.provenance.revision - b.provenance.revision);
  const before = new Map<string, { rows: number; leaves: Set<string> }>();
  for (const result of sorted) {
    const name = `${result.model}/${result.version}/${result.start}/${result.length}`;
    const now = { rows: result.rows, leaves: await leaves(result) };
    const earlier = before.get(name);
    const { revision } = result.provenance;
    if (revision > 0 && earlier === undefined) wrong.push(`${name}: no revision before ${revision}`);
    if (earlier !== undefined && (now.rows < earlier.rows || [...earlier.leaves].some((leaf) => !now.leaves.has(leaf))))
      wrong.push(`${name}: revision ${revision} has less than the one before`);
    before.set(name, now);
  }
  return wrong;
}

/** Statistics of the first and the last revisions of all windows, to be compared between runs. */
export function statistics(results: readonly WindowResult[]): Map<string, string> {
  const told = new Map<string, string>();
  for (const length of ['1h', '6h']) {
    const { first, last } = byWindow(results, length);
    for (const [name, result] of first) told.set(`first ${length} ${name}`, statisticsBytes(result));
    for (const [name, result] of last) told.set(`last ${length} ${name}`, statisticsBytes(result));
  }
  return told;
}

/** Versions that have stored profiles. */
export async function storedVersions(store: ObjectStore, model: string): Promise<string[]> {
  const found = new Set<string>();
  for await (const key of listAll(store, keys.profiles(model))) found.add(unsegment(key.split('/')[2] ?? ''));
  return [...found].sort();
}

export async function readAllPacks(world: World): Promise<string[]> {
  const found: string[] = [];
  for await (const key of listAll(world.store, keys.packs())) found.push(key);
  return found;
}

export type { FaultInjector };
