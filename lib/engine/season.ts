/**
 * The season of a score: what repeats by hour of day, at weekends or by day of week, by weighted least squares on the
 * baseline's windows. Each score chooses its own model by BIC; terms of days are chosen on daily means, since hours of one day
 * are no independent witnesses of it.
 */
import type { LocalTime } from './local-clock.ts';

/** Fitted deviations of a score, added up. Absent terms are left out. */
export interface Season {
  readonly base: number;
  /** 24 of them, hours never seen 0. */
  readonly hour?: readonly number[];
  /** 7 of them, from Monday. */
  readonly weekday?: readonly number[];
}

type DayTerm = '' | 'weekend' | 'weekday';
interface Model {
  readonly hour: boolean;
  readonly day: DayTerm;
}

export interface SeasonRows {
  readonly times: readonly LocalTime[];
  /** Positive weight of each window. */
  readonly weights: Float64Array;
  /** Windows shorter than a day. */
  readonly intraday: boolean;
  /** Distinct days. */
  readonly days: number;
}

const HOUR_DAYS = 14;
const WEEKDAY_DAYS = 28;
/** BIC is better only by more than rounding. */
const BETTER = 1e-9;
/** Relative ridge: keeps cells that never occur at nothing. */
const RIDGE = 1e-10;

/** `scores[j][t]`: score j in window t. */
export function fitSeasons(scores: readonly Float64Array[], rows: SeasonRows): Season[] {
  const hours = rows.intraday && rows.days >= HOUR_DAYS ? choose(scores, rows, ['', 'hour']) : scores.map(() => '');
  const days = rows.days >= WEEKDAY_DAYS ? chooseDayTerms(scores, rows) : scores.map((): DayTerm => '');
  const designs = new Map<string, Solver>();
  return scores.map((values, j) => {
    const model: Model = { hour: hours[j] === 'hour', day: days[j]! };
    const key = `${model.hour}/${model.day}`;
    let solver = designs.get(key);
    if (solver === undefined) {
      solver = new Solver(rows.times, rows.weights, model);
      designs.set(key, solver);
    }
    return solver.season(solver.fit(values));
  });
}

export function seasonAt(season: Season, time: LocalTime): number {
  return season.base + (season.hour?.[time.hour] ?? 0) + (season.weekday?.[time.weekday] ?? 0);
}

/** Parameters beside the constant: what the fit cost in freedom. Of a block of a day or longer, hours cost nothing. */
export function seasonParameters(season: Season, ofWindows: boolean): number {
  const hours = season.hour === undefined || !ofWindows ? 0 : season.hour.filter((value) => value !== 0).length;
  if (season.weekday === undefined) return hours;
  const weekend = season.weekday.slice(0, 5).every((value) => value === 0);
  return hours + (weekend ? 1 : 6);
}

function choose(scores: readonly Float64Array[], rows: SeasonRows, terms: readonly ('' | 'hour')[]): ('' | 'hour')[] {
  const solvers = terms.map((term) => new Solver(rows.times, rows.weights, { hour: term === 'hour', day: '' }));
  return scores.map((values) => terms[leastBic(values, solvers)]!);
}

function chooseDayTerms(scores: readonly Float64Array[], rows: SeasonRows): DayTerm[] {
  const index = new Map<number, number>();
  const times: LocalTime[] = [];
  const place = rows.times.map((time) => {
    let at = index.get(time.day);
    if (at === undefined) {
      at = times.push({ ...time, hour: 0 }) - 1;
      index.set(time.day, at);
    }
    return at;
  });
  const weights = new Float64Array(times.length);
  place.forEach((at, t) => {
    weights[at]! += rows.weights[t]!;
  });
  const terms: readonly DayTerm[] = ['', 'weekend', 'weekday'];
  const solvers = terms.map((day) => new Solver(times, weights, { hour: false, day }));
  return scores.map((values) => {
    const means = new Float64Array(times.length);
    place.forEach((at, t) => {
      means[at]! += (rows.weights[t]! * values[t]!) / weights[at]!;
    });
    return terms[leastBic(means, solvers)]!;
  });
}

function leastBic(values: Float64Array, solvers: readonly Solver[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  solvers.forEach((solver, i) => {
    const residual = solver.meanSquare(values, solver.fit(values));
    const bic = values.length * Math.log(residual + 1e-300) + solver.parameters * Math.log(values.length);
    if (bic < least - BETTER) {
      least = bic;
      best = i;
    }
  });
  return best;
}

/** Least squares on one set of dummies; its normal equations are factored once for all scores. */
class Solver {
  /** Parameters that occur in the data, the constant included. */
  readonly parameters: number;
  private readonly model: Model;
  private readonly weights: Float64Array;
  /** For each window the parameters that apply to it, besides the constant (parameter 0). */
  private readonly terms: readonly number[][];
  private readonly factor: Float64Array[];
  private readonly totalWeight: number;

  constructor(times: readonly LocalTime[], weights: Float64Array, model: Model) {
    const firstDay = 1 + (model.hour ? 23 : 0);
    this.model = model;
    this.weights = weights;
    const size = firstDay + (model.day === '' ? 0 : model.day === 'weekend' ? 1 : 6);
    this.terms = times.map(({ hour, weekday }) => {
      const terms: number[] = [];
      if (model.hour && hour > 0) terms.push(hour);
      if (model.day === 'weekend' && weekday >= 5) terms.push(firstDay);
      if (model.day === 'weekday' && weekday > 0) terms.push(firstDay + weekday - 1);
      return terms;
    });
    this.parameters = 1 + new Set(this.terms.flat()).size;
    const normal = Array.from({ length: size }, () => new Float64Array(size));
    let all = 0;
    this.terms.forEach((terms, t) => {
      const weight = weights[t]!;
      all += weight;
      const active = [0, ...terms];
      for (const a of active) for (const b of active) normal[a]![b]! += weight;
    });
    for (let i = 0; i < size; i++) normal[i]![i]! += RIDGE * all;
    this.totalWeight = all;
    this.factor = cholesky(normal);
  }

  fit(values: Float64Array): Float64Array {
    const right = new Float64Array(this.factor.length);
    this.terms.forEach((terms, t) => {
      const product = this.weights[t]! * values[t]!;
      right[0]! += product;
      for (const term of terms) right[term]! += product;
    });
    return solve(this.factor, right);
  }

  meanSquare(values: Float64Array, coefficients: Float64Array): number {
    let sum = 0;
    this.terms.forEach((terms, t) => {
      let predicted = coefficients[0]!;
      for (const term of terms) predicted += coefficients[term]!;
      sum += this.weights[t]! * (values[t]! - predicted) ** 2;
    });
    return sum / this.totalWeight;
  }

  season(coefficients: Float64Array): Season {
    const firstDay = 1 + (this.model.hour ? 23 : 0);
    const season: { base: number; hour?: number[]; weekday?: number[] } = { base: coefficients[0]! };
    if (this.model.hour) season.hour = [0, ...coefficients.subarray(1, 24)];
    if (this.model.day === 'weekday') season.weekday = [0, ...coefficients.subarray(firstDay, firstDay + 6)];
    const weekend = coefficients[firstDay];
    if (this.model.day === 'weekend' && weekend !== undefined) season.weekday = [0, 0, 0, 0, 0, weekend, weekend];
    return season;
  }
}

/** Lower factor of a symmetric, positive definite matrix. */
function cholesky(matrix: readonly Float64Array[]): Float64Array[] {
  const lower = matrix.map((row) => new Float64Array(row.length));
  for (let i = 0; i < lower.length; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]![j]!;
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!;
      if (i === j) lower[i]![i] = Math.sqrt(Math.max(sum, Number.MIN_VALUE));
      else lower[i]![j] = sum / lower[j]![j]!;
    }
  return lower;
}

function solve(lower: readonly Float64Array[], right: Float64Array): Float64Array {
  const x = right.slice();
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i]! -= lower[k]![i]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  return x;
}
