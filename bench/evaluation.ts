/**
 * What it costs to evaluate a window of 50 features: decode and merge the profiles of its grains, then the whole verdict (for each
 * column the calibrated test, and PSI and Jensen-Shannon beside it; quality, volume, latency). Compared with profiling 1,000 events
 * of the same features (decode base64, read, check, fold), by processor time, in turn, in one run.
 *
 *   node --import tsx bench/evaluation.ts [rounds]
 */
import { readRecord } from '../lib/engine/event-reader.ts';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { judgeWindow } from '../lib/engine/verdict.ts';
import { BASELINE_START, calibratedBaseline, HOUR, profileOf, recordsOf } from './evaluation-data.ts';
import { compare, processorSeconds, tell } from './measurement.ts';
import { type BenchEvent, benchEvents, benchMonitor } from './profiler-data.ts';

const ROUNDS = Number(process.argv[2] ?? 25);
const EVENTS = 1_000;
/** Different windows: no two of equal size. */
const WINDOWS = 12;
const command = 'node --import tsx bench/evaluation.ts';

const text = (line: string): void => void process.stdout.write(`${line}\n`);

const monitor = { ...benchMonitor(), window: { ...benchMonitor().window, every: '1h' } };
const baseline = calibratedBaseline(benchEvents(28 * 24 * 60, 1), { rowsPerWindow: 60, traffic: EVENTS });
const shape = compileShape(monitor, baseline);
const scales = shape.windows.scales.map(({ name }) => name);
const reference = recordsOf(benchEvents(EVENTS, 3)).map((record) => Buffer.from(record).toString('base64'));

/** Encoded profiles of the grains (or of the partitions' packs of one grain) of one window. */
interface Window {
  readonly start: number;
  readonly end: number;
  readonly scale: number;
  readonly profiles: readonly Uint8Array[];
}

function windows(hours: number, parts: number, { drifted = false } = {}): Window[] {
  const rows = (hours * EVENTS) / parts;
  const scale = scales.indexOf(hours === 1 ? '1h' : '1d');
  return Array.from({ length: WINDOWS }, (_, w) => {
    const start = BASELINE_START + (28 + w) * 24 * HOUR;
    const sizes = Array.from({ length: parts }, (_, part) => rows - (((w + 1) * 7 + part) % 40));
    const profiles = sizes.map((size, part) => {
      const events = benchEvents(size, 1_000 + 100 * w + part);
      return profileOf(shape, recordsOf(drifted ? events.map(drift) : events)).encode();
    });
    return { start, end: start + hours * HOUR, scale, profiles };
  });
}

/** Numbers a third larger, half of the categories turned into one. */
function drift({ line }: BenchEvent): { line: string } {
  const event = JSON.parse(line) as Omit<BenchEvent, 'line'>;
  const numeric = Object.entries(event.numeric).map(([name, value]) => [name, value === null ? null : (4 / 3) * value]);
  const categorical = Object.entries(event.categorical).map(([name, value]) => [name, value.replace(/[1-9]$/, '0')]);
  const changed = { numeric: Object.fromEntries(numeric), categorical: Object.fromEntries(categorical) };
  return { line: JSON.stringify({ ...event, ...changed }) };
}

function evaluate({ start, end, scale, profiles }: Window): string {
  const profile = new Profile(shape);
  for (const bytes of profiles) profile.merge(Profile.decode(bytes, shape));
  const verdict = judgeWindow({ shape, profile, scale: { index: scale, start, end } });
  if (verdict.features.length !== shape.columns.length || verdict.features.some(({ status }) => status === 'failed'))
    throw new Error(`the window was not judged: ${verdict.status} ${verdict.reason}`);
  return verdict.status;
}

function profileEvents(): number {
  const profile = new Profile(shape);
  for (const record of reference)
    readRecord(
      Buffer.from(record, 'base64'),
      (event) => profile.fold(event),
      ({ reason, detail }) => {
        throw new Error(`${reason}: ${detail}`);
      },
    );
  return profile.rows;
}

const cases = [
  { measure: 'one hour, 1 profile of 1,000 rows', windows: windows(1, 1) },
  {
    measure: 'the same with every feature drifted, the worst case',
    windows: windows(1, 1, { drifted: true }),
    worst: true,
  },
  { measure: 'one hour, 4 profiles of 250 rows', windows: windows(1, 4) },
  { measure: 'one day, 24 profiles of 1,000 rows', windows: windows(24, 24) },
];

const [first] = cases[0]?.windows ?? [];
if (first === undefined) throw new Error('no window');
const cold = await processorSeconds(() => evaluate(first));
text(`${shape.columns.length} columns; scales ${scales.join(', ')}; ${ROUNDS} rounds of ${WINDOWS} windows`);
text(`The first window after a start, nothing compiled yet: ${(1_000 * cold).toFixed(0)} ms`);
for (const { measure, windows: all, worst } of cases) {
  const tally = new Map<string, number>();
  const result = await compare(
    ROUNDS,
    () => {
      for (const window of all) {
        const status = evaluate(window);
        tally.set(status, (tally.get(status) ?? 0) + 1);
      }
    },
    () => {
      for (let i = 0; i < WINDOWS; i++) profileEvents();
    },
  );
  const ours = (1_000 * result.ours) / WINDOWS;
  const other = (1_000 * result.reference) / WINDOWS;
  text(
    `${measure}: ${ours.toFixed(2)} ms a window, ${other.toFixed(2)} ms for ${EVENTS} events, ratio ${result.ratio.toFixed(2)} ± ${result.noise.toFixed(2)} (${[...tally].map(([status, n]) => `${status} ${n}`).join(', ')})`,
  );
  tell({
    benchmark: 'evaluation',
    measure: `a window of 50 features evaluated: ${measure}`,
    ours,
    reference: other,
    against: `profiling ${EVENTS.toLocaleString('en')} events of the same features`,
    ratio: result.ratio,
    unit: 'ms of processor time',
    target: worst ? null : 'ratio ≤ 1.00',
    met: worst ? null : result.ratio <= 1,
    noise: result.noise,
    command,
  });
}
