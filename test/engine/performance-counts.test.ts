import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLASSIFICATION_COLUMNS,
  type CountColumn,
  type CountRow,
  REGRESSION_COLUMNS,
} from '../../lib/engine/performance-counts.ts';
import {
  classificationCountsOf,
  countClassification,
  countRegression,
  type LabelledClass,
  type LabelledNumber,
  mergePerformanceCounts,
  regressionCountsOf,
} from '../../lib/engine/performance-rows.ts';
import { seededRandom } from '../../lib/stats/random.ts';

const POINT = { center: 0.5, unit: 2 ** -12 };

const labelledClass = fc.record({
  score: fc.option(fc.oneof(fc.double({ min: 0, max: 1 }), fc.constantFrom(0, 1, -0.1, 1.5, Number.NaN)), {
    nil: null,
  }),
  truth: fc.constantFrom('late', 'on-time', ''),
  predicted: fc.option(fc.constantFrom('late', 'on-time'), { nil: null }),
  weight: fc.constantFrom(1, 2, 7.3),
});
const labelledNumber = fc.record({
  truth: fc.oneof(fc.double({ min: -1e4, max: 1e4 }), fc.constantFrom(0, 1e300, Number.NaN, Number.POSITIVE_INFINITY)),
  predicted: fc.double({ min: -1e4, max: 1e4, noNaN: true }),
  weight: fc.constantFrom(1, 0.5),
});

describe('performance counts', () => {
  it('merge to the same bytes whatever the parts and their order', () => {
    fc.assert(
      fc.property(fc.array(labelledClass, { maxLength: 30 }), fc.integer({ min: 0, max: 30 }), (rows, cut) => {
        const whole = countClassification(rows as LabelledClass[]);
        const [a, b] = [rows.slice(0, cut), rows.slice(cut)].map((part) =>
          countClassification(part as LabelledClass[]),
        );
        expect(JSON.stringify(mergePerformanceCounts(a!, b!))).toBe(JSON.stringify(whole));
        expect(JSON.stringify(mergePerformanceCounts(b!, a!))).toBe(JSON.stringify(whole));
      }),
    );
    fc.assert(
      fc.property(fc.array(labelledNumber, { maxLength: 30 }), fc.integer({ min: 0, max: 30 }), (rows, cut) => {
        const whole = countRegression(rows as LabelledNumber[], POINT);
        const [a, b] = [rows.slice(0, cut), rows.slice(cut)].map((part) =>
          countRegression(part as LabelledNumber[], POINT),
        );
        expect(JSON.stringify(mergePerformanceCounts(b!, a!))).toBe(JSON.stringify(whole));
      }),
    );
  });

  it('survive JSON', () => {
    const counts = countRegression([{ truth: 3, predicted: 5 }], POINT);
    expect(JSON.parse(JSON.stringify(counts))).toEqual(counts);
  });

  it('of different baselines have no sum', () => {
    const a = countRegression([{ truth: 3, predicted: 5 }], POINT);
    expect(() => mergePerformanceCounts(a, { ...a, unit: 1 })).toThrow(RangeError);
    expect(() => mergePerformanceCounts(a, countClassification([]))).toThrow(/different tasks/);
  });

  it('name a column that the query left out', () => {
    const coverage = { predictions: 1, labels: 1, conflicts: 0 };
    expect(() => classificationCountsOf([{ truth: 'a' }], coverage)).toThrow(/score_bin/);
  });
});

describe('the SQL of the contract', () => {
  it('counts what the engine counts', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
      const random = seededRandom(4);
      const classes: LabelledClass[] = Array.from({ length: 400 }, (_, i) => ({
        score:
          i % 17 === 0
            ? null
            : i % 19 === 0
              ? Number.NaN
              : i % 23 === 0
                ? 1
                : i % 29 === 0
                  ? 1e-9
                  : random.next() * 1.05,
        truth: random.next() < 0.4 ? 'late' : 'on-time',
        predicted: i % 31 === 0 ? null : random.next() < 0.5 ? 'late' : 'on-time',
        weight: i % 3 === 0 ? 12.5 : 1,
      }));
      const rows = await run(
        CLASSIFICATION_COLUMNS,
        'VALUES '.concat(
          classes
            .map(
              ({ score, truth, predicted, weight }) =>
                `(${double(score)}, ${text(truth)}, ${text(predicted)}, ${double(weight!)})`,
            )
            .join(', '),
        ),
      );
      const coverage = { predictions: 900, labels: 400, conflicts: 3 };
      expect(classificationCountsOf(rows, coverage)).toEqual(countClassification(classes, coverage));

      const numbers: LabelledNumber[] = Array.from({ length: 400 }, (_, i) => {
        const truth = i % 13 === 0 ? 0 : i % 101 === 0 ? 1e12 : 100 * random.normal();
        return { truth, predicted: i % 7 === 0 ? truth : truth + random.normal(), weight: i % 3 === 0 ? 3 : 1 };
      });
      const sums = await run(
        REGRESSION_COLUMNS,
        'VALUES '.concat(
          numbers
            .map(({ truth, predicted, weight }) => `(NULL, ${double(truth)}, ${double(predicted)}, ${double(weight!)})`)
            .join(', '),
        ),
      );
      const all = { predictions: 400, labels: 400, conflicts: 0 };
      expect(regressionCountsOf(sums, POINT, all)).toEqual(countRegression(numbers, POINT));
    } finally {
      connection.closeSync();
      instance.closeSync();
    }

    async function run(
      columns: { readonly keys: readonly CountColumn[]; readonly sums: readonly CountColumn[] },
      values: string,
    ): Promise<CountRow[]> {
      const list = [...columns.keys, ...columns.sums].map(({ name, sql }) => `${render(sql)} AS "${name}"`).join(', ');
      const groups = columns.keys.map((_, i) => i + 1).join(', ');
      const reader = await connection.runAndReadAll(
        `SELECT ${list} FROM (${values}) AS t(score, truth, predicted, weight) GROUP BY ${groups}`,
      );
      return reader.getRowObjects() as CountRow[];
    }
  });
});

function render(sql: string): string {
  const names: Record<string, string> = {
    score: 'score',
    truth: 'truth',
    predicted: 'predicted',
    weight: 'weight',
    center: double(POINT.center),
    unit: double(POINT.unit),
  };
  return sql.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name]!);
}

function double(x: number | null): string {
  return x === null ? 'NULL' : `'${x}'::DOUBLE`;
}

function text(value: string | null): string {
  return value === null ? 'NULL' : `'${value}'`;
}
