/** Our own two-sample tests by name: of raw numbers, and of binned numbers or categories. */
import { andersonDarling } from '../stats/anderson-darling.ts';
import { brownForsythe } from '../stats/brown-forsythe.ts';
import { chiSquareOfCounts } from '../stats/chi-square.ts';
import { cramerVonMises } from '../stats/cramer-von-mises.ts';
import { cramersVOfCounts } from '../stats/cramers-v.ts';
import { energy } from '../stats/energy.ts';
import { eppsSingleton } from '../stats/epps-singleton.ts';
import { fisherOfCounts } from '../stats/fisher.ts';
import { gTestOfCounts } from '../stats/g-test.ts';
import { hellingerOfCounts } from '../stats/hellinger.ts';
import { jensenShannonOfCounts } from '../stats/jensen-shannon.ts';
import { klOfCounts } from '../stats/kl.ts';
import { ks } from '../stats/ks.ts';
import { kuiper } from '../stats/kuiper.ts';
import { lInfinityOfCounts } from '../stats/l-infinity.ts';
import { mannWhitney } from '../stats/mann-whitney.ts';
import type { BinnedPair, Outcome } from '../stats/outcome.ts';
import { psiOfCounts } from '../stats/psi.ts';
import type { RawValue } from '../stats/sample.ts';
import { tTest } from '../stats/t-test.ts';
import { totalVariationOfCounts } from '../stats/total-variation.ts';
import { wasserstein } from '../stats/wasserstein.ts';
import { zProportionsOfCounts } from '../stats/z-proportions.ts';

export type NumericTest = (reference: ArrayLike<RawValue>, current: ArrayLike<RawValue>) => Outcome;
export type BinnedTest = (pair: BinnedPair) => Outcome;

export const NUMERIC_TESTS: Readonly<Record<string, NumericTest>> = {
  ks: (a, b) => ks(a, b),
  kuiper,
  'cramer-von-mises': (a, b) => cramerVonMises(a, b),
  'anderson-darling': andersonDarling,
  'mann-whitney': (a, b) => mannWhitney(a, b),
  't-student': (a, b) => tTest(a, b),
  't-welch': (a, b) => tTest(a, b, { variances: 'welch' }),
  'brown-forsythe': brownForsythe,
  wasserstein: (a, b) => wasserstein(a, b),
  'wasserstein-normalized': (a, b) => wasserstein(a, b, { normalised: true }),
  energy: (a, b) => energy(a, b),
  'epps-singleton': eppsSingleton,
};

/** Numbers are cut into bins of equal share of the reference first. */
export const BINNED_TESTS: Readonly<Record<string, BinnedTest>> = {
  psi: (pair) => psiOfCounts(pair, { law: 'given-counts' }),
  kl: klOfCounts,
  'jensen-shannon': (pair) => jensenShannonOfCounts(pair, { law: 'given-counts' }),
  hellinger: hellingerOfCounts,
  'total-variation': totalVariationOfCounts,
  'l-infinity': lInfinityOfCounts,
  'chi-square': (pair) => chiSquareOfCounts(pair, { minimumExpected: 0, sparse: 'given-counts' }),
  g: (pair) => gTestOfCounts(pair),
  fisher: fisherOfCounts,
  'z-proportions': zProportionsOfCounts,
  'cramers-v': cramersVOfCounts,
};
