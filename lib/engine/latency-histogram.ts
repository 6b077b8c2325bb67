/**
 * Latency in exponential buckets as in OpenTelemetry (data model, exponential histogram), scale 3 throughout:
 * bucket i holds (2^(i/8), 2^((i+1)/8)] milliseconds, so a quantile is known within 4.5 %. Zero has a bucket of its own.
 * Buckets from 2^-10 ms (a microsecond) to 2^30 ms (12 days); what lies beyond is counted in the outermost ones.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';
import type { LatencyCounts } from './column-counts.ts';

export const LATENCY_SCALE = 3;
const PER_OCTAVE = 2 ** LATENCY_SCALE;
export const LATENCY_FIRST = -10 * PER_OCTAVE;
export const LATENCY_LAST = 30 * PER_OCTAVE - 1;
const BUCKETS = LATENCY_LAST - LATENCY_FIRST + 1;

/** 2^(k/8), correctly rounded. Literals, so that every platform has the same boundaries. */
const STEPS: readonly number[] = [
  1,
  1.0905077326652577,
  1.189207115002721,
  1.2968395546510096,
  Math.SQRT2,
  1.542210825407941,
  1.6817928305074292,
  1.8340080864093424,
];

/** Exclusive lower bound of bucket `index` in milliseconds. */
export function latencyBound(index: number): number {
  const octave = Math.floor(index / PER_OCTAVE);
  return STEPS[index - octave * PER_OCTAVE]! * 2 ** octave;
}

/** For each bucket from LATENCY_FIRST on its exclusive lower bound. */
const BOUNDS = Float64Array.from({ length: BUCKETS }, (_, i) => latencyBound(LATENCY_FIRST + i));

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
/** For the first five bits of a mantissa the eighth of an octave it begins in. */
const EIGHTHS = Uint8Array.from({ length: 32 }, (_, i) => STEPS.findLastIndex((step) => step <= 1 + i / 32));

/** Bucket of a latency above 0, within LATENCY_FIRST..LATENCY_LAST. The bits of the double are a guess; the bounds decide. */
export function latencyBucket(ms: number): number {
  double[0] = ms;
  const high = words[HIGH_WORD]!;
  const guess = ((high >>> 20) - 1_023) * PER_OCTAVE + EIGHTHS[(high >>> 15) & 31]! - LATENCY_FIRST;
  let place = guess < 0 ? 0 : guess < BUCKETS ? guess : BUCKETS - 1;
  while (place < BUCKETS - 1 && ms > BOUNDS[place + 1]!) place++;
  while (place > 0 && ms <= BOUNDS[place]!) place--;
  return place + LATENCY_FIRST;
}

export class LatencyHistogram implements LatencyCounts {
  readonly scale = LATENCY_SCALE;
  /** Zero first, then the buckets. */
  private readonly counts = new Float64Array(BUCKETS + 1);

  /** `ms` ≥ 0. */
  add(ms: number): void {
    this.counts[ms > 0 ? latencyBucket(ms) - LATENCY_FIRST + 1 : 0]! += 1;
  }

  merge(other: LatencyHistogram): void {
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += other.counts[i]!;
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  get zero(): number {
    return this.counts[0]!;
  }

  get buckets(): (readonly [index: number, count: number])[] {
    const found: [number, number][] = [];
    for (let i = 1; i < this.counts.length; i++)
      if (this.counts[i]! > 0) found.push([i - 1 + LATENCY_FIRST, this.counts[i]!]);
    return found;
  }

  /** `p` in 0..1: the upper bound of the bucket that holds the value of rank ceil(p·count); `null` without values. */
  quantile(p: number): number | null {
    const count = this.count;
    if (count === 0) return null;
    const rank = Math.min(Math.max(Math.ceil(p * count), 1), count);
    let seen = this.zero;
    if (seen >= rank) return 0;
    for (const [index, inBucket] of this.buckets) {
      seen += inBucket;
      if (seen >= rank) return latencyBound(index + 1);
    }
    return latencyBound(LATENCY_LAST + 1);
  }

  write(writer: ByteWriter): void {
    writer.counts(this.counts);
  }

  static read(reader: ByteReader): LatencyHistogram {
    const histogram = new LatencyHistogram();
    reader.counts(histogram.counts);
    return histogram;
  }
}
