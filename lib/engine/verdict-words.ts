/** Numbers, shares and bins as a model's owner reads them. */
import type { ColumnBaseline, NumericBaseline } from '../contracts/baseline.ts';
import type { VerdictBins } from './verdict-bins.ts';

/** At most four significant digits, thousands apart: 1234.5 → `1,235`, 0.00012 → `0.00012`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e15 || magnitude < 1e-6)) return value.toExponential(2);
  const rounded = magnitude >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
  const [whole = '0', fraction] = String(Math.abs(rounded)).split('.');
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction === undefined ? '' : `.${fraction}`);
  return rounded < 0 ? `-${text}` : text;
}

/** 0..1 → `0 %`, `0.02 %`, `4.1 %`, `41 %`. */
export function shareText(share: number, digits = 0): string {
  const percent = 100 * share;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent >= 10) return `${percent.toFixed(digits)} %`;
  if (percent >= 0.1) return `${percent.toFixed(1 + digits)} %`;
  return `${Number(percent.toPrecision(1 + digits))} %`;
}

/** `rose from 4.1 % to 9.0 %`; doubled and halved where it is that. */
export function movedText(reference: number, current: number): string {
  let from = shareText(reference);
  let to = shareText(current);
  if (from === to) {
    from = shareText(reference, 1);
    to = shareText(current, 1);
  }
  const ratio = reference > 0 ? current / reference : Number.POSITIVE_INFINITY;
  const verb =
    ratio >= 1.9 && ratio <= 2.1
      ? 'doubled'
      : ratio >= 0.48 && ratio <= 0.52
        ? 'halved'
        : current >= reference
          ? 'rose'
          : 'fell';
  return `${verb} from ${from} to ${to}`;
}

/** Text of data within a sentence: bounded, on one line. */
export function quoted(text: string): string {
  const plain = text.replaceAll(/\s+/g, ' ').trim();
  if (plain === '') return '(empty text)';
  return plain.length > 40 ? `${plain.slice(0, 39)}…` : plain;
}

/** Name of a verdict bin: `10 to 20`, `value 0`, `above 1,200`, `JFK`, `rarer categories`, `unseen categories`, `missing`. */
export function binLabel(column: ColumnBaseline, bins: VerdictBins, bin: number): string {
  if (bin === bins.missing) return 'missing';
  if (column.type === 'numeric') return rangeLabel(column, bins, bin, bin);
  if (bin === bins.unseen) return 'unseen categories';
  if (bin === bins.other) return 'rarer categories';
  const index = bins.ofFine.indexOf(bin);
  return quoted(column.categories[index] ?? 'rarer categories');
}

/** Name of the values in verdict bins `first` to `last` of a number. */
export function rangeLabel(column: NumericBaseline, bins: VerdictBins, first: number, last: number): string {
  const { edges } = column.bins;
  const lowFine = bins.ofFine.indexOf(first);
  const highFine = bins.ofFine.lastIndexOf(last);
  const low = lowFine <= 0 ? null : edges[lowFine - 1];
  const high = highFine < 0 || highFine >= edges.length ? null : edges[highFine];
  if (low == null && high == null) return 'values';
  if (low == null) return `below ${numberText(high ?? 0)}`;
  if (high == null)
    return isAboveMaximum(column, low) ? `above ${numberText(column.max ?? low)}` : `above ${numberText(low)}`;
  if (isOneValue(column, low, high)) return `value ${numberText(low)}`;
  return `${numberText(low)} to ${numberText(high)}`;
}

function isAboveMaximum(column: NumericBaseline, edge: number): boolean {
  return column.max !== null && edge > column.max;
}

function isOneValue(column: NumericBaseline, low: number, high: number): boolean {
  return high - low <= Math.abs(low) * 5e-16 + 5e-324 || (column.integer && Number.isInteger(low) && high - low <= 1);
}
