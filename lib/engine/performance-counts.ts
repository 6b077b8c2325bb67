/**
 * The performance profile: integer counts of predictions joined with their labels, mergeable in any order, plain JSON.
 * SQL makes the rows (columns and expressions below), `…CountsOf` reads them, lib/engine/performance.ts judges them.
 *
 * Contract of the SQL, for one model, version and span of event time (grain or window, the author's choice):
 * 1. take each prediction id once, with the latest truth received within the horizon;
 * 2. coverage, one row: `COVERAGE_COLUMNS` over all predictions of the span, labelled or not;
 * 3. labelled predictions: group by the `keys` of the task's `…_COLUMNS`, select keys and `sums`.
 * Multiclass tasks use CLASSIFICATION_COLUMNS with the score taken as NULL. Rows may come in any order and in several parts.
 *
 * Expressions are the subset that DuckDB, Trino (Athena) and Spark read alike. Placeholders: {score} double or NULL, {weight} double
 * (1 when absent), {truth} and {predicted} text in classification (a number as its shortest decimal) and doubles in regression,
 * {center} and {unit} the fixed point of `regressionFixedPoint`. Every sum is selected as text: it may exceed 2^53.
 */

/** Scores are binned as floor(score · 1000): 1,000 bins and one for exactly 1. */
export const SCORE_BINS = 1000;
/** Fixed point of sums of scores, squares and logarithms: 1e-6. */
export const SCORE_UNIT = 1e-6;
/** Fixed point of sums of squared logarithms: 1e-3. */
export const LOG_SQUARE_UNIT = 1e-3;
/** Probabilities are kept this far from 0 in the log loss (double epsilon, as scikit-learn does): at most 36.04 a row. */
export const LOG_FLOOR = 2.220446049250313e-16;
/** Fixed-point errors and truths are kept within ±2^24, so that sums of fourth powers fit 38 digits up to 10^8 rows. */
export const REGRESSION_LIMIT = 2 ** 24;
/** Relative errors (|e / truth|, unit 1e-6) are kept within 1e6, that is 100,000,000 %. */
export const RELATIVE_LIMIT = 1e12;

export interface CountColumn {
  readonly name: string;
  readonly sql: string;
  readonly meaning: string;
}

const inRange = '{score} >= 0 AND {score} <= 1';
const scored = (expression: string): string =>
  `CAST(coalesce(sum(CASE WHEN ${inRange} THEN CAST(round(${expression}) AS BIGINT) ELSE 0 END), 0) AS VARCHAR)`;
const lnScore = `(-ln(greatest({score}, ${LOG_FLOOR})))`;
const lnRest = `(-ln(greatest(1 - {score}, ${LOG_FLOOR})))`;

/** 0 for weight 1; weights are kept in steps of 2^(1/256), so within 0.14 %, and so few groups whatever the sampler does. */
const weightCode: CountColumn = {
  name: 'weight_code',
  sql: 'CAST(round(256 * log2({weight})) AS BIGINT)',
  meaning: 'round(256 · log2(weight))',
};

export const COVERAGE_COLUMNS = {
  predictions: 'distinct prediction ids',
  labels: 'of those, ids with a truth received within the horizon',
  conflicts: 'of those, ids with more than one distinct truth within the horizon',
} as const;

export const CLASSIFICATION_COLUMNS: { readonly keys: readonly CountColumn[]; readonly sums: readonly CountColumn[] } =
  {
    keys: [
      {
        name: 'score_bin',
        sql: `CASE WHEN ${inRange} THEN CAST(floor({score} * ${SCORE_BINS}) AS BIGINT) ELSE NULL END`,
        meaning: '0…1000; NULL when the score is absent, not finite or outside 0…1',
      },
      { name: 'truth', sql: '{truth}', meaning: 'the latest label as text, never NULL' },
      { name: 'predicted', sql: '{predicted}', meaning: 'the predicted class as text, or NULL' },
      weightCode,
    ],
    sums: [
      { name: 'n', sql: 'CAST(count(*) AS VARCHAR)', meaning: 'rows' },
      { name: 'score', sql: scored('{score} * 1e6'), meaning: 'Σ round(score · 1e6)' },
      { name: 'score_sq', sql: scored('{score} * {score} * 1e6'), meaning: 'Σ round(score² · 1e6)' },
      {
        name: 'ln_score',
        sql: scored(`${lnScore} * 1e6`),
        meaning: 'Σ round(−ln(score) · 1e6), score at least LOG_FLOOR',
      },
      { name: 'ln_rest', sql: scored(`${lnRest} * 1e6`), meaning: 'Σ round(−ln(1 − score) · 1e6), likewise' },
      { name: 'ln_score_sq', sql: scored(`${lnScore} * ${lnScore} * 1e3`), meaning: 'Σ round(ln²(score) · 1e3)' },
      { name: 'ln_rest_sq', sql: scored(`${lnRest} * ${lnRest} * 1e3`), meaning: 'Σ round(ln²(1 − score) · 1e3)' },
    ],
  };

const fixed = (expression: string): string =>
  `CAST(greatest(least(round((${expression}) / {unit}), ${REGRESSION_LIMIT}), -${REGRESSION_LIMIT}) AS BIGINT)`;
const e = fixed('{predicted} - {truth}');
const y = fixed('{truth} - {center}');
const relative = `CAST(least(round(abs(({predicted} - {truth}) / {truth}) * 1e6), 1e12) AS BIGINT)`;
const wide = (expression: string): string => `CAST(${expression} AS DECIMAL(19, 0))`;
const total = (expression: string): string => `CAST(coalesce(sum(${expression}), 0) AS VARCHAR)`;
const nonZero = (expression: string, zero: string): string =>
  `CASE WHEN {truth} <> 0 THEN ${expression} ELSE ${zero} END`;

/**
 * Over labelled rows whose prediction and truth are finite; the others go to `unusable` of the coverage (labels − Σn).
 * e = prediction − truth and y = truth − center, both in units of `unit`, rounded half away from zero, kept within ±REGRESSION_LIMIT.
 */
export const REGRESSION_COLUMNS: { readonly keys: readonly CountColumn[]; readonly sums: readonly CountColumn[] } = {
  keys: [weightCode],
  sums: [
    { name: 'n', sql: 'CAST(count(*) AS VARCHAR)', meaning: 'rows' },
    {
      name: 'clamped',
      sql: total(
        `CASE WHEN abs(({predicted} - {truth}) / {unit}) > ${REGRESSION_LIMIT} OR abs(({truth} - {center}) / {unit}) > ${REGRESSION_LIMIT} THEN 1 ELSE 0 END`,
      ),
      meaning: 'rows whose e or y was kept at the limit',
    },
    { name: 'e', sql: total(wide(e)), meaning: 'Σ e' },
    { name: 'e_abs', sql: total(wide(`abs(${e})`)), meaning: 'Σ |e|' },
    { name: 'e2', sql: total(wide(`${e} * ${e}`)), meaning: 'Σ e²' },
    { name: 'e4', sql: total(`${wide(`${e} * ${e}`)} * ${wide(`${e} * ${e}`)}`), meaning: 'Σ e⁴' },
    { name: 'y', sql: total(wide(y)), meaning: 'Σ y' },
    { name: 'y2', sql: total(wide(`${y} * ${y}`)), meaning: 'Σ y²' },
    { name: 'y3', sql: total(`${wide(`${y} * ${y}`)} * ${wide(y)}`), meaning: 'Σ y³' },
    { name: 'y4', sql: total(`${wide(`${y} * ${y}`)} * ${wide(`${y} * ${y}`)}`), meaning: 'Σ y⁴' },
    { name: 'e2y', sql: total(`${wide(`${e} * ${e}`)} * ${wide(y)}`), meaning: 'Σ e² y' },
    { name: 'e2y2', sql: total(`${wide(`${e} * ${e}`)} * ${wide(`${y} * ${y}`)}`), meaning: 'Σ e² y²' },
    { name: 'nonzero', sql: total('CASE WHEN {truth} <> 0 THEN 1 ELSE 0 END'), meaning: 'rows whose truth is not 0' },
    {
      name: 'r',
      sql: total(wide(nonZero(relative, '0'))),
      meaning: 'Σ r, r = round(|e / truth| · 1e6) ≤ 1e12, over those',
    },
    {
      name: 'r2',
      sql: total(nonZero(`${wide(relative)} * ${wide(relative)}`, 'CAST(0 AS DECIMAL(38, 0))')),
      meaning: 'Σ r²',
    },
  ],
};

/** One group of CLASSIFICATION_COLUMNS, sums as numbers (exact while below 2^53: some 10^8 rows a group). */
export interface ClassificationCell {
  /** 0…1000, or `null` without a usable score. */
  readonly scoreBin: number | null;
  readonly truth: string;
  readonly predicted: string | null;
  readonly weightCode: number;
  readonly n: number;
  readonly score: number;
  readonly scoreSq: number;
  readonly lnScore: number;
  readonly lnRest: number;
  readonly lnScoreSq: number;
  readonly lnRestSq: number;
}

/** One group of REGRESSION_COLUMNS; sums that may exceed 2^53 are decimal integers in text. */
export interface RegressionCell {
  readonly weightCode: number;
  readonly n: number;
  readonly clamped: number;
  readonly nonzero: number;
  readonly e: string;
  readonly eAbs: string;
  readonly e2: string;
  readonly e4: string;
  readonly y: string;
  readonly y2: string;
  readonly y3: string;
  readonly y4: string;
  readonly e2y: string;
  readonly e2y2: string;
  readonly r: string;
  readonly r2: string;
}

export interface Coverage {
  readonly predictions: number;
  readonly labels: number;
  readonly conflicts: number;
}

export interface ClassificationCounts extends Coverage {
  readonly kind: 'classification';
  /** Ascending by truth, predicted, score bin, weight code (null first): equal contents are equal bytes. */
  readonly cells: readonly ClassificationCell[];
}

export interface FixedPoint {
  readonly center: number;
  readonly unit: number;
}

export interface RegressionCounts extends Coverage, FixedPoint {
  readonly kind: 'regression';
  /** Ascending by weight code. */
  readonly cells: readonly RegressionCell[];
}

export type PerformanceCounts = ClassificationCounts | RegressionCounts;

/** A row as the Query port returns it. */
export type CountRow = Readonly<Record<string, string | number | bigint | null>>;
