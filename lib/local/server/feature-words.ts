/** The numbers of a feature's tests in words that a model's owner understands. */
import type { FeatureResult, TestResult } from '../../contracts/result.ts';
import { numberText, shareText } from '../../engine/verdict-words.ts';

/** What each test measures; `#` stands for its statistic. */
const MEANINGS: Readonly<Record<string, string>> = {
  ks: 'Kolmogorov–Smirnov: the largest gap between the two cumulative distributions is #',
  kuiper: 'Kuiper: the largest gaps above and below, added, are #',
  psi: 'Population stability index: #; custom has it that below 0.1 is stable and above 0.25 has shifted',
  kl: 'Kullback–Leibler divergence: #',
  'jensen-shannon': 'Jensen–Shannon distance: # on a scale from 0 (the same) to 1 (nothing in common)',
  hellinger: 'Hellinger distance: # on a scale from 0 (the same) to 1 (nothing in common)',
  'total-variation': 'Total variation: a share of # of the rows would have to move for both to be alike',
  'l-infinity': 'Largest change of the share of a single bin or category: #',
  wasserstein: "Wasserstein: a row moved by # on average, in the feature's own unit",
  'wasserstein-normalized': 'Wasserstein: a row moved by # standard deviations on average',
  'chi-square': 'Chi-square of bins or categories: #',
  g: 'G statistic of bins or categories: #',
};

export function explain(feature: FeatureResult): string[] {
  const lines = [feature.summary];
  lines.push(decision(feature));
  for (const change of feature.changes)
    lines.push(
      `${change.what}: ${shareText(change.reference)} of the rows in the baseline, ${shareText(change.current)} now.`,
    );
  if (feature.effect !== null)
    lines.push(
      `Size of the change: ${numberText(feature.effect)}, which is ${sizeWord(feature.effect)} (0.05 tiny, 0.1 small, 0.3 medium, 0.5 large).`,
    );
  if (feature.detectable !== null)
    lines.push(
      `A window of this size shows changes of ${numberText(feature.detectable)} or more in four cases of five.`,
    );
  if (feature.provisional)
    lines.push('Provisional: the baseline holds too few windows to know well how much this feature varies by itself.');
  for (const test of feature.others) lines.push(testWords(test));
  return lines.filter((line) => line !== '');
}

function decision({ status, test, pValue, threshold, reason }: FeatureResult): string {
  if (status === 'insufficient-data') return `Not judged: ${reason ?? 'too few rows'}.`;
  if (pValue === null || threshold === null) return reason === undefined ? '' : `${reason}.`;
  const verb = pValue <= threshold ? 'below' : 'above';
  return `Decided by ${test}: a stream in which nothing has changed would look as different as this with probability ${probability(pValue)}, ${verb} the limit of ${probability(threshold)} that its share of the budget allows.`;
}

function testWords({ test, statistic, pValue, reason }: TestResult): string {
  if (statistic === null) return reason === undefined ? '' : `${test}: ${reason}.`;
  const meaning = MEANINGS[test] ?? `${test}: #`;
  const chance = pValue === null ? '' : `; p-value ${probability(pValue)}`;
  return `${meaning.replace('#', numberText(statistic))}${chance}.`;
}

function probability(p: number): string {
  if (p === 0) return 'less than 1e-300';
  return p < 0.0001 ? p.toExponential(1) : Number(p.toPrecision(2)).toString();
}

function sizeWord(effect: number): string {
  if (effect < 0.05) return 'below tiny';
  if (effect < 0.1) return 'tiny';
  if (effect < 0.3) return 'small';
  return effect < 0.5 ? 'medium' : 'large';
}
