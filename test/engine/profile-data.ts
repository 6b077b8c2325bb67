/** A shape of every kind of column with edges that are easy to miss, events to fold into it, and a plain count of them. */
import fc from 'fast-check';
import type { Baseline, CategoricalBaseline, NumericBaseline } from '../../lib/contracts/baseline.ts';
import { type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { isRejection, type ReadEvent, readLine } from '../../lib/engine/event-reader.ts';
import { compileShape, type Shape } from '../../lib/engine/shape.ts';

/** -5, a heavy value 0 with a bin of its own, and a long tail. */
export const EDGES = [-5, -1, 0, Number.MIN_VALUE, 0.5, 1, 2, 3, 10, 1_000, 1e6];
export const CATEGORIES = ['JFK', 'LAX', 'other', '__proto__', '\ud800', 'a\u0000b', 'x'.repeat(40)];

export function numeric(name: string, extra: Partial<NumericBaseline> = {}): NumericBaseline {
  return {
    name,
    type: 'numeric',
    role: 'feature',
    count: 100,
    missing: 0,
    nonFinite: 0,
    mean: 0,
    std: 1,
    min: -5,
    max: 1e6,
    integer: false,
    center: 0.5,
    unit: 2 ** -10,
    bins: { edges: EDGES, verdictBin: [0, 0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 5] },
    counts: [],
    calibration: null,
    ...extra,
  };
}

export function categorical(name: string, extra: Partial<CategoricalBaseline> = {}): CategoricalBaseline {
  return {
    name,
    type: 'categorical',
    role: 'feature',
    count: 100,
    missing: 0,
    categories: CATEGORIES,
    counts: [],
    other: 0,
    distinct: CATEGORIES.length,
    verdictBin: [0, 1, 2, 2, 2, 2, 2],
    calibration: null,
    ...extra,
  };
}

export function baselineOf(columns: Baseline['columns']): Baseline {
  return {
    schema: 'mlmon.baseline/v1',
    model: 'flights',
    version: '1',
    source: { kind: 'file', name: 'test', from: null, to: null },
    rows: 100,
    window: null,
    columns,
    volume: null,
    performance: null,
    findings: [],
  };
}

export const COLUMNS: Baseline['columns'] = [
  numeric('a'),
  categorical('c'),
  numeric('__proto__', { unit: 2 ** -30, center: 1e5 }),
  categorical('constructor'),
  numeric('score', { role: 'score' }),
  categorical('predicted', { role: 'prediction', categories: ['0', '1'], verdictBin: [0, 1] }),
];

/** `segments`: monitors may not name them yet; profiles keep them already. */
export function shapeOf(
  { segments = [], ...input }: Partial<MonitorInput> & { segments?: readonly { by: string; top?: number }[] } = {},
  baseline: Baseline | null = baselineOf(COLUMNS),
): Shape {
  const { monitor, problems } = parseMonitor({ model: 'flights', ...input });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  const rules = segments.map(({ by, top = 20 }) => ({ by, top, minimumRows: 200 }));
  return compileShape({ ...monitor, segments: rules }, baseline);
}

export type Fields = Readonly<Record<string, unknown>>;

export function lineOf(fields: Fields): string {
  const event = {
    id: 'f-1',
    type: 'inference',
    model: 'flights',
    version: '1',
    time: '2001-02-01T10:05:00Z',
    ...fields,
  };
  // JSON has a negative zero, JSON.stringify writes none.
  const marked = JSON.stringify(event, (_, value: unknown) => (Object.is(value, -0) ? '(negative zero)' : value));
  return marked.replaceAll('"(negative zero)"', '-0');
}

export function eventOf(fields: Fields): ReadEvent {
  const read = readLine(lineOf(fields));
  if (isRejection(read)) throw new Error(`${read.reason}: ${read.detail}`);
  return read;
}

/** An own key named `__proto__` included, which an object literal cannot hold. */
function mapOf<T>(entries: fc.Arbitrary<[string, T]>): fc.Arbitrary<Record<string, T>> {
  return fc.array(entries, { maxLength: 5 }).map((list) => {
    const map: Record<string, T> = {};
    for (const [name, value] of list)
      Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
    return map;
  });
}

const name = fc.constantFrom('a', '__proto__', 'c', 'constructor', 'new', 'new2', 'valueOf');
const number = fc.oneof(
  fc.constantFrom(...EDGES, -0, 1e308, -1e308, 5e-324, 1e-310, -6, 2e6, 99_999.9),
  fc.double({ min: -10, max: 20, noNaN: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const wrong = fc.constantFrom<unknown>(null, true, 'text', '7', {}, []);
const category = fc.oneof(
  fc.constantFrom(...CATEGORIES),
  fc.string({ maxLength: 3, unit: 'binary' }),
  fc.integer({ min: 0, max: 200 }).map((i) => `unseen-${i}`),
);

/** What may come in a line of the log: all but few are as they should be. */
export const fieldsArbitrary: fc.Arbitrary<Fields> = fc.record(
  {
    id: fc.integer({ min: 0, max: 3_000 }).map((i) => `f-${i}`),
    numeric: mapOf(fc.tuple(name, fc.oneof({ weight: 6, arbitrary: number }, { weight: 1, arbitrary: wrong }))),
    categorical: mapOf(
      fc.tuple(name, fc.oneof({ weight: 6, arbitrary: category }, { weight: 1, arbitrary: fc.constantFrom(null, 5) })),
    ),
    invalid: mapOf(fc.tuple(name, fc.string({ maxLength: 3 }))),
    segment: fc.record({ carrier: category }),
    score: fc.option(number),
    predicted: fc.oneof(fc.constantFrom(null, '0', '1', 0, 1, 2.5), category),
    latency_ms: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
    weight: fc.constantFrom(1, 1, 1, 2, 3.5, 0.01, 10_000),
  },
  { requiredKeys: ['id'] },
);

/** The same without weights. */
export const plainFieldsArbitrary = fieldsArbitrary.map(({ weight: _, ...rest }) => rest);
