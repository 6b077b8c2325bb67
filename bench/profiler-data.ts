/** Events of 50 features as a producer of a tabular model sends them, and their baseline: made from a seed, equal every time. */
import type { Baseline, CategoricalBaseline, NumericBaseline } from '../lib/contracts/baseline.ts';
import { type Monitor, parseMonitor } from '../lib/contracts/monitor.ts';

export const NUMERIC_FEATURES = 40;
export const CATEGORICAL_FEATURES = 10;

/** Uniform in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A quarter each: whole numbers, amounts with two decimals, heavy right tails with four, scores with six digits. */
function numericValue(feature: number, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  if (feature % 4 === 0) return Math.floor(random() * 5_000);
  if (feature % 4 === 1) return Math.round((100 + 25 * normal) * 100) / 100;
  if (feature % 4 === 2) return Math.round(Math.exp(1 + normal) * 10_000) / 10_000;
  return Math.round(random() * 1e6) / 1e6;
}

/** Popular categories are more frequent: 20 of them, with names of about eight characters. */
function categoryValue(feature: number, random: () => number): string {
  return `cat-${feature}-${String(Math.floor(20 * random() ** 2)).padStart(2, '0')}`;
}

export interface BenchEvent {
  readonly id: string;
  readonly numeric: Record<string, number | null>;
  readonly categorical: Record<string, string>;
  readonly line: string;
}

/** One value in fifty is missing. */
export function benchEvents(count: number, seed: number): BenchEvent[] {
  const random = seeded(seed);
  const hex = (length: number) => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
  return Array.from({ length: count }, (_, row) => {
    const numeric: Record<string, number | null> = {};
    for (let i = 0; i < NUMERIC_FEATURES; i++)
      numeric[numericName(i)] = random() < 0.02 ? null : numericValue(i, random);
    const categorical: Record<string, string> = {};
    for (let i = 0; i < CATEGORICAL_FEATURES; i++)
      if (random() >= 0.02) categorical[categoricalName(i)] = categoryValue(i, random);
    const id = `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`;
    const time = new Date(Date.UTC(2001, 1, 1, 10) + row * 37).toISOString();
    const score = Math.round(random() * 1e4) / 1e4;
    const line = JSON.stringify({
      id,
      type: 'inference',
      model: 'bench',
      version: '7',
      time,
      numeric,
      categorical,
      score,
      predicted: score > 0.5 ? 'yes' : 'no',
      latency_ms: Math.round(1_000 * Math.exp(2 + random())) / 1_000,
    });
    return { id, numeric, categorical, line };
  });
}

export const numericName = (i: number): string => `feature_${String(i).padStart(2, '0')}`;
export const categoricalName = (i: number): string => `group_${String(i).padStart(2, '0')}`;

export function benchMonitor(): Monitor {
  const { monitor, problems } = parseMonitor({ model: 'bench', task: 'binary-classification', positive: 'yes' });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

/** 256 equi-depth bins and the tail quantiles, from `rows` events. */
export function benchBaseline(rows: number, seed: number): Baseline {
  const events = benchEvents(rows, seed);
  const parsed = events.map(({ line }) => JSON.parse(line) as { score: number; predicted: string });
  const columns = [
    ...Array.from({ length: NUMERIC_FEATURES }, (_, i) =>
      numericBaseline(numericName(i), 'feature', present(events.map(({ numeric }) => numeric[numericName(i)]))),
    ),
    ...Array.from({ length: CATEGORICAL_FEATURES }, (_, i) =>
      categoricalBaseline(
        categoricalName(i),
        'feature',
        present(events.map(({ categorical }) => categorical[categoricalName(i)])),
      ),
    ),
    numericBaseline(
      'score',
      'score',
      parsed.map(({ score }) => score),
    ),
    categoricalBaseline(
      'predicted',
      'prediction',
      parsed.map(({ predicted }) => predicted),
    ),
  ];
  return {
    schema: 'mlmon.baseline/v1',
    model: 'bench',
    version: '7',
    source: { kind: 'file', name: 'bench', from: null, to: null },
    rows,
    window: null,
    columns,
    volume: null,
    performance: null,
    findings: [],
  };
}

function present<T>(values: readonly (T | null | undefined)[]): T[] {
  return values.filter((value): value is T => value !== null && value !== undefined);
}

function numericBaseline(name: string, role: 'feature' | 'score', values: readonly number[]): NumericBaseline {
  const sorted = Float64Array.from(values).sort();
  const at = (p: number) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]!;
  const levels = [...Array.from({ length: 256 }, (_, i) => i / 256), 0.001, 0.01, 0.99, 0.999];
  const last = sorted.at(-1)!;
  const edges = [...new Set([...levels.map(at), last + Math.abs(last) * 2 ** -50])].sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return {
    name,
    type: 'numeric',
    role,
    count: values.length,
    missing: 0,
    nonFinite: 0,
    mean,
    std,
    min: sorted[0]!,
    max: last,
    integer: values.every(Number.isInteger),
    center: mean,
    unit: 2 ** Math.floor(Math.log2(std / 2 ** 16)),
    bins: {
      edges,
      verdictBin: Array.from({ length: edges.length + 1 }, (_, i) => Math.floor((i * 14) / edges.length)),
    },
    counts: new Array<number>(edges.length + 1).fill(0),
    calibration: null,
  };
}

function categoricalBaseline(
  name: string,
  role: 'feature' | 'prediction',
  values: readonly string[],
): CategoricalBaseline {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const categories = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)!);
  return {
    name,
    type: 'categorical',
    role,
    count: values.length,
    missing: 0,
    categories,
    counts: categories.map((category) => counts.get(category)!),
    other: 0,
    distinct: categories.length,
    verdictBin: categories.map((_, i) => i),
    calibration: null,
  };
}
