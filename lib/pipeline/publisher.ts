/**
 * Publishing monitors and baselines: immutable numbered objects, put if absent. What is published takes effect at a window boundary
 * late enough for every reader's cache to know it: two lifetimes, and as far ahead as an event may be dated.
 *
 * A baseline is stored under the field policies of its monitor, never as it came (docs/decisions/0011). So its monitor must be known.
 */
import type { Baseline, PublishedBaseline } from '../contracts/baseline.ts';
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { Monitor, PublishedMonitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import { ProblemError } from '../contracts/problem.ts';
import { WindowRule } from '../engine/window.ts';
import { baselineUnderPolicies } from './baseline-policy.ts';
import { holdsBack, type PolicyKey } from './field-policy.ts';
import { encodeJson } from './json-object.ts';
import { listAll } from './listing.ts';
import { type Clock, ConflictError, type ObjectStore, TransientError } from './ports.ts';
import { DEFAULT_CACHE_MS } from './registry.ts';
import { isInForce } from './timeline.ts';

export interface PublisherOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** As of every registry that reads it. @default 60000 */
  readonly cacheMs?: number;
  /** That of the collector. @default null: a baseline with a hashed feature is refused */
  readonly policyKey?: PolicyKey | null;
}

export interface PublishOptions {
  /** Who decided. */
  readonly by: string;
  /** Milliseconds. Only for setting up before the first event; by default the platform chooses. */
  readonly effectiveFrom?: number;
}

const ATTEMPTS = 20;

/**
 * Publishes a monitor; an equal one is not published again. The first monitor of a model takes effect at the start of the window
 * that is going on, later ones at a boundary of both the old and the new windows. Where field policies are at work, the baselines in
 * force are published again under them, from the same moment on.
 */
export async function publishMonitor(
  options: PublisherOptions,
  monitor: Monitor,
  { by, effectiveFrom }: PublishOptions,
): Promise<PublishedMonitor> {
  let policed = holdsBack(monitor);
  let isFirst = false;
  const published = await publishNext<PublishedMonitor>(
    options.store,
    keys.monitors(monitor.model),
    (n) => keys.monitor(monitor.model, n),
    (present, n) => {
      const last = present.at(-1);
      policed ||= present.some((one) => one.monitor !== undefined && holdsBack(one.monitor));
      if (last !== undefined && !last.removed && sameJson(last.monitor, monitor)) return last;
      const rules = [monitor, ...(last?.monitor === undefined ? [] : [last.monitor])];
      isFirst = last === undefined;
      const from =
        effectiveFrom ??
        (last === undefined ? windowStart(monitor, options.clock.now()) : nextBoundary(options, rules));
      return { n, effectiveFrom: timeText(from), removed: false, by, monitor };
    },
  );
  if (policed) await policeBaselines(options, published, isFirst);
  return published;
}

/** Publishes again what is in force and not under the monitor's policies; a no-op when repeated, so a crash in between is mended. */
async function policeBaselines(
  options: PublisherOptions,
  { monitor, effectiveFrom, by }: PublishedMonitor,
  isFirst: boolean,
): Promise<void> {
  const key = options.policyKey ?? null;
  // Without a key no event of it is taken either.
  if (key === null && Object.values(monitor.features ?? {}).some(({ policy }) => policy === 'hash')) return;
  const byVersion = new Map<string, PublishedBaseline>();
  for (const one of await readAll<PublishedBaseline>(options.store, keys.baselines(monitor.model)))
    if (one.baseline !== undefined && isInForce(one)) byVersion.set(one.version, one);
  for (const [version, { baseline, effectiveFrom: since, provisional }] of byVersion) {
    // What cannot be brought under them is left out, and its column is not judged until there is a new baseline.
    const { baseline: policed, problems } = baselineUnderPolicies(baseline, monitor, key);
    if (sameJson(policed, baseline)) continue;
    const late = Date.parse(effectiveFrom) < options.clock.now();
    const from = isFirst && since !== null ? since : late ? timeText(nextBoundary(options, [monitor])) : effectiveFrom;
    const findings = [...policed.findings, ...problems];
    await publishBaseline(
      options,
      { ...policed, findings },
      {
        model: monitor.model,
        version,
        by,
        approve: provisional !== true,
        provisional,
        effectiveFrom: Date.parse(from),
        monitor,
      },
    );
  }
}

/** Ends the monitoring of a model at a window boundary. Events from there on go to quarantine as `unknown-model`. */
export async function removeMonitor(
  options: PublisherOptions,
  model: string,
  { by, effectiveFrom }: PublishOptions,
): Promise<PublishedMonitor> {
  return publishNext<PublishedMonitor>(
    options.store,
    keys.monitors(model),
    (n) => keys.monitor(model, n),
    (present, n) => {
      const last = present.findLast((published) => published.monitor !== undefined);
      if (last === undefined) throw unknownModel(model);
      if (last.removed) return last;
      const from = effectiveFrom ?? nextBoundary(options, [last.monitor]);
      return { n, effectiveFrom: timeText(from), removed: true, by, monitor: last.monitor };
    },
  );
}

export interface PublishBaselineOptions extends PublishOptions {
  readonly model: string;
  readonly version: string;
  /** Approved at once; else it waits for `approveBaseline`. */
  readonly approve: boolean;
  /** In force without approval, and marked so. */
  readonly provisional?: boolean;
  /** What is there under this name of learning is answered, and nothing is published. */
  readonly learned?: string;
  /** Whose field policies it is stored under. @default the newest that is published */
  readonly monitor?: Monitor;
}

/**
 * Publishes a baseline of a version. Before the model has a monitor it applies to all event times; afterwards from a window boundary
 * ahead, so that no window is compared with two baselines. Where no monitor is given and none is published no policy is known, and it is
 * stored as it is: give the monitor if it has any.
 * @throws ProblemError for columns that cannot be brought under their policy
 */
export async function publishBaseline(
  options: PublisherOptions,
  given: Baseline,
  { model, version, by, approve, provisional = false, learned, effectiveFrom, monitor }: PublishBaselineOptions,
): Promise<PublishedBaseline> {
  const baseline = await underPolicies(options, given, model, monitor);
  const from = approve || provisional ? (effectiveFrom ?? (await baselineBoundary(options, model))) : null;
  return publishNext<PublishedBaseline>(
    options.store,
    keys.baselines(model, version),
    (n) => keys.baseline(model, version, n),
    (present, n) => {
      const last = present.at(-1);
      const known = learned === undefined ? undefined : present.find((one) => one.baseline?.learned?.id === learned);
      if (known !== undefined) return known;
      const isSame = last !== undefined && sameJson(last.baseline, baseline) && (last.approved !== null) === approve;
      if (isSame) return last;
      return {
        n,
        version,
        effectiveFrom: from === null ? null : timeText(from),
        approved: from === null || !approve ? null : { by, at: timeText(options.clock.now()) },
        ...(provisional && !approve ? { provisional: true as const } : {}),
        baseline,
      };
    },
  );
}

/** Approves number `n` of a version: publishes it again, under the next number, with the moment from which it applies. */
export async function approveBaseline(
  options: PublisherOptions,
  { model, version, n, by, effectiveFrom }: PublishOptions & { model: string; version: string; n: number },
): Promise<PublishedBaseline> {
  const present = await readAll<PublishedBaseline>(options.store, keys.baselines(model, version));
  const chosen = present.find((candidate) => candidate.n === n);
  if (chosen === undefined)
    throw new ProblemError([
      {
        code: 'unknown-baseline',
        path: `${model}/${version}/${n}`,
        message: 'there is no such baseline',
        expected: present.length === 0 ? undefined : `one of ${present.map((one) => one.n).join(', ')}`,
        fix: 'list them with `mlmon baseline list`',
      },
    ]);
  return publishBaseline(options, chosen.baseline, { model, version, by, approve: true, effectiveFrom });
}

/** Back to the approved baseline before the present one (or to number `to`), from the next boundary on. */
export async function rollbackBaseline(
  options: PublisherOptions,
  { model, version, by, to }: PublishOptions & { model: string; version: string; to?: number },
): Promise<PublishedBaseline> {
  const approved = (await readAll<PublishedBaseline>(options.store, keys.baselines(model, version))).filter(
    (candidate) => candidate.approved !== null,
  );
  const current = approved.at(-1);
  // Those that differ by a change of policy alone are one and the same.
  const monitor = await newestMonitor(options.store, model);
  const content = ({ baseline }: PublishedBaseline): Baseline =>
    monitor === null ? baseline : baselineUnderPolicies(baseline, monitor, options.policyKey ?? null).baseline;
  const target =
    to === undefined
      ? approved.findLast((candidate) => current !== undefined && !sameJson(content(candidate), content(current)))
      : approved.find(({ n }) => n === to);
  if (target === undefined)
    throw new ProblemError([
      {
        code: 'no-earlier-baseline',
        path: `${model}/${version}`,
        message: 'there is no earlier approved baseline to go back to',
        fix: 'publish one with `mlmon baseline make`',
      },
    ]);
  return approveBaseline(options, { model, version, n: target.n, by });
}

/** Everything published under a prefix, by number; unreadable objects are left out. */
export async function readAll<T extends { readonly n: number }>(store: ObjectStore, prefix: string): Promise<T[]> {
  const found: T[] = [];
  for await (const key of listAll(store, prefix)) {
    const stored = await store.get(key);
    if (stored === null) continue;
    try {
      found.push(JSON.parse(new TextDecoder().decode(stored.body)) as T);
    } catch {
      // The registry reports it; its number stays taken, since the object exists.
      found.push({ n: numberOf(key) } as T);
    }
  }
  return found.filter((value) => Number.isInteger(value.n)).sort((a, b) => a.n - b.n);
}

async function publishNext<T extends { readonly n: number }>(
  store: ObjectStore,
  prefix: string,
  key: (n: number) => string,
  make: (present: readonly T[], n: number) => T,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const present = await readAll<T>(store, prefix);
    const n = (present.at(-1)?.n ?? 0) + 1;
    const value = make(present, n);
    if (value.n !== n) return value;
    const body = encodeJson(value);
    try {
      await store.putIfAbsent(key(n), body);
      return value;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const stored = await store.get(key(n));
      // The answer to our own write may have been lost.
      if (stored !== null && Buffer.compare(stored.body, body) === 0) return value;
    }
  }
  throw new TransientError(`${prefix}: lost the race for the next number ${ATTEMPTS} times`);
}

async function underPolicies(
  options: PublisherOptions,
  given: Baseline,
  model: string,
  monitor: Monitor | undefined,
): Promise<Baseline> {
  const deciding = monitor ?? (await newestMonitor(options.store, model));
  if (deciding === null) return given;
  const { baseline, problems } = baselineUnderPolicies(given, deciding, options.policyKey ?? null);
  if (problems.length > 0) throw new ProblemError(problems);
  return baseline;
}

async function newestMonitor(store: ObjectStore, model: string): Promise<Monitor | null> {
  const found = (await readAll<PublishedMonitor>(store, keys.monitors(model))).findLast(
    (published) => published.monitor !== undefined,
  );
  return found?.monitor ?? null;
}

async function baselineBoundary(options: PublisherOptions, model: string): Promise<number> {
  const last = await newestMonitor(options.store, model);
  return last === null ? 0 : nextBoundary(options, [last]);
}

/** The first moment that bounds a window of each of these monitors and that every reader knows of beforehand. */
function nextBoundary({ clock, cacheMs = DEFAULT_CACHE_MS }: PublisherOptions, monitors: readonly Monitor[]): number {
  const rules = monitors.map(windowRule);
  const earliest = clock.now() + 2 * cacheMs + EVENT_LIMITS.futureMs;
  let boundary = earliest;
  // Windows in different time zones may have no boundary in common: then that of the new monitor decides.
  for (let round = 0; round < 1_000; round++) {
    const before = boundary;
    for (const rule of rules) {
      const { start, end } = rule.windowAt(boundary);
      if (start !== boundary) boundary = end;
    }
    if (boundary === before) return boundary;
  }
  const { start, end } = rules[0]?.windowAt(earliest) ?? { start: earliest, end: earliest };
  return start === earliest ? start : end;
}

function windowStart(monitor: Monitor, t: number): number {
  return windowRule(monitor).windowAt(t).start;
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function numberOf(key: string): number {
  return Number(/(\d+)\.json$/.exec(key)?.[1]);
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function unknownModel(model: string): ProblemError {
  return new ProblemError([
    {
      code: 'unknown-model',
      path: model,
      message: 'no monitor declares it',
      fix: 'list them with `mlmon monitor list`',
    },
  ]);
}

function windowRule(monitor: Monitor): WindowRule {
  return new WindowRule(monitor.window, monitor.drift.scales);
}
