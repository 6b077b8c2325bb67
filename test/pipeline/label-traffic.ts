/** Labelled traffic as it really comes (late, duplicated, contradictory, orphaned, of other versions), and the plain oracle of its results. */
import { expect } from 'vitest';
import type { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { type Monitor, type PublishedMonitor, parseMonitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { PerformanceResult } from '../../lib/contracts/result.ts';
import { beyondAt, checkpointsOf } from '../../lib/engine/checkpoints.ts';
import { performanceResult } from '../../lib/engine/performance.ts';
import { regressionFixedPoint } from '../../lib/engine/performance-numbers.ts';
import { countClassification, countRegression } from '../../lib/engine/performance-rows.ts';
import { compileShape } from '../../lib/engine/shape.ts';
import { DUPLICATE_REACH } from '../../lib/pipeline/label-query.ts';
import type { LabelerModels, LabelerState } from '../../lib/pipeline/labeler.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
export const START = Date.parse('2001-02-01T00:00:00Z');

export function monitorOf(input: Record<string, unknown>): Monitor {
  const { monitor, problems } = parseMonitor(input);
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

export function modelsOf(monitors: readonly Monitor[]): LabelerModels {
  const published = new Map(
    monitors.map((monitor): [string, PublishedMonitor] => [
      monitor.model,
      { n: 1, effectiveFrom: '1970-01-01T00:00:00Z', removed: false, by: 'test', monitor },
    ]),
  );
  const shapes = new Map(monitors.map((monitor) => [monitor.model, compileShape(monitor, null)]));
  return {
    refresh: async () => undefined,
    models: () => [...published.keys()],
    monitorAt: (model) => published.get(model) ?? null,
    timeline: () => ({ nextChange: () => Number.POSITIVE_INFINITY }),
    shapeFor: (model) => {
      const shape = shapes.get(model);
      return shape === undefined ? null : { shape, monitorN: 1, baseline: null };
    },
  };
}

export interface Event {
  type: 'inference' | 'label';
  id: string;
  model: string;
  version?: string;
  time: number;
  /** Absent: the append time. */
  arrival?: number;
  score?: number;
  predicted?: string | number;
  truth?: string | number;
}

export const line = (event: Event): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      ...event,
      time: new Date(event.time).toISOString(),
      arrival: event.arrival === undefined ? undefined : new Date(event.arrival).toISOString(),
    }),
  );

/** What a window's result must say at a cut, from the records alone. */
export function oracle(
  all: readonly (Event & { arrival: number })[],
  monitor: Monitor,
  version: string,
  start: number,
  cut: number,
  mature: boolean,
) {
  const end = start + DAY;
  const until = Math.min(cut, beyondAt({ start, end }, monitor));
  const key = (event: Event & { arrival: number }): string =>
    `${String(event.arrival).padStart(20)} ${String(event.time).padStart(20)} ${event.score === undefined ? '~' : event.score.toFixed(9)} ${event.predicted === undefined ? '~' : String(event.predicted)}`;
  const sorted = all
    .filter(
      (event) =>
        event.model === monitor.model &&
        event.type === 'inference' &&
        event.version === version &&
        event.time <= event.arrival + 5 * MINUTE,
    )
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const rows: { prediction: Event; truths: string[] }[] = [];
  for (const [i, prediction] of sorted.entries()) {
    if (
      prediction.time < start ||
      prediction.time >= end ||
      prediction.arrival >= until ||
      prediction.arrival < start - DUPLICATE_REACH
    )
      continue;
    if (sorted.slice(0, i).some((other) => other.id === prediction.id && other.arrival >= start - DUPLICATE_REACH))
      continue;
    const labels = all
      .filter(
        (event) =>
          event.type === 'label' &&
          event.model === monitor.model &&
          event.id === prediction.id &&
          event.arrival < cut &&
          event.arrival >= start - DUPLICATE_REACH,
      )
      .sort((a, b) => b.arrival - a.arrival || b.time - a.time || (String(a.truth) < String(b.truth) ? 1 : -1));
    rows.push({ prediction, truths: labels.map(({ truth }) => String(truth)) });
  }
  const labelled = rows.filter(({ truths }) => truths.length > 0);
  const coverage = {
    predictions: rows.length,
    labels: labelled.length,
    conflicts: labelled.filter(({ truths }) => new Set(truths).size > 1).length,
  };
  const counts =
    monitor.task === 'regression'
      ? countRegression(
          labelled.map(({ prediction, truths }) => ({
            truth: Number(truths[0]),
            predicted: Number(prediction.predicted ?? Number.NaN),
          })),
          regressionFixedPoint(null),
          coverage,
        )
      : countClassification(
          labelled.map(({ prediction, truths }) => ({
            score: monitor.task === 'binary-classification' ? (prediction.score ?? null) : null,
            truth: truths[0] ?? '',
            predicted: prediction.predicted === undefined ? null : String(prediction.predicted),
          })),
          coverage,
        );
  return { rows: rows.length, judged: performanceResult(counts, monitor, null, { mature, lengthMs: DAY }) };
}

export async function resultsOf(store: MemoryStore, model: string): Promise<PerformanceResult[]> {
  const found: PerformanceResult[] = [];
  for (const key of await store.list(keys.results(model), { limit: 100_000 }))
    found.push(JSON.parse(new TextDecoder().decode((await store.get(key))?.body)) as PerformanceResult);
  return found;
}

export const MONITORS = [
  monitorOf({
    model: 'binary',
    task: 'binary-classification',
    positive: 'yes',
    truth: { horizon: '2d' },
    window: { lateness: '1h', revise: '3d', minimumRows: 1 },
  }),
  monitorOf({
    model: 'number',
    task: 'regression',
    truth: { horizon: '1d' },
    window: { lateness: '2h', revise: '2d', minimumRows: 1 },
  }),
  monitorOf({
    model: 'classes',
    task: 'multiclass-classification',
    truth: { horizon: '1d' },
    window: { lateness: '1h', revise: '1d', minimumRows: 1 },
  }),
];

/** Events in order of append, with late, duplicate, contradictory, early and orphan ones. */
export function traffic(random: () => number, days: number): (Event & { at: number })[] {
  const events: (Event & { at: number })[] = [];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const truthOf = (model: string): string | number =>
    model === 'binary'
      ? pick(['yes', 'no'])
      : model === 'number'
        ? pick([1, 2.5, -3, 0, 1e9, 'n/a'])
        : pick(['a', 'b', "c'", 'd d', 7]);
  for (let i = 0; i < days * 40; i++) {
    const model = pick(MONITORS).model;
    // Few ids, so that they are used again, near and far.
    const id = `${Math.floor(random() * days * 12)}`;
    const time = START + Math.floor(random() * days * DAY);
    const arrival = time + pick([0, MINUTE, 30 * MINUTE, 90 * MINUTE, DAY, 3 * DAY, 6 * DAY, -4 * MINUTE, -HOUR]);
    const prediction: Event & { at: number } = {
      type: 'inference',
      id,
      model,
      version: pick(['1', '2', "v'3"]),
      time,
      at: Math.max(arrival, START) + Math.floor(random() * 20_000),
      ...(random() < 0.9 ? { arrival: Math.max(arrival, START) } : {}),
      ...(random() < 0.9 ? { score: Math.floor(random() * 1001) / 1000 } : {}),
      ...(random() < 0.9 ? { predicted: truthOf(model) } : {}),
    };
    events.push(prediction);
    if (random() < 0.15) {
      const at = prediction.at + pick([0, 10_000, HOUR, 2 * DAY]);
      const arrived = prediction.arrival === undefined ? undefined : at - Math.floor(random() * 30_000);
      events.push({ ...prediction, score: random(), predicted: truthOf(model), at, arrival: arrived });
    }
    const labels = pick([0, 1, 1, 1, 2, 3]);
    let same: { readonly at: number; readonly arrival: number } | null = null;
    for (let j = 0; j < labels; j++) {
      const known = time + pick([HOUR, 5 * HOUR, DAY, 2 * DAY, 4 * DAY, 9 * DAY, -2 * HOUR]);
      const at = Math.max(known, START);
      const arrival = at - Math.floor(random() * 5_000);
      const label = {
        type: 'label' as const,
        id: random() < 0.1 ? `orphan ${i}` : id,
        model,
        time: known,
        truth: truthOf(model),
      };
      // Some arrive at the very moment of the one before, known at another time or said otherwise.
      if (same !== null && random() < 0.5) events.push({ ...label, ...same, time: random() < 0.5 ? known : time });
      else events.push(random() < 0.5 ? { ...label, at, arrival } : { ...label, at });
      same = { at, arrival };
    }
  }
  return events.sort((a, b) => a.at - b.at);
}

/** What a run left in its store, and what it was made from. */
export interface Settled {
  readonly store: MemoryStore;
  /** Every record that was sent, with its arrival. */
  readonly settled: readonly (Event & { arrival: number })[];
  readonly log: { identity(): Promise<string> };
  readonly days: number;
}

/** Compares every result with the oracle; returns how many there were. */
export async function compare({ store, settled, log, days }: Settled): Promise<number> {
  let compared = 0;
  for (const monitor of MONITORS) {
    const results = await resultsOf(store, monitor.model);
    const newest = new Map<string, PerformanceResult>();
    for (const result of results) {
      const cut = Date.parse(result.provenance.inputs[0]?.split(' ').at(-1) ?? '');
      const start = Date.parse(result.start);
      const { judged } = oracle(settled, monitor, result.version, start, cut, result.mature);
      const { status, mature, predictions, labels, coverage, conflicts, metrics, confusion, calibration } = result;
      expect({ status, mature, predictions, labels, coverage, conflicts, metrics, confusion, calibration }).toEqual(
        judged,
      );
      const name = `${result.version} ${result.start}`;
      const known = newest.get(name);
      if (known === undefined || known.provenance.revision < result.provenance.revision) newest.set(name, result);
      compared += 1;
    }
    // In the end every window and version stands as its last checkpoint says.
    for (const version of ['1', '2', "v'3"])
      for (let start = START - DAY; start < START + (days + 1) * DAY; start += DAY) {
        const last = checkpointsOf({ start, end: start + DAY }, monitor).at(-1);
        const { rows, judged } = oracle(settled, monitor, version, start, last?.cut ?? 0, true);
        const result = newest.get(`${version} ${new Date(start).toISOString()}`);
        if (rows === 0) continue;
        expect(result).toMatchObject(judged);
      }
  }
  const state = JSON.parse(
    new TextDecoder().decode((await store.get(keys.labeled(await log.identity())))?.body),
  ) as LabelerState;
  for (const monitor of MONITORS) {
    const { model } = monitor;
    const until = state.orphansThrough[model] ?? 0;
    expect(until).toBeGreaterThan(START + (days + 5) * DAY);
    const back = DAY + (checkpointsOf({ start: 0, end: 0 }, monitor).at(-1)?.cut ?? 0);
    const predictions = settled.filter(
      (event) => event.type === 'inference' && event.model === model && event.time <= event.arrival + 5 * MINUTE,
    );
    const orphans = settled.filter((event) => {
      if (event.type !== 'label' || event.model !== model || event.arrival >= until) return false;
      const day = Math.floor(event.arrival / DAY) * DAY;
      return !predictions.some(
        ({ id, arrival }) => id === event.id && arrival >= day - back && arrival < day + DAY + DUPLICATE_REACH,
      );
    });
    // A label that came twice, alike to its arrival, is one.
    const distinct = new Set(orphans.map(({ id, arrival, time, truth }) => JSON.stringify([id, arrival, time, truth])));
    expect(state.orphans[model] ?? 0).toBe(distinct.size);
    expect(orphans.length).toBeGreaterThan(0);
  }
  return compared;
}
