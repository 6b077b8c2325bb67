/**
 * Makes the baseline of models whose monitors say `baseline.learn`: when the first days with events are over (event time, lateness and
 * all), leaves out the windows that stand out, has the baseline made of what was captured, and publishes it, in force and provisional.
 *
 * One baseline, whenever it is killed and however many run: what is made of is written down first (put-if-unchanged), and what is published
 * bears the name of that, so doing it again finds it there.
 */
import type { Baseline, PublishedBaseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import type { LearningHold, LearningPlan, LearningState } from '../contracts/learning.ts';
import { LEAST_LEARNED_WINDOWS } from '../contracts/learning-limits.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { stamp } from '../contracts/object-keys.ts';
import { formatProblem, type Problem, ProblemError } from '../contracts/problem.ts';
import { type Sorted, type StandingOut, sortOut } from '../engine/standing-out.ts';
import type { AuditLog } from './audit.ts';
import type { CaptureReach } from './capture-reach.ts';
import { loadEvaluation } from './evaluation-state.ts';
import { type Learning, learningOf, moveLearning, readLearning } from './learning-state.ts';
import { firstGrain, seenDays } from './learning-windows.ts';
import type { PackReader } from './pack-reader.ts';
import { type PublisherOptions, publishBaseline } from './publisher.ts';
import type { Registry } from './registry.ts';

/** A stretch of event time, milliseconds: [from, to). */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface LearningRequest {
  readonly model: string;
  readonly monitor: Monitor;
  readonly version: string;
  readonly span: Stretch;
  readonly leaveOut: readonly Stretch[];
}

export interface LearnerOptions extends PublisherOptions {
  readonly registry: Registry;
  readonly reader: PackReader;
  readonly capture: Pick<CaptureReach, 'through'>;
  readonly audit: AuditLog;
  /** A baseline from the capture. @throws ProblemError when none can be made of it */
  readonly make: (request: LearningRequest) => Promise<Baseline>;
}

export interface LearnerOutcome {
  /** Models whose baseline was published. */
  readonly published: number;
  /** Model and what kept it from being looked at. */
  readonly failed: ReadonlyMap<string, Error>;
}

/** How long windows that were judged in part are waited for. */
const STALLED_MS = 24 * 3_600_000;

/** Who decided, where no person did. */
export const LEARNED_BY = 'learning';

export class Learner {
  readonly #options: LearnerOptions;
  /** Models with a baseline, whose state need not be read again. */
  readonly #settled = new Set<string>();

  constructor(options: LearnerOptions) {
    this.#options = options;
  }

  /** Does what is due of all models. Call it again and again. */
  async step(): Promise<LearnerOutcome> {
    const { registry } = this.#options;
    await registry.refresh();
    const failed = new Map<string, Error>();
    let published = 0;
    for (const model of registry.models()) {
      try {
        if (await this.#model(model)) published++;
      } catch (error) {
        failed.set(model, error instanceof Error ? error : new Error(String(error)));
      }
    }
    return { published, failed };
  }

  async #model(model: string): Promise<boolean> {
    const { registry, clock, store } = this.#options;
    if (registry.monitorAt(model, clock.now())?.monitor.baseline.learn === undefined) return false;
    const learning = learningOf(registry, model, clock.now());
    if (learning === null && this.#settled.has(model)) return false;
    const stored = await readLearning(store, model);
    if (learning === null) {
      // Killed between publishing it and writing that down.
      if (stored?.status === 'making') await this.#finish(stored, this.#published(stored));
      this.#settled.add(model);
      return false;
    }
    this.#settled.delete(model);
    const isSame = stored !== null && stored.shape === learning.shape.digest && stored.from >= learning.since;
    let state = isSame ? stored : await this.#begin(model, learning, stored);
    if (state === null || state.status === 'learned') return false;
    if (state.status === 'learning') state = await this.#plan(state, learning);
    return state?.status === 'making' ? this.#make(state, learning) : false;
  }

  /** From the first window that had events. `null` before the first event, and when somebody else began. */
  async #begin(model: string, { shape, since }: Learning, before: LearningState | null): Promise<LearningState | null> {
    const first = await firstGrain(this.#options, model, since);
    if (first === null) return null;
    const window = shape.windows.windowAt(first);
    const from = window.start < since ? window.end : window.start;
    const due = dueOf(from, shape);
    const begun: LearningState = {
      schema: 'mlmon.learning/v1',
      model,
      shape: shape.digest,
      from,
      due,
      until: due,
      status: 'learning',
      hold: null,
      plan: null,
      baseline: null,
    };
    return (await moveLearning(this.#options.store, before, begun)) ? begun : null;
  }

  /** Decides what the baseline is made of, or that learning goes on. `null` while it is not over. */
  async #plan(before: LearningState, { shape }: Learning): Promise<LearningState | null> {
    const { store, capture } = this.#options;
    // A monitor that asks for more or fewer days alone goes on with what there is.
    const due = dueOf(before.from, shape);
    const until = before.hold === null ? due : Math.max(due, before.until);
    const { state: evaluation } = await loadEvaluation(store, before.model);
    const length = shape.windows.scales[0]?.name ?? '';
    if (evaluation === null || (evaluation.through[length] ?? Number.NEGATIVE_INFINITY) < until) return null;
    const complete = until + shape.windows.latenessMs;
    if ((await capture.through()) < complete) return null;
    // Judged without what a partition that stalled still holds: their rows would look like few, and like a window that stands out.
    const isPartial = evaluation.pending.some((one) => one.length === length && !one.complete && one.end <= until);
    if (isPartial && this.#options.clock.now() < complete + STALLED_MS) return null;
    const seen = await seenDays(this.#options, { model: before.model, shape, from: before.from, until });
    const sorted: Sorted =
      seen.compared === null
        ? { kept: [], out: [], unsteady: 0 }
        : sortOut(seen.names, seen.compared, shape.windows.window.timezone);
    const { minimumRows } = shape.monitor.window;
    const isOut = (start: number) => sorted.out.some(({ window }) => start >= window.start && start < window.end);
    const kept = seen.windows.filter(({ start }) => !isOut(start));
    const enough = kept.filter(({ rows }) => rows >= minimumRows).length;
    const now = { ...before, due, until };
    if (enough < LEAST_LEARNED_WINDOWS || seen.version === null)
      return this.#goOn(before, now, shape, {
        reason: 'too-few-rows',
        detail: `${enough} of ${seen.windows.length} windows have ${minimumRows} rows; at least ${LEAST_LEARNED_WINDOWS} are needed`,
      });
    const plan: LearningPlan = {
      version: seen.version,
      rows: seen.rows,
      windows: seen.windows.length,
      unsteady: sorted.unsteady,
      compared: seen.compared !== null,
      leftOut: sorted.out.map((one) => ({ start: one.window.start, end: one.window.end, why: whyOf(one) })),
    };
    const planned: LearningState = { ...now, status: 'making', plan };
    return (await moveLearning(store, before, planned)) ? planned : null;
  }

  async #make(before: LearningState, { shape }: Learning): Promise<boolean> {
    const { model, from, until, plan } = before;
    if (plan === null) throw new Error(`${model}: nothing says what its baseline is to be made of`);
    const id = idOf(before);
    let published: PublishedBaseline;
    try {
      const made = await this.#options.make({
        model,
        monitor: shape.monitor,
        version: plan.version,
        span: { from, to: until },
        leaveOut: plan.leftOut.map(({ start, end }) => ({ from: start, to: end })),
      });
      const baseline: Baseline = {
        ...withoutEmpty(made, plan),
        version: plan.version,
        learned: {
          id,
          leftOut: plan.leftOut.map(({ start, end }) => ({ start: timeText(start), end: timeText(end) })),
        },
      };
      published = await publishBaseline(this.#options, baseline, {
        model,
        version: plan.version,
        by: LEARNED_BY,
        approve: false,
        provisional: true,
        learned: id,
        monitor: shape.monitor,
      });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const detail = error.problems.map(formatProblem).join('; ').slice(0, 500);
      await this.#goOn(before, { ...before, status: 'learning', plan: null }, shape, { reason: 'refused', detail });
      return false;
    }
    await this.#finish(before, published);
    return true;
  }

  /** Writes down that it is there. */
  async #finish(before: LearningState, published: PublishedBaseline | undefined): Promise<void> {
    const { store, audit } = this.#options;
    const { model, from, until, plan } = before;
    // Another one was approved meanwhile.
    if (published === undefined || plan === null) return;
    const { version, n } = published;
    const effectiveFrom = published.effectiveFrom ?? timeText(until);
    const details = { model, version, n, from: timeText(from), to: timeText(until), rows: plan.rows };
    await audit.record(LEARNED_BY, 'baseline.learn', { ...details, effectiveFrom, leftOut: plan.leftOut.length });
    await moveLearning(store, before, {
      ...before,
      status: 'learned',
      hold: null,
      baseline: { version, n, effectiveFrom },
    });
  }

  #published(state: LearningState): PublishedBaseline | undefined {
    const lists = [...(this.#options.registry.timeline(state.model)?.baselines.values() ?? [])];
    return lists.flat().find(({ baseline }) => baseline.learned?.id === idOf(state));
  }

  /** One window more. */
  async #goOn(
    before: LearningState,
    now: LearningState,
    shape: Learning['shape'],
    hold: { readonly reason: LearningHold; readonly detail: string },
  ): Promise<LearningState | null> {
    const next = { ...now, hold, until: shape.windows.windowAt(now.until).end };
    await moveLearning(this.#options.store, before, next);
    return null;
  }
}

/** Of what is learned: the same again after a crash, another one when it is learned anew. */
function idOf({ shape, from, until }: LearningState): string {
  return `${shape}-${stamp(from)}-${stamp(until)}`;
}

function dueOf(from: number, { windows, monitor }: Learning['shape']): number {
  return windows.windowAt(from + durationMs(monitor.baseline.learn ?? '0s') - 1).end;
}

/** Windows that were left out have no rows: that is no traffic of theirs, and nothing to be told of. */
function withoutEmpty(made: Baseline, plan: LearningPlan): Baseline {
  const isOut = (start: number): boolean => plan.leftOut.some((out) => start >= out.start && start < out.end);
  const { volume } = made;
  const told = plan.leftOut.map(({ start }) => timeText(start));
  const findings = made.findings.filter(
    ({ code, message }) => code !== 'anomalous-volume' || !told.some((start) => message.includes(start)),
  );
  return {
    ...made,
    findings: [...findingsOf(plan), ...findings],
    volume:
      volume === null
        ? null
        : {
            starts: volume.starts.filter((start) => !isOut(start)),
            rows: volume.rows.filter((_, i) => !isOut(volume.starts[i] ?? 0)),
          },
  };
}

function findingsOf({ leftOut, unsteady, windows, compared }: LearningPlan): Problem[] {
  const findings: Problem[] = leftOut.map(({ start, why }) => ({
    code: 'left-out-window',
    path: '',
    message: `the window from ${timeText(start)} stands out and is left out`,
    got: why,
    fix: 'if it is usual, make a baseline from windows that have it: `mlmon baseline make`',
  }));
  if (unsteady > 0)
    findings.push({
      code: 'unsteady-learning',
      path: '',
      message: 'so many windows stand out that none is left out',
      got: `${unsteady} of ${windows}`,
      fix: 'look at them before you approve, and learn for longer if traffic was still changing',
    });
  if (!compared)
    findings.push({
      code: 'windows-not-compared',
      path: '',
      message: 'there are too many windows to look for those that stand out',
      got: String(windows),
      fix: 'name 1d among `drift.scales`',
    });
  return findings;
}

function whyOf({ column, size, nearestRows, window }: StandingOut): string {
  return column === null
    ? `${window.rows} rows, where the nearest window of another day has ${nearestRows}`
    : `${column}: distance ${size.toFixed(2)} from the nearest window of another day`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
