/** Performance counts from rows of the Query port, merged, and straight from predictions with their labels (reports, tests). */
import {
  type ClassificationCell,
  type ClassificationCounts,
  type CountRow,
  type Coverage,
  type FixedPoint,
  LOG_FLOOR,
  LOG_SQUARE_UNIT,
  type PerformanceCounts,
  REGRESSION_LIMIT,
  RELATIVE_LIMIT,
  type RegressionCell,
  type RegressionCounts,
  SCORE_BINS,
  SCORE_UNIT,
} from './performance-counts.ts';

/** Rows of CLASSIFICATION_COLUMNS, in any order and in several parts. Throws a RangeError that names a column which is absent. */
export function classificationCountsOf(rows: Iterable<CountRow>, coverage: Coverage): ClassificationCounts {
  const cells: ClassificationCell[] = [];
  for (const row of rows) {
    const bin = column(row, 'score_bin');
    const predicted = column(row, 'predicted');
    cells.push({
      scoreBin: bin === null ? null : Number(bin),
      truth: String(column(row, 'truth')),
      predicted: predicted === null ? null : String(predicted),
      weightCode: whole(row, 'weight_code'),
      n: whole(row, 'n'),
      score: whole(row, 'score'),
      scoreSq: whole(row, 'score_sq'),
      lnScore: whole(row, 'ln_score'),
      lnRest: whole(row, 'ln_rest'),
      lnScoreSq: whole(row, 'ln_score_sq'),
      lnRestSq: whole(row, 'ln_rest_sq'),
    });
  }
  return { kind: 'classification', ...coverageOf(coverage), cells: mergedClassification(cells) };
}

/** Rows of REGRESSION_COLUMNS made with this fixed point. */
export function regressionCountsOf(
  rows: Iterable<CountRow>,
  fixedPoint: FixedPoint,
  coverage: Coverage,
): RegressionCounts {
  const cells: RegressionCell[] = [];
  for (const row of rows) {
    const text = (name: string): string => String(column(row, name) ?? 0);
    cells.push({
      weightCode: whole(row, 'weight_code'),
      n: whole(row, 'n'),
      clamped: whole(row, 'clamped'),
      nonzero: whole(row, 'nonzero'),
      e: text('e'),
      eAbs: text('e_abs'),
      e2: text('e2'),
      e4: text('e4'),
      y: text('y'),
      y2: text('y2'),
      y3: text('y3'),
      y4: text('y4'),
      e2y: text('e2y'),
      e2y2: text('e2y2'),
      r: text('r'),
      r2: text('r2'),
    });
  }
  const { center, unit } = fixedPoint;
  return { kind: 'regression', center, unit, ...coverageOf(coverage), cells: mergedRegression(cells) };
}

/**
 * Sums of two counts of one task: commutative and associative, byte-equal whatever the order. Throws a RangeError when the tasks or
 * the fixed points differ: such counts belong to different baselines and have no sum.
 */
export function mergePerformanceCounts(a: PerformanceCounts, b: PerformanceCounts): PerformanceCounts {
  const coverage = {
    predictions: a.predictions + b.predictions,
    labels: a.labels + b.labels,
    conflicts: a.conflicts + b.conflicts,
  };
  if (a.kind === 'classification' && b.kind === 'classification')
    return { kind: 'classification', ...coverage, cells: mergedClassification([...a.cells, ...b.cells]) };
  if (a.kind === 'regression' && b.kind === 'regression' && a.center === b.center && a.unit === b.unit)
    return {
      kind: 'regression',
      center: a.center,
      unit: a.unit,
      ...coverage,
      cells: mergedRegression([...a.cells, ...b.cells]),
    };
  throw new RangeError('performance counts: different tasks or fixed points, expected counts made for one baseline');
}

export interface LabelledClass {
  readonly score: number | null;
  readonly truth: string;
  readonly predicted: string | null;
  readonly weight?: number;
}

/** What the SQL would return, from rows in memory. `coverage` defaults to every row labelled. */
export function countClassification(rows: Iterable<LabelledClass>, coverage?: Coverage): ClassificationCounts {
  const cells: ClassificationCell[] = [];
  for (const { score, truth, predicted, weight } of rows) {
    const usable = score !== null && score >= 0 && score <= 1;
    const s = usable ? score : 0;
    const lnScore = usable ? -Math.log(Math.max(s, LOG_FLOOR)) : 0;
    const lnRest = usable ? -Math.log(Math.max(1 - s, LOG_FLOOR)) : 0;
    cells.push({
      scoreBin: usable ? Math.floor(s * SCORE_BINS) : null,
      truth,
      predicted,
      weightCode: weightCodeOf(weight),
      n: 1,
      score: nearest(s / SCORE_UNIT),
      scoreSq: nearest((s * s) / SCORE_UNIT),
      lnScore: nearest(lnScore / SCORE_UNIT),
      lnRest: nearest(lnRest / SCORE_UNIT),
      lnScoreSq: nearest((lnScore * lnScore) / LOG_SQUARE_UNIT),
      lnRestSq: nearest((lnRest * lnRest) / LOG_SQUARE_UNIT),
    });
  }
  return {
    kind: 'classification',
    ...coverageOf(coverage ?? { predictions: cells.length, labels: cells.length, conflicts: 0 }),
    cells: mergedClassification(cells),
  };
}

export interface LabelledNumber {
  readonly truth: number;
  readonly predicted: number;
  readonly weight?: number;
}

/** Likewise. Rows that are not finite are labelled but not counted. */
export function countRegression(
  rows: Iterable<LabelledNumber>,
  fixedPoint: FixedPoint,
  coverage?: Coverage,
): RegressionCounts {
  const cells: RegressionCell[] = [];
  let all = 0;
  for (const { truth, predicted, weight } of rows) {
    all++;
    if (!Number.isFinite(truth) || !Number.isFinite(predicted)) continue;
    const wideError = (predicted - truth) / fixedPoint.unit;
    const wideTruth = (truth - fixedPoint.center) / fixedPoint.unit;
    const clamped = Math.abs(wideError) > REGRESSION_LIMIT || Math.abs(wideTruth) > REGRESSION_LIMIT;
    const e = clampedInteger(wideError);
    const y = clampedInteger(wideTruth);
    const e2 = e * e;
    const y2 = y * y;
    const r = truth === 0 ? 0n : BigInt(Math.min(RELATIVE_LIMIT, nearest(Math.abs((predicted - truth) / truth) * 1e6)));
    cells.push({
      weightCode: weightCodeOf(weight),
      n: 1,
      clamped: clamped ? 1 : 0,
      nonzero: truth === 0 ? 0 : 1,
      e: `${e}`,
      eAbs: `${e < 0n ? -e : e}`,
      e2: `${e2}`,
      e4: `${e2 * e2}`,
      y: `${y}`,
      y2: `${y2}`,
      y3: `${y2 * y}`,
      y4: `${y2 * y2}`,
      e2y: `${e2 * y}`,
      e2y2: `${e2 * y2}`,
      r: `${r}`,
      r2: `${r * r}`,
    });
  }
  return {
    kind: 'regression',
    center: fixedPoint.center,
    unit: fixedPoint.unit,
    ...coverageOf(coverage ?? { predictions: all, labels: all, conflicts: 0 }),
    cells: mergedRegression(cells),
  };
}

const coverageOf = ({ predictions, labels, conflicts }: Coverage): Coverage => ({ predictions, labels, conflicts });

function mergedClassification(cells: Iterable<ClassificationCell>): ClassificationCell[] {
  const byKey = new Map<string, ClassificationCell>();
  for (const cell of cells) {
    const key = JSON.stringify([cell.truth, cell.predicted, cell.scoreBin, cell.weightCode]);
    const found = byKey.get(key);
    byKey.set(
      key,
      found === undefined
        ? cell
        : {
            scoreBin: cell.scoreBin,
            truth: cell.truth,
            predicted: cell.predicted,
            weightCode: cell.weightCode,
            n: found.n + cell.n,
            score: found.score + cell.score,
            scoreSq: found.scoreSq + cell.scoreSq,
            lnScore: found.lnScore + cell.lnScore,
            lnRest: found.lnRest + cell.lnRest,
            lnScoreSq: found.lnScoreSq + cell.lnScoreSq,
            lnRestSq: found.lnRestSq + cell.lnRestSq,
          },
    );
  }
  return [...byKey.values()].sort(
    (a, b) =>
      compare(a.truth, b.truth) ||
      compare(a.predicted, b.predicted) ||
      compare(a.scoreBin, b.scoreBin) ||
      compare(a.weightCode, b.weightCode),
  );
}

const REGRESSION_TEXTS = ['e', 'eAbs', 'e2', 'e4', 'y', 'y2', 'y3', 'y4', 'e2y', 'e2y2', 'r', 'r2'] as const;

function mergedRegression(cells: Iterable<RegressionCell>): RegressionCell[] {
  const byCode = new Map<number, { n: number; clamped: number; nonzero: number; sums: bigint[] }>();
  for (const cell of cells) {
    let found = byCode.get(cell.weightCode);
    if (found === undefined) {
      found = { n: 0, clamped: 0, nonzero: 0, sums: REGRESSION_TEXTS.map(() => 0n) };
      byCode.set(cell.weightCode, found);
    }
    found.n += cell.n;
    found.clamped += cell.clamped;
    found.nonzero += cell.nonzero;
    for (const [i, name] of REGRESSION_TEXTS.entries()) found.sums[i] = found.sums[i]! + BigInt(cell[name]);
  }
  return [...byCode.entries()]
    .sort(([a], [b]) => a - b)
    .map(([weightCode, { n, clamped, nonzero, sums }]) => {
      const [e, eAbs, e2, e4, y, y2, y3, y4, e2y, e2y2, r, r2] = sums.map(String) as [string, ...string[]];
      return { weightCode, n, clamped, nonzero, e, eAbs, e2, e4, y, y2, y3, y4, e2y, e2y2, r, r2 } as RegressionCell;
    });
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

function column(row: CountRow, name: string): string | number | bigint | null {
  const value = row[name];
  if (value === undefined) throw new RangeError(`performance counts: the query returned no column ${name}`);
  return value;
}

function whole(row: CountRow, name: string): number {
  return Number(column(row, name) ?? 0);
}

function weightCodeOf(weight: number | undefined): number {
  return weight === undefined ? 0 : nearest(256 * Math.log2(weight));
}

function clampedInteger(x: number): bigint {
  return BigInt(Math.min(REGRESSION_LIMIT, Math.max(-REGRESSION_LIMIT, nearest(x))));
}

/** To the nearest whole number, halves away from zero, as SQL's `round`; never −0. */
function nearest(x: number): number {
  const floor = Math.trunc(x);
  return (Math.abs(x - floor) >= 0.5 ? floor + Math.sign(x) : floor) + 0;
}
