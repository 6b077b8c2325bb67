/**
 * The model: the probability that a flight arrives more than 15 minutes late. A logistic regression on four inputs
 * (departure hour, origin and destination as their log-odds in January, logarithm of the distance), fitted by Newton's
 * method. Deterministic: the same flights give the same weights.
 */
import { type Flight, LATE_AFTER } from './flights.ts';

export interface Inputs {
  /** Miles, as the model was trained. */
  readonly distance: number | null;
  readonly hour: number;
  readonly origin: string | null;
  readonly destination: string | null;
}

export interface Model {
  readonly version: string;
  readonly weights: readonly number[];
  readonly logOdds: {
    readonly hour: Readonly<Record<string, number>>;
    readonly origin: Readonly<Record<string, number>>;
    readonly destination: Readonly<Record<string, number>>;
  };
  /** Log-odds of being late over all flights: stands in for what is unknown. */
  readonly prior: number;
  /** Predicted late from this probability on: the one at which as many are predicted late as are. */
  readonly cutoff: number;
}

/** Flights that a rate is shrunk towards the prior by. */
const SHRINKAGE = 200;
const ITERATIONS = 8;
const TYPICAL_DISTANCE = 600;

export function inputsOf(flight: Flight): Inputs {
  return {
    distance: flight.distance,
    hour: new Date(flight.departure).getUTCHours(),
    origin: flight.origin,
    destination: flight.destination,
  };
}

export function train(flights: readonly Flight[]): Model {
  const late = Float64Array.from(flights, (flight) => (flight.delay > LATE_AFTER ? 1 : 0));
  const share = late.reduce((sum, one) => sum + one, 0) / late.length;
  const inputs = flights.map(inputsOf);
  const untrained: Model = {
    version: '1',
    weights: [0, 0, 0, 0, 0],
    logOdds: {
      hour: logOdds(
        inputs.map(({ hour }) => String(hour)),
        late,
        share,
      ),
      origin: logOdds(
        inputs.map(({ origin }) => origin ?? ''),
        late,
        share,
      ),
      destination: logOdds(
        inputs.map(({ destination }) => destination ?? ''),
        late,
        share,
      ),
    },
    prior: Math.log(share / (1 - share)),
    cutoff: 0.5,
  };
  const rows = inputs.map((one) => regressors(untrained, one));
  const fitted = { ...untrained, weights: newton(rows, late) };
  const sorted = Float64Array.from(inputs, (one) => score(fitted, one)).sort();
  return { ...fitted, cutoff: sorted[Math.floor(sorted.length * (1 - share))] ?? 0.5 };
}

/** Probability of being late, 0..1. */
export function score(model: Model, inputs: Inputs): number {
  const z = regressors(model, inputs).reduce((sum, x, i) => sum + x * (model.weights[i] ?? 0), 0);
  return 1 / (1 + Math.exp(-z));
}

function regressors(model: Model, { distance, hour, origin, destination }: Inputs): number[] {
  const known = (table: Readonly<Record<string, number>>, key: string | null): number =>
    (key !== null && Object.hasOwn(table, key) ? table[key] : undefined) ?? model.prior;
  return [
    1,
    known(model.logOdds.hour, String(hour)) - model.prior,
    known(model.logOdds.origin, origin) - model.prior,
    known(model.logOdds.destination, destination) - model.prior,
    Math.log((distance ?? TYPICAL_DISTANCE) / TYPICAL_DISTANCE),
  ];
}

function logOdds(keys: readonly string[], late: Float64Array, share: number): Record<string, number> {
  const counts = new Map<string, { rows: number; late: number }>();
  keys.forEach((key, i) => {
    const count = counts.get(key) ?? { rows: 0, late: 0 };
    count.rows++;
    count.late += late[i] ?? 0;
    counts.set(key, count);
  });
  return Object.fromEntries(
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, count]) => {
        const p = (count.late + SHRINKAGE * share) / (count.rows + SHRINKAGE);
        return [key, Math.log(p / (1 - p))];
      }),
  );
}

/** Weights that maximise the likelihood. */
function newton(rows: readonly (readonly number[])[], late: Float64Array): number[] {
  const k = rows[0]?.length ?? 0;
  let weights = new Array<number>(k).fill(0);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const gradient = new Array<number>(k).fill(0);
    const hessian = Array.from({ length: k }, (_, i) =>
      Array.from({ length: k }, (_, j): number => (i === j ? 1e-6 : 0)),
    );
    rows.forEach((row, n) => {
      let z = 0;
      for (let i = 0; i < k; i++) z += (row[i] ?? 0) * (weights[i] ?? 0);
      const p = 1 / (1 + Math.exp(-z));
      const error = (late[n] ?? 0) - p;
      const weight = p * (1 - p);
      for (let i = 0; i < k; i++) {
        const x = row[i] ?? 0;
        gradient[i] = (gradient[i] ?? 0) + error * x;
        const line = hessian[i];
        if (line !== undefined) for (let j = 0; j <= i; j++) line[j] = (line[j] ?? 0) + weight * x * (row[j] ?? 0);
      }
    });
    for (let i = 0; i < k; i++) for (let j = 0; j < i; j++) hessian[j]![i] = hessian[i]![j] ?? 0;
    const step = solve(hessian, gradient);
    weights = weights.map((w, i) => w + (step[i] ?? 0));
  }
  return weights;
}

/** Gauss–Jordan elimination with pivoting, for a handful of unknowns. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  const k = rows.length;
  for (let column = 0; column < k; column++) {
    let pivot = column;
    for (let i = column + 1; i < k; i++) if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const head = rows[column]!;
    for (let i = 0; i < k; i++) {
      if (i === column) continue;
      const factor = rows[i]![column]! / head[column]!;
      for (let j = column; j <= k; j++) rows[i]![j]! -= factor * head[j]!;
    }
  }
  return rows.map((row, i) => row[k]! / row[i]!);
}
