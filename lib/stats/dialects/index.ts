/** All dialects by name, `test@product`. */
import type { RawValue } from '../sample.ts';
import type { CategoryValue, DialectAnswer } from './answer.ts';
import { AZURE_CATEGORICAL_TESTS, AZURE_NUMERIC_TESTS, azureCategorical, azureNumeric } from './azure.ts';
import {
  DEEPCHECKS_CATEGORICAL_TESTS,
  DEEPCHECKS_NUMERIC_TESTS,
  deepchecksCategorical,
  deepchecksNumeric,
} from './deepchecks.ts';
import {
  EVIDENTLY_CATEGORICAL_TESTS,
  EVIDENTLY_NUMERIC_TESTS,
  evidentlyCategorical,
  evidentlyNumeric,
} from './evidently.ts';
import { FIDDLER_TESTS, fiddlerCategorical, fiddlerNumeric } from './fiddler.ts';
import {
  NANNYML_CATEGORICAL_TESTS,
  NANNYML_NUMERIC_TESTS,
  type NannymlOptions,
  nannymlCategorical,
  nannymlNumeric,
} from './nannyml.ts';
import {
  SAGEMAKER_CATEGORICAL_TESTS,
  SAGEMAKER_NUMERIC_TESTS,
  type SagemakerOptions,
  sagemakerCategorical,
  sagemakerNumeric,
} from './sagemaker.ts';
import {
  SCIPY_CATEGORICAL_TESTS,
  SCIPY_NUMERIC_TESTS,
  type ScipyOptions,
  scipyCategorical,
  scipyNumeric,
} from './scipy.ts';
import { TFDV_CATEGORICAL_TESTS, TFDV_NUMERIC_TESTS, tfdvCategorical, tfdvNumeric } from './tfdv.ts';
import { WHYLOGS_CATEGORICAL_TESTS, WHYLOGS_NUMERIC_TESTS, whylogsCategorical, whylogsNumeric } from './whylogs.ts';

/** What any product's test takes; each reads its own. */
export interface DialectOptions
  extends Omit<ScipyOptions, 'method'>,
    Omit<SagemakerOptions, 'method' | 'alpha'>,
    NannymlOptions {
  readonly method?: string;
  /** Instead of the product's own. */
  readonly threshold?: number;
}

interface Product {
  readonly numericTests: readonly string[];
  readonly categoricalTests: readonly string[];
  numeric(test: string, a: ArrayLike<RawValue>, b: ArrayLike<RawValue>, options: DialectOptions): DialectAnswer;
  categorical(
    test: string,
    a: ArrayLike<CategoryValue>,
    b: ArrayLike<CategoryValue>,
    options: DialectOptions,
  ): DialectAnswer;
}

const PRODUCTS: Readonly<Record<string, Product>> = {
  evidently: {
    numericTests: [...EVIDENTLY_NUMERIC_TESTS, 'default'],
    categoricalTests: [...EVIDENTLY_CATEGORICAL_TESTS, 'default'],
    numeric: (test, a, b, { threshold }) => evidentlyNumeric(test, a, b, threshold),
    categorical: (test, a, b, { threshold }) => evidentlyCategorical(test, a, b, threshold),
  },
  nannyml: {
    numericTests: NANNYML_NUMERIC_TESTS,
    categoricalTests: NANNYML_CATEGORICAL_TESTS,
    numeric: nannymlNumeric,
    categorical: nannymlCategorical,
  },
  sagemaker: {
    numericTests: SAGEMAKER_NUMERIC_TESTS,
    categoricalTests: SAGEMAKER_CATEGORICAL_TESTS,
    numeric: (test, a, b, options) =>
      sagemakerNumeric(test, a, b, { ...options, method: simpleOrRobust(options.method) }),
    categorical: (test, a, b, options) =>
      sagemakerCategorical(test, a, b, { ...options, method: simpleOrRobust(options.method) }),
  },
  scipy: {
    // `ks` is what everybody calls it.
    numericTests: [...SCIPY_NUMERIC_TESTS, 'ks'],
    categoricalTests: SCIPY_CATEGORICAL_TESTS,
    numeric: (test, a, b, options) => scipyNumeric(test === 'ks' ? 'ks_2samp' : test, a, b, options as ScipyOptions),
    categorical: (test, a, b, options) => scipyCategorical(test, a, b, options as ScipyOptions),
  },
  tfdv: {
    numericTests: TFDV_NUMERIC_TESTS,
    categoricalTests: TFDV_CATEGORICAL_TESTS,
    numeric: tfdvNumeric,
    categorical: tfdvCategorical,
  },
  azure: {
    numericTests: AZURE_NUMERIC_TESTS,
    categoricalTests: AZURE_CATEGORICAL_TESTS,
    numeric: azureNumeric,
    categorical: azureCategorical,
  },
  deepchecks: {
    numericTests: DEEPCHECKS_NUMERIC_TESTS,
    categoricalTests: DEEPCHECKS_CATEGORICAL_TESTS,
    numeric: deepchecksNumeric,
    categorical: deepchecksCategorical,
  },
  whylogs: {
    numericTests: WHYLOGS_NUMERIC_TESTS,
    categoricalTests: WHYLOGS_CATEGORICAL_TESTS,
    numeric: whylogsNumeric,
    categorical: whylogsCategorical,
  },
  fiddler: {
    numericTests: FIDDLER_TESTS,
    categoricalTests: FIDDLER_TESTS,
    numeric: fiddlerNumeric,
    categorical: fiddlerCategorical,
  },
};

/** `null` where there is no such name. */
export function runDialect(
  name: string,
  type: 'numeric' | 'categorical',
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: DialectOptions,
): DialectAnswer | null {
  const found = findDialect(name);
  if (found === null) return null;
  const { product, test } = found;
  return type === 'numeric'
    ? product.numeric(test, reference as ArrayLike<RawValue>, current as ArrayLike<RawValue>, options)
    : product.categorical(test, reference, current, options);
}

/** The types of columns that the product offers the test for; `null` where there is no such name. */
export function dialectTypes(name: string): ('numeric' | 'categorical')[] | null {
  const found = findDialect(name);
  if (found === null) return null;
  const { product, test } = found;
  return [
    ...(product.numericTests.includes(test) ? (['numeric'] as const) : []),
    ...(product.categoricalTests.includes(test) ? (['categorical'] as const) : []),
  ];
}

function findDialect(name: string): { readonly product: Product; readonly test: string } | null {
  const at = name.lastIndexOf('@');
  const test = name.slice(0, at);
  const product = at > 0 && Object.hasOwn(PRODUCTS, name.slice(at + 1)) ? PRODUCTS[name.slice(at + 1)] : undefined;
  if (product === undefined) return null;
  return product.numericTests.includes(test) || product.categoricalTests.includes(test) ? { product, test } : null;
}

export function dialectNames(): string[] {
  return Object.entries(PRODUCTS).flatMap(([product, { numericTests, categoricalTests }]) =>
    [...new Set([...numericTests, ...categoricalTests])].map((test) => `${test}@${product}`),
  );
}

function simpleOrRobust(method: string | undefined): 'simple' | 'robust' | undefined {
  return method === 'simple' || method === 'robust' ? method : undefined;
}
