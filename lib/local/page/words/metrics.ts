/** Metrics in words. The page does not import the monitor's schema: its library would double the page. A test compares the two. */
import { number, share, UNKNOWN } from './numbers.ts';

const NAMES: Readonly<Record<string, string>> = {
  accuracy: 'Accuracy',
  precision: 'Precision',
  recall: 'Recall',
  f1: 'F1',
  specificity: 'Specificity',
  'log-loss': 'Log loss',
  brier: 'Brier score',
  'roc-auc': 'ROC AUC',
  'average-precision': 'PR AUC',
  mae: 'MAE',
  rmse: 'RMSE',
  mape: 'MAPE',
  r2: 'R²',
  bias: 'Bias',
};
const SHARES: ReadonlySet<string> = new Set(['accuracy', 'precision', 'recall', 'specificity', 'mape']);
const LOWER: ReadonlySet<string> = new Set(['log-loss', 'brier', 'mae', 'rmse', 'mape']);
/** Those that say most, first. */
const ORDER = ['accuracy', 'roc-auc', 'f1', 'rmse', 'mae', 'r2'];

export function metricName(metric: string): string {
  return Object.hasOwn(NAMES, metric) ? (NAMES[metric] ?? metric) : metric;
}

export function metricValue(metric: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  return SHARES.has(metric) ? share(value) : number(value);
}

export function lowerIsBetter(metric: string): boolean {
  return LOWER.has(metric);
}

/** Metrics in the order of how much they tell; unknown ones keep their order, at the end. */
export function orderedMetrics(metrics: readonly string[]): string[] {
  const rank = (metric: string): number => {
    const at = ORDER.indexOf(metric);
    return at < 0 ? ORDER.length : at;
  };
  return [...metrics].sort((a, b) => rank(a) - rank(b));
}
