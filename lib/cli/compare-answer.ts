/** Answers a question of `mlmon compare`. */
import { adjust, isAdjustment } from '../engine/adjustments.ts';
import { AUTO, compareByName, compareCounts, type TwoSampleOptions, testTypes } from '../engine/named-tests.ts';
import {
  type Answer,
  BadLineError,
  BINS,
  COUNT,
  categoriesOf,
  countsOf,
  LEVEL,
  NUMBER,
  numbersOf,
  type OptionRule,
  optionsOf,
  type Question,
} from './questions.ts';

const TYPES = ['numeric', 'categorical', 'counts'];

const DECISION = { alpha: LEVEL, threshold: NUMBER };
const OWN: Readonly<Record<string, OptionRule>> = { ...DECISION, bins: BINS };
const ALTERNATIVE: OptionRule = ['two-sided', 'less', 'greater'];
const METHOD: OptionRule = ['auto', 'exact', 'asymp', 'asymptotic'];
const CHUNKS: Readonly<Record<string, OptionRule>> = {
  chunkNumber: COUNT,
  chunkSize: COUNT,
  chunk_number: COUNT,
  chunk_size: COUNT,
};
const POWER: OptionRule = {
  expected: 'a number, or pearson, log-likelihood, freeman-tukey, mod-log-likelihood, neyman, cressie-read',
  is: (value) =>
    Number.isFinite(value) ||
    ['pearson', 'log-likelihood', 'freeman-tukey', 'mod-log-likelihood', 'neyman', 'cressie-read'].includes(
      value as string,
    ),
};

/** Beyond `alpha` and `threshold`, by test or by product. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, OptionRule>>>> = {
  'ks_2samp@scipy': { method: METHOD },
  'ks@scipy': { method: METHOD },
  'cramervonmises_2samp@scipy': { method: METHOD },
  'mannwhitneyu@scipy': { method: METHOD, alternative: ALTERNATIVE },
  'ttest_ind@scipy': { equal_var: [true, false], alternative: ALTERNATIVE },
  'chi2_contingency@scipy': { correction: [true, false], lambda_: POWER },
  'fisher_exact@scipy': { alternative: ALTERNATIVE },
  sagemaker: { method: ['simple', 'robust'] },
  nannyml: CHUNKS,
};

export function answer(question: Question): Answer | Promise<Answer> {
  const { test, type, reference, current } = question;
  if (typeof test !== 'string')
    throw new BadLineError('test: expected the name of a test; `mlmon compare --list` has them');
  if (isAdjustment(test)) {
    const { alpha } = optionsOf(question['options'], { alpha: LEVEL }, test) as { readonly alpha?: number };
    return { ...adjust(test, numbersOf(question['pValues'], 'pValues'), alpha) };
  }
  if (typeof type !== 'string' || !TYPES.includes(type))
    throw new BadLineError('type: expected numeric, categorical or counts');
  const options = readOptions(test, question['options']);
  if (type === 'counts') {
    const [a, b] = [countsOf(reference, 'reference'), countsOf(current, 'current')];
    if (a.length !== b.length)
      throw new BadLineError(`reference, current: expected as many counts, got ${a.length} and ${b.length}`);
    return { ...compareCounts(test, a, b, options) };
  }
  const side = type === 'numeric' ? numbersOf : categoriesOf;
  const samples = {
    test,
    type: type as 'numeric' | 'categorical',
    reference: side(reference, 'reference'),
    current: side(current, 'current'),
    options,
  };
  if (test !== AUTO) return { ...compareByName(samples) };
  return import('../engine/two-sample.ts').then(({ compareSamples }) => ({ ...compareSamples(samples) }));
}

function readOptions(test: string, given: unknown): TwoSampleOptions {
  // What is wrong is then the name.
  if (given === undefined || given === null || testTypes(test) === null) return {};
  const product = test.slice(test.lastIndexOf('@') + 1);
  const rules = test.includes('@') ? { ...DECISION, ...(OPTIONS[product] ?? {}), ...(OPTIONS[test] ?? {}) } : OWN;
  const { chunk_number: chunkNumber, chunk_size: chunkSize, ...options } = optionsOf(given, rules, test);
  const named: Record<string, unknown> = options;
  // As the product spells them.
  if (chunkNumber !== undefined) named['chunkNumber'] = chunkNumber;
  if (chunkSize !== undefined) named['chunkSize'] = chunkSize;
  return named as TwoSampleOptions;
}
