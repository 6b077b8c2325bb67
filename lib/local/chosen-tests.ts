/**
 * Tests that the caller of a report chooses, for all columns or for one, on the raw values: they decide instead of the calibrated
 * verdict. Numbers are tested while they are read (tested-columns.ts); of categories one column at a time is in memory.
 */
import { groupedTexts, rawTexts } from '../adapters/duckdb/raw-values.ts';
import type { Table, TableColumn } from '../adapters/duckdb/table.ts';
import { nearest, type Problem, ProblemError } from '../contracts/problem.ts';
import type { FeatureResult } from '../contracts/result.ts';
import { compareSamples, type TwoSampleAnswer, testNames, testTypes } from '../engine/two-sample.ts';
import { numberText } from '../engine/verdict-words.ts';

/** Values of a column, both sides together, that are held in memory at most. */
export const MOST_RAW_VALUES = 20_000_000;

/** `column` is `null` for a choice that holds for every column without one of its own. */
export interface TestChoice {
  readonly column: string | null;
  readonly test: string;
}

/** A verdict, and the number that a product reports where a dialect decided. */
export type DecidedFeature = FeatureResult & { readonly score?: number | null };

/**
 * Reads `NAME` and `COLUMN=NAME`; a column's name may hold `=`.
 * @throws ProblemError with every name that there is not
 */
export function readTestChoices(texts: readonly string[]): TestChoice[] {
  const problems: Problem[] = [];
  const choices = texts.map((text): TestChoice => {
    const at = text.lastIndexOf('=');
    const test = text.slice(at + 1);
    if (testTypes(test) === null) {
      const near = nearest(test, testNames());
      problems.push({
        code: 'unknown-test',
        path: '--test',
        message: 'there is no such test',
        got: test === '' ? text : test,
        expected: 'NAME or COLUMN=NAME; `mlmon compare --list` has the names',
        fix: near === undefined ? undefined : `did you mean ${near}?`,
      });
    }
    return { column: at < 0 ? null : text.slice(0, at), test };
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return choices;
}

export interface Tested {
  readonly reference: Table;
  readonly current: Table;
  /** Of numbers, by name: tested where both sides were read. */
  readonly answers: ReadonlyMap<string, TwoSampleAnswer>;
  readonly progress: (what: string) => void;
}

/**
 * The features, decided by the tests that are chosen for them; those without one stay as they are.
 * @throws ProblemError for a column that is not compared, and for more values than fit in memory
 */
export async function decideByTests(
  features: readonly FeatureResult[],
  choices: readonly TestChoice[],
  tables: Tested,
): Promise<DecidedFeature[]> {
  refuseUnknownColumns(features, choices);
  const decided: DecidedFeature[] = [];
  for (const feature of features) {
    const test = chosenFor(feature, choices);
    if (test === null) {
      decided.push(feature);
      continue;
    }
    tables.progress(`testing ${feature.name}`);
    decided.push(
      testTypes(test)?.includes(feature.type) === true
        ? withAnswer(feature, await answerOf(feature, test, tables))
        : notForType(feature, test),
    );
  }
  return decided;
}

/** The column's own choice, else the last for all that is for its type, else the last for all. */
export function chosenFor(
  { name, type }: Pick<FeatureResult, 'name' | 'type'>,
  choices: readonly TestChoice[],
): string | null {
  const own = choices.findLast(({ column }) => column === name);
  if (own !== undefined) return own.test;
  const all = choices.filter(({ column }) => column === null);
  return (all.findLast(({ test }) => testTypes(test)?.includes(type)) ?? all.at(-1))?.test ?? null;
}

function refuseUnknownColumns(features: readonly FeatureResult[], choices: readonly TestChoice[]): void {
  const names = features.map(({ name }) => name);
  const problems = choices.flatMap(({ column, test }): Problem[] => {
    if (column === null || names.includes(column)) return [];
    const near = nearest(column, names);
    return [
      {
        code: 'unknown-column',
        path: `--test ${column}=${test}`,
        message: `no column "${column}" is compared`,
        expected: `one of ${names.join(', ')}`,
        fix: near === undefined ? undefined : `did you mean ${near}?`,
      },
    ];
  });
  if (problems.length > 0) throw new ProblemError(problems);
}

/** @throws ProblemError when raw values of a column do not fit in memory */
export function refuseTooManyValues(reference: Table, current: Table, most: number = MOST_RAW_VALUES): void {
  const values = reference.rows + current.rows;
  if (values <= most) return;
  throw new ProblemError([
    {
      code: 'too-many-values',
      path: '--test',
      message: 'the raw values of a column do not fit in memory',
      got: `${numberText(values)} values a column, both sides together`,
      expected: `at most ${numberText(most)}`,
      fix: 'leave --test out, since the calibrated verdict takes any number of rows, or take a sample of the rows',
    },
  ]);
}

async function answerOf(
  { name, type }: FeatureResult,
  test: string,
  { reference, current, answers }: Tested,
): Promise<TwoSampleAnswer> {
  if (type === 'numeric') {
    const known = answers.get(name);
    if (known === undefined) throw new Error(`the column ${name} was compared and is not tested`);
    return known;
  }
  const [a, b] = [columnOf(reference, name), columnOf(current, name)];
  // Chunks of rows are cut in their order.
  const read = test.endsWith('@nannyml') ? rawTexts : groupedTexts;
  return compareSamples({ test, type, reference: await read(reference, a), current: await read(current, b) });
}

function columnOf(table: Table, name: string): TableColumn {
  const column = table.column(name);
  if (column === undefined) throw new Error(`the column ${name} was compared and is not there`);
  return column;
}

function withAnswer(feature: FeatureResult, answer: TwoSampleAnswer): DecidedFeature {
  const { test, status, statistic, pValue, threshold, effect, reason, score } = answer;
  const { reason: _, ...rest } = feature;
  return {
    ...rest,
    status,
    test,
    statistic,
    pValue,
    threshold,
    effect,
    ...(score === undefined ? {} : { score }),
    ...(reason === null ? {} : { reason }),
    summary: sentenceOf(feature, answer),
    changes: status === 'drifted' ? feature.changes : [],
    others: [
      { test: feature.test, statistic: feature.statistic, pValue: feature.pValue, threshold: feature.threshold },
      ...feature.others,
    ],
  };
}

/** What moved, where the calibrated verdict saw it too, and the numbers of the test. */
function sentenceOf(feature: FeatureResult, answer: TwoSampleAnswer): string {
  const { status, test, chosen, statistic, pValue, threshold, reason, score } = answer;
  const name = chosen === undefined ? test : `${test} (${chosen})`;
  const parts = [
    ...(statistic === null ? [] : [`statistic ${numberText(statistic)}`]),
    ...(pValue === null ? [] : [`p ${numberText(pValue)}`]),
    ...(score == null || score === statistic || score === pValue ? [] : [`score ${numberText(score)}`]),
    ...(threshold === null || (statistic === null && pValue === null) ? [] : [`limit ${numberText(threshold)}`]),
    ...(reason === null ? [] : [reason]),
  ];
  if (statistic === null && pValue === null && reason?.startsWith(test) === true) return reason;
  const told = `${name}: ${parts.join(', ')}`;
  return status === 'drifted' && feature.status === 'drifted' ? `${feature.summary}; ${told}` : told;
}

function notForType(feature: FeatureResult, test: string): DecidedFeature {
  const types = testTypes(test) ?? [];
  const reason = `${test} is for ${types.join(' and ')} columns only; choose one for this column with --test COLUMN=NAME`;
  return withAnswer(feature, {
    test,
    status: 'failed',
    statistic: null,
    pValue: null,
    threshold: null,
    effect: null,
    reason,
  });
}
