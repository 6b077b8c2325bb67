/** Metrics by name, from rows: performance, ranking and differences between groups. Rows with a missing value in what the metric reads are left out. */
import { nearest } from '../contracts/problem.ts';
import { meanEstimate, wilson } from '../stats/estimate.ts';
import {
  type Average,
  accuracy,
  averaged,
  balancedAccuracy,
  CLASS_SHARES,
  type ClassTable,
  classTable,
  cohenKappa,
  matthews,
  oneAgainstRest,
  sortedLabels,
} from '../stats/measures/classes.ts';
import { GROUP_METRICS, ratesByGroup } from '../stats/measures/groups.ts';
import { NUMBER_METRICS } from '../stats/measures/numbers.ts';
import { averagePrecisionOf, dcg, logLosses, ndcg, rocAucOf } from '../stats/measures/scores.ts';

type Value = string | number | boolean | null;

export interface MeasureQuestion {
  readonly metric: string;
  readonly truth?: readonly Value[];
  /** Of the positive class; for several classes one array a row, in the order of `options.labels`. */
  readonly score?: readonly (number | null | readonly number[])[];
  readonly predicted?: readonly Value[];
  readonly group?: readonly Value[];
  readonly options?: MeasureOptions;
}

export interface MeasureOptions {
  /** @default binary for two classes, macro for more */
  readonly average?: Average;
  /** The positive class. @default 1 or true, else the last of the two in order */
  readonly positive?: string | number | boolean;
  /** All classes, in the order of the scores. */
  readonly labels?: readonly (string | number | boolean)[];
  /** Ranks that count, for ndcg. @default all */
  readonly k?: number;
  readonly ties?: 'averaged' | 'ignored';
  /** For roc-auc of several classes: each against the rest, or each against each. @default ovr */
  readonly multiclass?: 'ovr' | 'ovo';
}

export interface MeasureAnswer {
  readonly metric: string;
  readonly status: 'ok' | 'failed';
  readonly value: number | null;
  /** 95 %; `null` where none is known. */
  readonly interval: readonly [number, number] | null;
  readonly reason: string | null;
}

/** Of intervals: they hold the value in all but this share of samples. */
const LEVEL = 0.05;

/** The question lacks what the metric reads. */
class Unanswerable extends Error {}

interface Measured {
  readonly value: number;
  readonly interval?: readonly [number, number] | null;
}

type Measure = (question: Rows) => Measured;

/** The arrays of a question, without the rows that lack a value. */
interface Rows {
  readonly truth: readonly (string | number | boolean)[];
  readonly predicted: readonly (string | number | boolean)[];
  readonly score: readonly (number | readonly number[])[];
  readonly group: readonly (string | number | boolean)[];
  readonly options: MeasureOptions;
}

interface Metric {
  readonly reads: readonly ('truth' | 'score' | 'predicted' | 'group')[];
  readonly measure: Measure;
}

const METRICS: Readonly<Record<string, Metric>> = {
  accuracy: classes((table) => share(accuracy(table), table.rows)),
  'balanced-accuracy': classes((table) => ({ value: balancedAccuracy(table) })),
  matthews: classes((table) => ({ value: matthews(table) })),
  'cohen-kappa': classes((table) => ({ value: cohenKappa(table) })),
  ...Object.fromEntries(
    Object.entries(CLASS_SHARES).map(([name, of]) => [
      name,
      classes((table, options) => {
        const average = options.average ?? (table.labels.length <= 2 ? 'binary' : 'macro');
        const positive = positiveOf(table.labels, options);
        const value = averaged(table, of, average, positive);
        if (average !== 'binary' || name === 'f1') return { value };
        const { tp, fp, fn, tn } = oneAgainstRest(table, positive);
        const rows = name === 'precision' ? tp + fp : name === 'recall' ? tp + fn : tn + fp;
        return rows === 0 ? { value } : share(value, rows);
      }),
    ]),
  ),
  'roc-auc': rocAuc(),
  'average-precision': scores((isPositive, score) => ({ value: averagePrecisionOf(isPositive, score) })),
  brier: scores((isPositive, score) => mean(score.map((p, i) => (p - (isPositive[i] ? 1 : 0)) ** 2))),
  'log-loss': {
    reads: ['truth', 'score'],
    measure: (rows) => {
      const labels = labelsOf(rows);
      const several = rows.score.some((score) => Array.isArray(score));
      const positive = several ? '' : (labels[positiveOf(labels, rows.options)] ?? '');
      const given = rows.truth.map((truth, i) => {
        const score = rows.score[i]!;
        if (typeof score === 'number') return String(truth) === positive ? score : 1 - score;
        const at = labels.indexOf(String(truth));
        if (at < 0 || score.length !== labels.length)
          throw new Unanswerable('score: expected a number for each of options.labels in every row');
        return score[at]! / score.reduce((sum, p) => sum + p, 0);
      });
      return mean(logLosses(given));
    },
  },
  ...Object.fromEntries(
    Object.entries(NUMBER_METRICS).map(([name, of]) => [
      name,
      {
        reads: ['truth', 'predicted'],
        measure: ({ truth, predicted }: Rows) => {
          const [t, p] = [numbers(truth, 'truth'), numbers(predicted, 'predicted')];
          const value = of(t, p);
          const each =
            name === 'mae'
              ? Math.abs
              : name === 'mse'
                ? (e: number) => e * e
                : name === 'bias'
                  ? (e: number) => e
                  : null;
          return each === null ? { value } : { value, interval: mean(t.map((x, i) => each(p[i]! - x))).interval };
        },
      } satisfies Metric,
    ]),
  ),
  ndcg: {
    reads: ['truth', 'score'],
    measure: ({ truth, score, options }) => ({ value: ndcg(numbers(truth, 'truth'), single(score), options) }),
  },
  dcg: {
    reads: ['truth', 'score'],
    measure: ({ truth, score, options }) => ({ value: dcg(numbers(truth, 'truth'), single(score), options) }),
  },
  ...Object.fromEntries(
    Object.entries(GROUP_METRICS).map(([name, of]) => {
      const needsTruth = name.startsWith('equal') || name.startsWith('false');
      return [
        name,
        {
          reads: needsTruth ? ['group', 'predicted', 'truth'] : ['group', 'predicted'],
          measure: ({ group, predicted, truth, options }: Rows) => {
            const labels = sortedLabels([...predicted, ...truth]);
            const positive = labels[positiveOf(labels, options)];
            const is = (value: unknown): boolean => String(value) === positive;
            return { value: of(ratesByGroup(group.map(String), predicted.map(is), truth.map(is))) };
          },
        } satisfies Metric,
      ];
    }),
  ),
};

export function metricNames(): readonly string[] {
  return Object.keys(METRICS);
}

/** Never throws for data. */
export function measure(question: MeasureQuestion): MeasureAnswer {
  const { metric } = question;
  const failed = (reason: string): MeasureAnswer => ({ metric, status: 'failed', value: null, interval: null, reason });
  const known = Object.hasOwn(METRICS, metric) ? METRICS[metric] : undefined;
  if (known === undefined) {
    const close = nearest(metric, metricNames());
    return failed(`unknown metric${close === undefined ? '' : `; did you mean ${close}?`}`);
  }
  try {
    const { value, interval = null } = known.measure(rowsOf(question, known.reads));
    if (Number.isNaN(value)) return failed('undefined for these rows');
    return { metric, status: 'ok', value, interval, reason: null };
  } catch (error) {
    if (error instanceof Unanswerable) return failed(error.message);
    throw error;
  }
}

function rowsOf(question: MeasureQuestion, reads: Metric['reads']): Rows {
  const arrays = reads.map((name) => {
    const values = question[name];
    if (values === undefined) throw new Unanswerable(`${name}: missing; the metric reads ${reads.join(', ')}`);
    return values as readonly unknown[];
  });
  const size = arrays[0]?.length ?? 0;
  if (arrays.some(({ length }) => length !== size))
    throw new Unanswerable(
      `${reads.join(', ')}: expected arrays of one length, got ${arrays.map(({ length }) => length).join(', ')}`,
    );
  const kept = Array.from({ length: size }, (_, i) => i).filter((i) =>
    arrays.every((values) => values[i] !== null && values[i] !== undefined && !Number.isNaN(values[i])),
  );
  if (kept.length === 0) throw new Unanswerable('no rows');
  const pick = (name: Metric['reads'][number]): never[] => {
    const at = reads.indexOf(name);
    return at < 0 ? [] : (kept.map((i) => arrays[at]![i]) as never[]);
  };
  return {
    truth: pick('truth'),
    predicted: pick('predicted'),
    score: pick('score'),
    group: pick('group'),
    options: question.options ?? {},
  };
}

function classes(of: (table: ClassTable, options: MeasureOptions) => Measured): Metric {
  return {
    reads: ['truth', 'predicted'],
    measure: ({ truth, predicted, options }) => of(classTable(truth, predicted, options.labels?.map(String)), options),
  };
}

/** With one score a row; with one a class, the mean of each class against the rest. */
function scores(of: (isPositive: readonly boolean[], score: readonly number[]) => Measured): Metric {
  return {
    reads: ['truth', 'score'],
    measure: (rows) => {
      const labels = labelsOf(rows);
      if (!rows.score.some((score) => Array.isArray(score))) {
        const positive = labels[positiveOf(labels, rows.options)];
        return of(
          rows.truth.map((truth) => String(truth) === positive),
          single(rows.score),
        );
      }
      const values = labels.map((label, at) => {
        const column = rows.score.map((score) => (Array.isArray(score) ? (score[at] as number) : Number.NaN));
        return of(
          rows.truth.map((truth) => String(truth) === label),
          column,
        ).value;
      });
      const weights =
        rows.options.average === 'weighted'
          ? labels.map((label) => rows.truth.filter((truth) => String(truth) === label).length)
          : labels.map(() => 1);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      // What has no weight says nothing, be it undefined.
      return {
        value: values.reduce((sum, value, i) => (weights[i]! > 0 ? sum + value * weights[i]! : sum), 0) / total,
      };
    },
  };
}

/** Of several classes each against the rest, or, `ovo`, the mean over pairs of those that occur (Hand & Till 2001). */
function rocAuc(): Metric {
  const againstRest = scores((isPositive, score) => ({ value: rocAucOf(isPositive, score) }));
  return {
    reads: againstRest.reads,
    measure: (rows) => {
      if (rows.options.multiclass !== 'ovo' || !rows.score.some((score) => Array.isArray(score)))
        return againstRest.measure(rows);
      const labels = labelsOf(rows);
      const truth = rows.truth.map((value) => labels.indexOf(String(value)));
      let sum = 0;
      let all = 0;
      const occurring = [...new Set(truth)].filter((label) => label >= 0).sort((a, b) => a - b);
      for (const [at, a] of occurring.entries())
        for (const b of occurring.slice(at + 1)) {
          const kept = Array.from(truth.keys()).filter((i) => truth[i] === a || truth[i] === b);
          const auc = (of: number): number =>
            rocAucOf(
              kept.map((i) => truth[i] === of),
              kept.map((i) => (rows.score[i] as readonly number[])[of] ?? Number.NaN),
            );
          const weight = rows.options.average === 'weighted' ? kept.length : 1;
          sum += (weight * (auc(a) + auc(b))) / 2;
          all += weight;
        }
      return { value: sum / all };
    },
  };
}

function labelsOf({ truth, options }: Rows): readonly string[] {
  return options.labels?.map(String) ?? sortedLabels(truth);
}

/** Its index; −1 where it does not occur. */
function positiveOf(labels: readonly string[], { positive }: MeasureOptions): number {
  if (positive !== undefined) return labels.indexOf(String(positive));
  const usual = labels.findIndex((label) => label === '1' || label === 'true');
  if (usual >= 0) return usual;
  // Only the negative class of the usual two occurs.
  return labels.length === 1 && (labels[0] === '0' || labels[0] === 'false') ? -1 : labels.length - 1;
}

function numbers(values: readonly unknown[], name: string): number[] {
  return values.map((value, i) => {
    if (typeof value !== 'number') throw new Unanswerable(`${name}[${i}]: expected a number`);
    return value;
  });
}

function single(score: Rows['score']): number[] {
  return numbers(score, 'score');
}

function share(value: number, rows: number): Measured {
  return { value, interval: wilson(value, rows, LEVEL) };
}

function mean(values: readonly number[]): Measured {
  const value = values.reduce((sum, one) => sum + one, 0) / values.length;
  const variance = values.reduce((sum, one) => sum + (one - value) ** 2, 0) / values.length;
  return { value, interval: meanEstimate(value, variance, values.length).bounds(LEVEL) };
}
