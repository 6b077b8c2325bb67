/**
 * What every benchmark tells: for people some lines of text, for bench/run.ts one JSON line a measurement. And how two pieces of
 * work are compared: by processor time, in turn, in one process.
 */

export interface Measurement {
  /** Name of the benchmark: its file without `.ts`. */
  readonly benchmark: string;
  /** What was measured, in words, under which conditions. */
  readonly measure: string;
  /** Both in `unit`; `reference` is `null` where nothing is compared. */
  readonly ours: number;
  readonly reference: number | null;
  /** What `reference` is. */
  readonly against?: string;
  /** ours / reference. */
  readonly ratio: number | null;
  readonly unit: string;
  /** In words, or `null` where none was set. */
  readonly target: string | null;
  readonly met: boolean | null;
  /** Half the distance between the quartiles of the rounds, relative to their median; `null` for a single measurement. */
  readonly noise: number | null;
  readonly command: string;
}

export function tell(measurement: Measurement): void {
  process.stdout.write(`${JSON.stringify(measurement)}\n`);
}

/** `null` for a line that is text. */
export function readMeasurement(line: string): Measurement | null {
  return line.startsWith('{"benchmark":') ? (JSON.parse(line) as Measurement) : null;
}

/** The value at a quantile, between neighbours linearly. NaN without values. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = at * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Half the distance between the quartiles, relative to the median. */
export function noiseOf(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}

/** Processor seconds of this process while `work` ran, all its threads together: other processes make no difference but through the caches. */
export async function processorSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

export interface Compared {
  /** Medians, processor seconds a round. */
  readonly ours: number;
  readonly reference: number;
  /** Median of the rounds' own ratios, ours / reference. */
  readonly ratio: number;
  readonly noise: number;
}

/** Runs both in turn, which of them first alternating, after `warmUp` rounds that do not count. */
export async function compare(
  rounds: number,
  ours: () => unknown,
  reference: () => unknown,
  warmUp = 3,
): Promise<Compared> {
  const own: number[] = [];
  const other: number[] = [];
  for (let round = -warmUp; round < rounds; round++) {
    const both = [0, 0];
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0])
      both[which] = await processorSeconds(which === 0 ? ours : reference);
    if (round < 0) continue;
    own.push(both[0] ?? 0);
    other.push(both[1] ?? 0);
  }
  const ratios = own.map((seconds, i) => seconds / (other[i] ?? Number.NaN));
  return { ours: median(own), reference: median(other), ratio: median(ratios), noise: noiseOf(ratios) };
}
