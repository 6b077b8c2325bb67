/** A baseline like one of real traffic, calibrated on its own hourly windows, made by the engine's own maker from seeded events. */
import type { Baseline, ColumnBaseline } from '../lib/contracts/baseline.ts';
import { columnBaseline, makeBaseline } from '../lib/engine/baseline-maker.ts';
import { calibrate } from '../lib/engine/calibration.ts';
import { readRecord } from '../lib/engine/event-reader.ts';
import type { ValueStep } from '../lib/engine/numeric-bins.ts';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape, type Shape } from '../lib/engine/shape.ts';
import { type BenchEvent, benchMonitor } from './profiler-data.ts';

export const HOUR = 3_600_000;
/** A Monday. */
export const BASELINE_START = Date.UTC(2001, 0, 1);

/**
 * Calibrated on one hour every `rowsPerWindow` events. `traffic`: rows an hour that the volume signal expects, when not as many; the
 * null of a column is a function of the window's own size.
 */
export function calibratedBaseline(
  events: readonly BenchEvent[],
  { rowsPerWindow, traffic = rowsPerWindow }: { readonly rowsPerWindow: number; readonly traffic?: number },
): Baseline {
  const plain = plainBaseline(events);
  const shape = compileShape(benchMonitor(), plain);
  const blocks: { readonly start: number; readonly profile: Profile }[] = [];
  for (let from = 0; from + rowsPerWindow <= events.length; from += rowsPerWindow)
    blocks.push({
      start: BASELINE_START + blocks.length * HOUR,
      profile: profileOf(shape, recordsOf(events.slice(from, from + rowsPerWindow))),
    });
  const columns = plain.columns.map((column, index): ColumnBaseline => {
    const counted = blocks.map(({ start, profile }) => ({ start, counts: verdictCounts(column, profile, index) }));
    return { ...column, calibration: calibrate(column, counted, { every: '1h', timezone: 'UTC' }) };
  });
  return {
    ...plain,
    columns,
    window: { every: '1h', timezone: 'UTC', count: blocks.length },
    // A little more and a little less than that, as traffic is.
    volume: { starts: blocks.map(({ start }) => start), rows: blocks.map((_, i) => traffic + ((i * 37) % 41) - 20) },
  };
}

/** Records of 15 lines, as a producer batches them. */
export function recordsOf(events: readonly { readonly line: string }[], lines = 15): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let i = 0; i < events.length; i += lines)
    records.push(
      Buffer.from(
        `${events
          .slice(i, i + lines)
          .map(({ line }) => line)
          .join('\n')}\n`,
      ),
    );
  return records;
}

/** Reads, checks and folds. */
export function profileOf(shape: Shape, records: readonly Uint8Array[]): Profile {
  const profile = new Profile(shape);
  for (const record of records)
    readRecord(
      record,
      (event) => profile.fold(event),
      ({ reason, detail }) => {
        throw new Error(`${reason}: ${detail}`);
      },
    );
  return profile;
}

function plainBaseline(events: readonly BenchEvent[]): Baseline {
  const rows = events.length;
  const first = events[0];
  if (first === undefined) throw new RangeError('calibratedBaseline: no events');
  const outputs = events.map(({ line }) => JSON.parse(line) as { score: number; predicted: string });
  const columns = [
    ...Object.keys(first.numeric).map((name) =>
      numbers(
        name,
        'feature',
        events.map(({ numeric }) => numeric[name]),
        rows,
      ),
    ),
    ...namesOf(events).map((name) =>
      words(
        name,
        'feature',
        events.map(({ categorical }) => categorical[name]),
        rows,
      ),
    ),
    numbers(
      'score',
      'score',
      outputs.map(({ score }) => score),
      rows,
    ),
    words(
      'predicted',
      'prediction',
      outputs.map(({ predicted }) => predicted),
      rows,
    ),
  ];
  const source = { kind: 'file', name: 'bench', from: null, to: null } as const;
  const parts = { model: 'bench', version: '7', source, rows, window: null, volume: null, performance: null };
  return makeBaseline({ ...parts, columns, findings: [] });
}

function namesOf(events: readonly BenchEvent[]): string[] {
  return [...new Set(events.flatMap(({ categorical }) => Object.keys(categorical)))].sort();
}

function numbers(
  name: string,
  role: 'feature' | 'score',
  all: readonly (number | null | undefined)[],
  rows: number,
): ColumnBaseline {
  const values = Float64Array.from(all.filter((value) => value !== null && value !== undefined)).sort();
  const steps: ValueStep[] = [];
  for (let i = 0; i < values.length; ) {
    let next = i + 1;
    while (values[next] === values[i]) next++;
    steps.push({ value: values[i] ?? 0, count: next - i, before: i });
    i = next;
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return columnBaseline({
    type: 'numeric',
    name,
    role,
    rows,
    missing: rows - values.length,
    nonFinite: 0,
    integer: values.every(Number.isInteger),
    mean,
    std,
    distinct: steps.length,
    steps,
  });
}

function words(
  name: string,
  role: 'feature' | 'prediction',
  all: readonly (string | undefined)[],
  rows: number,
): ColumnBaseline {
  const counts = new Map<string, number>();
  for (const value of all) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  const top = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const missing = all.filter((value) => value === undefined).length;
  return columnBaseline({ type: 'categorical', name, role, rows, missing, distinct: top.length, top });
}

/** Rows of one window in the column's verdict bins, then those without a value. */
function verdictCounts(column: ColumnBaseline, profile: Profile, index: number): number[] {
  const { bins, missing, nonFinite } = profile.column(index);
  const binOf = column.type === 'numeric' ? column.bins.verdictBin : column.verdictBin;
  const counts = new Array<number>(Math.max(-1, ...binOf) + 1).fill(0);
  for (let i = 0; i < bins.length; i++) counts[binOf[i] ?? 0] = (counts[binOf[i] ?? 0] ?? 0) + (bins[i] ?? 0);
  return [...counts, missing + nonFinite];
}
