/** What people do to a platform, from the page and the command line. Each change is audited. */
import { randomUUID } from 'node:crypto';
import type { Baseline, PublishedBaseline } from '../contracts/baseline.ts';
import { durationMs, isDuration } from '../contracts/duration.ts';
import type { EpisodeState, Silence, Transition } from '../contracts/episode.ts';
import { type Monitor, type PublishedMonitor, parseMonitor } from '../contracts/monitor.ts';
import { keys } from '../contracts/object-keys.ts';
import { ProblemError, shown } from '../contracts/problem.ts';
import { SIGNALS, type Signal } from '../contracts/result.ts';
import { compileShape } from '../engine/shape.ts';
import type { AuditLog } from '../pipeline/audit.ts';
import type { PolicyKey } from '../pipeline/field-policy.ts';
import { changeJson } from '../pipeline/json-object.ts';
import type { AlertChannel, Clock, ObjectStore } from '../pipeline/ports.ts';
import {
  approveBaseline,
  type PublisherOptions,
  publishBaseline,
  publishMonitor,
  removeMonitor,
  rollbackBaseline,
} from '../pipeline/publisher.ts';
import type { Registry } from '../pipeline/registry.ts';

export interface ActionsOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly audit: AuditLog;
  readonly channels: readonly AlertChannel[];
  /** That of the collector; `null` where it is not known: baselines with a hashed feature are then refused. */
  readonly policyKey: PolicyKey | null;
  /** Makes a baseline from the capture: events of the model with event times in [from, to), milliseconds. */
  readonly baselineFromCapture: (model: string, monitor: Monitor, from: number, to: number) => Promise<Baseline>;
}

export interface PublishBaselineInput {
  readonly baseline: Baseline;
  readonly version: string;
  readonly approve: boolean;
  readonly by: string;
  /** As in a monitor file. */
  readonly monitor?: unknown;
}

/** Longest silence: a forgotten one must end by itself. */
const LONGEST_SILENCE = 30 * 86_400_000;

export class PlatformActions {
  readonly #options: ActionsOptions;
  readonly #publisher: PublisherOptions;

  constructor(options: ActionsOptions) {
    this.#options = options;
    const { store, clock, registry, policyKey } = options;
    this.#publisher = { store, clock, cacheMs: registry.cacheMs, policyKey };
  }

  /** For publishing with other moments than the platform would choose; what it publishes is not audited. */
  get publisher(): PublisherOptions {
    return this.#publisher;
  }

  async acknowledge(id: string, { by, note }: { readonly by: string; readonly note: string }): Promise<void> {
    const at = this.#now();
    for (const model of await this.#models()) {
      let found = false;
      await changeJson<EpisodeState>(this.#options.store, keys.episodes(model), (state) => {
        found = state?.episodes.some((episode) => episode.id === id) ?? false;
        return state === null || !found
          ? null
          : { ...state, acknowledged: { ...state.acknowledged, [id]: { by, at, note } } };
      });
      if (!found) continue;
      await this.#options.audit.record(by, 'alert.acknowledge', { id, model, note });
      return;
    }
    throw unknown('alert', id, '`mlmon alert list` shows the ids');
  }

  async silence(input: {
    readonly model: string;
    readonly signal: string | null;
    readonly for: string;
    readonly reason: string;
    readonly by: string;
  }): Promise<Silence> {
    if (!(await this.#models()).includes(input.model))
      throw unknown('model', input.model, '`mlmon monitor list` shows them');
    if (input.signal !== null && !(SIGNALS as readonly string[]).includes(input.signal))
      throw wrong('signal', input.signal, `one of ${SIGNALS.join(', ')}, or null for all`);
    if (!isDuration(input.for) || durationMs(input.for) > LONGEST_SILENCE)
      throw wrong('for', input.for, 'a duration of at most 30d, e.g. 4h');
    const from = this.#options.clock.now();
    const silence: Silence = {
      id: randomUUID().slice(0, 8),
      model: input.model,
      signal: input.signal as Signal | null,
      from: new Date(from).toISOString(),
      until: new Date(from + durationMs(input.for)).toISOString(),
      by: input.by,
      reason: input.reason,
    };
    await changeJson<EpisodeState>(this.#options.store, keys.episodes(input.model), (state) => ({
      ...(state ?? emptyState(input.model)),
      silences: [...(state?.silences ?? []), silence].slice(-100),
    }));
    await this.#options.audit.record(input.by, 'alert.silence', { ...silence });
    return silence;
  }

  /** Sends a test through every channel; none of it is stored. */
  async testChannels(): Promise<{
    readonly channels: readonly { readonly channel: string; readonly error: string | null }[];
  }> {
    const transition = testTransition(this.#now());
    const channels = await Promise.all(
      this.#options.channels.map(async (channel) => {
        try {
          await channel.deliver(transition, { repeat: false });
          return { channel: channel.name, error: null };
        } catch (error) {
          return { channel: channel.name, error: error instanceof Error ? error.message : String(error) };
        }
      }),
    );
    return { channels };
  }

  /** @throws ProblemError with every problem of the monitor */
  async applyMonitor(model: string, input: unknown, by: string): Promise<PublishedMonitor> {
    const published = await publishMonitor(this.#publisher, monitorFor(model, input), { by });
    return this.#done(
      by,
      'monitor.apply',
      { model, n: published.n, effectiveFrom: published.effectiveFrom },
      published,
    );
  }

  async removeMonitor(model: string, by: string): Promise<PublishedMonitor> {
    const published = await removeMonitor(this.#publisher, model, { by });
    return this.#done(
      by,
      'monitor.remove',
      { model, n: published.n, effectiveFrom: published.effectiveFrom },
      published,
    );
  }

  /** "This is the new normal": a baseline from the windows that start in [from, to]; it waits for approval. */
  async makeBaseline(
    model: string,
    { from, to, by }: { readonly from: string; readonly to: string | null; readonly by: string },
  ): Promise<PublishedBaseline> {
    const { registry, clock, baselineFromCapture } = this.#options;
    await registry.refresh();
    const start = time('from', from);
    const monitor = registry.monitorAt(model, start)?.monitor ?? registry.monitorAt(model, clock.now())?.monitor;
    if (monitor === undefined) throw unknown('model', model, '`mlmon monitor list` shows them');
    const newest = registry.shapeFor(model, '', clock.now())?.shape.windows.windowAt(clock.now()).start ?? clock.now();
    const last = to === null ? newest - 1 : time('to', to);
    const rule = registry.shapeFor(model, '', start)?.shape.windows;
    const end = Math.min(newest, rule === undefined ? last : rule.windowAt(last).end);
    if (end <= start) throw wrong('from', from, 'a time before the newest complete window ends');
    const baseline = await baselineFromCapture(model, monitor, rule?.windowAt(start).start ?? start, end);
    return this.publishBaseline(model, { baseline, version: baseline.version ?? '1', approve: false, by });
  }

  /**
   * `monitor`: that of the model where it is about to be applied too; its field policies decide what of the baseline is stored.
   * @throws ProblemError when there is none and none is published, and for what cannot be brought under its policies
   */
  async publishBaseline(
    model: string,
    { baseline, version, approve, by, monitor: given }: PublishBaselineInput,
  ): Promise<PublishedBaseline> {
    if (baseline?.schema !== 'mlmon.baseline/v1')
      throw wrong('baseline', baseline?.schema, 'a baseline made by `mlmon profile`, schema mlmon.baseline/v1');
    if (baseline.model !== model) throw wrong('baseline.model', baseline.model, model);
    const monitor = given === undefined ? await this.#newestMonitor(model) : monitorFor(model, given);
    compileBoth(monitor, baseline);
    const published = await publishBaseline(this.#publisher, baseline, { model, version, approve, by, monitor });
    return this.#done(
      by,
      'baseline.make',
      { model, version, n: published.n, approved: approve, rows: baseline.rows },
      published,
    );
  }

  async approveBaseline(
    model: string,
    { version, n, by }: { readonly version: string; readonly n: number; readonly by: string },
  ): Promise<PublishedBaseline> {
    const published = await approveBaseline(this.#publisher, { model, version, n, by });
    return this.#done(
      by,
      'baseline.approve',
      { model, version, n, as: published.n, effectiveFrom: published.effectiveFrom },
      published,
    );
  }

  async rollbackBaseline(
    model: string,
    { version, by }: { readonly version: string; readonly by: string },
  ): Promise<PublishedBaseline> {
    const published = await rollbackBaseline(this.#publisher, { model, version, by });
    return this.#done(
      by,
      'baseline.rollback',
      { model, version, as: published.n, effectiveFrom: published.effectiveFrom },
      published,
    );
  }

  async #done<T>(by: string, action: string, details: Readonly<Record<string, unknown>>, answer: T): Promise<T> {
    // This process published it, so it need not wait for its own cache to age: the next event may already be of this model.
    this.#options.registry.invalidate();
    await this.#options.registry.refresh();
    await this.#options.audit.record(by, action, details);
    return answer;
  }

  async #models(): Promise<string[]> {
    await this.#options.registry.refresh();
    return this.#options.registry.models();
  }

  async #newestMonitor(model: string): Promise<Monitor> {
    this.#options.registry.invalidate();
    await this.#options.registry.refresh();
    const monitor = this.#options.registry.timeline(model)?.monitors.at(-1)?.monitor;
    if (monitor === undefined)
      throw unknown(
        'model',
        model,
        'apply its monitor first, or send it along: its field policies decide what of a baseline is stored',
      );
    return monitor;
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

/** @throws ProblemError with every problem of the monitor */
function monitorFor(model: string, input: unknown): Monitor {
  const { monitor, problems } = parseMonitor(input);
  if (monitor === null) throw new ProblemError(problems);
  if (monitor.model !== model) throw wrong('model', monitor.model, `${model}, as in the address`);
  return monitor;
}

/** What nobody could compile would be found out later, and by nobody. */
function compileBoth(monitor: Monitor, baseline: Baseline): void {
  try {
    compileShape(monitor, baseline);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw wrong(
      'baseline',
      error instanceof Error ? error.message : String(error),
      'a baseline made by `mlmon profile`',
    );
  }
}

function emptyState(model: string): EpisodeState {
  return {
    schema: 'mlmon.episodes/v1',
    model,
    appliedThrough: { checkpoint: [], tail: [], settled: { window: 0, performance: 0 } },
    episodes: [],
    acknowledged: {},
    silences: [],
    outbox: [],
  };
}

/** What a test of a channel sends. */
export function testTransition(at: string): Transition {
  return {
    key: `test-${randomUUID().slice(0, 8)}/opened/1`,
    kind: 'opened',
    at,
    runbook: '/runbook#drift',
    link: '/',
    context: [],
    episode: {
      id: 'test',
      model: 'test',
      version: 'test',
      signal: 'drift',
      severity: 'info',
      owner: 'test',
      opened: at,
      closed: null,
      since: at,
      length: '1d',
      features: [],
      summary: 'this is a test of the channel; nothing has happened',
      provisional: false,
    },
  };
}

function time(path: string, text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw wrong(path, text, 'RFC 3339, e.g. 2001-03-05T00:00:00Z');
  return ms;
}

function wrong(path: string, got: unknown, expected: string): ProblemError {
  return new ProblemError([{ code: 'wrong-value', path, message: 'is not valid', got: shown(got), expected }]);
}

function unknown(what: string, got: string, fix: string): ProblemError {
  return new ProblemError([{ code: `unknown-${what}`, path: got, message: `there is no such ${what}`, fix }]);
}
