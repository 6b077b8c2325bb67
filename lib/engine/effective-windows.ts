/**
 * How many independent windows a baseline's windows are worth for one score, for its mean and for its variance: windows of one
 * day share what is peculiar to the day (share q of the variance), and days follow each other (lag-1 correlation r).
 */
export interface EffectiveWindows {
  readonly mean: number;
  readonly variance: number;
}

export interface WindowDays {
  /** Day of each window, in order of time. */
  readonly days: readonly number[];
  readonly distinct: number;
}

const LARGEST_CORRELATION = 0.95;

/** `z`: residuals standardised by sampling noise and the column's moment estimate of τ², in order of time; changed by centring. `byDay`: for windows shorter than a day; else each block is its own. */
export function effectiveWindows(z: Float64Array, byDay: WindowDays | null): EffectiveWindows {
  const blocks = z.length;
  centre(z);
  const perDay = byDay === null ? 1 : blocks / byDay.distinct;
  const count = byDay === null ? blocks : byDay.distinct;
  let q = 1;
  let lag: number;
  if (byDay === null) {
    lag = lagOne(z);
  } else {
    const means = dayMeans(z, byDay.days);
    centre(means);
    const share = ((meanSquare(means) / Math.max(meanSquare(z), 1e-12)) * perDay - 1) / Math.max(perDay - 1, 1);
    q = Math.min(1, Math.max(0, share));
    if (q < (1.6 * Math.sqrt(2 / count)) / perDay) q = 0;
    lag = q > 0 ? lagOne(means) : 0;
  }
  let r = lag > 0 ? Math.min(LARGEST_CORRELATION, lag + (1 + 3 * lag) / count) : 0;
  if (perDay === 1 && !(lag > 1 / Math.sqrt(count))) r = 0;
  const ofMean = (1 + r) / (1 - r);
  const ofVariance = (1 + r * r) / (1 - r * r);
  const designMean = perDay > 1 ? 1 + (perDay * ofMean - 1) * q : ofMean;
  const designVariance = perDay > 1 ? 1 + (perDay * ofVariance - 1) * q * q : ofVariance;
  return { mean: Math.max(blocks / designMean, 1.5), variance: Math.max(blocks / designVariance, 2) };
}

function dayMeans(z: Float64Array, days: readonly number[]): Float64Array {
  const sums = new Map<number, { sum: number; count: number }>();
  days.forEach((day, t) => {
    const cell = sums.get(day) ?? { sum: 0, count: 0 };
    cell.sum += z[t]!;
    cell.count++;
    sums.set(day, cell);
  });
  return Float64Array.from(sums.values(), ({ sum, count }) => sum / count);
}

function centre(values: Float64Array): void {
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += values[t]!;
  for (let t = 0; t < values.length; t++) values[t]! -= sum / values.length;
}

function meanSquare(values: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < values.length; t++) sum += values[t]! ** 2;
  return sum / Math.max(values.length, 1);
}

/** Of centred values; 0 where too few. */
function lagOne(values: Float64Array): number {
  if (values.length <= 3) return 0;
  let cross = 0;
  for (let t = 1; t < values.length; t++) cross += values[t]! * values[t - 1]!;
  return cross / Math.max(meanSquare(values) * values.length, 1e-12);
}
