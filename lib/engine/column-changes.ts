/** What carries a column's drift: bins and categories by how far they moved, and one sentence about it. */
import type { CategoricalBaseline, ColumnBaseline, NumericBaseline } from '../contracts/baseline.ts';
import type { Change } from '../contracts/result.ts';
import type { ColumnCounts } from './column-counts.ts';
import { round12 } from './round.ts';
import type { ScoreFinding } from './score-judge.ts';
import { TAIL_SLACK } from './scores.ts';
import type { BinnedWindow, VerdictBins } from './verdict-bins.ts';
import { binLabel, movedText, numberText, quoted, rangeLabel } from './verdict-words.ts';

export interface Moved {
  readonly column: ColumnBaseline;
  readonly bins: VerdictBins;
  readonly window: BinnedWindow;
  readonly counts: ColumnCounts;
  /** Scores beyond the level, most surprising first. */
  readonly flagged: readonly ScoreFinding[];
}

/** Changes told at most, and pieces of a sentence. */
const CHANGES = 5;
const PIECES = 3;
/** Standard deviations of sampling noise that a share must have moved to be told. */
const TOLD = 3;

interface Candidate extends Change {
  readonly weight: number;
}

export function changesOf(moved: Moved): Change[] {
  const candidates =
    moved.column.type === 'numeric'
      ? numericCandidates(moved.column, moved)
      : categoricalCandidates(moved.column, moved);
  const missing = candidate(
    moved,
    'missing',
    binShare(moved, moved.bins.missing),
    currentShare(moved, moved.bins.missing),
  );
  const told = [...candidates, missing].filter(({ weight }) => weight >= TOLD);
  return told
    .sort((a, b) => b.weight - a.weight || (a.what < b.what ? -1 : 1))
    .slice(0, CHANGES)
    .map(({ what, reference, current }) => ({ what, reference: round12(reference), current: round12(current) }));
}

export function sentenceOf(moved: Moved): string {
  const { column, flagged } = moved;
  const pieces: string[] = [];
  const shifted = flagged.some(({ aspect }) => aspect.kind === 'location');
  const first = flagged.filter(({ aspect }) => aspect.kind === 'location' || aspect.kind === 'spread');
  for (const finding of [...first, ...flagged]) {
    // A shift moves bins and tails too: they are its consequence, not news.
    const kind = finding.aspect.kind;
    if (shifted && (kind === 'bin' || kind === 'spread') && column.type === 'numeric') continue;
    const piece = pieceOf(finding, moved);
    if (piece !== null && !pieces.includes(piece)) pieces.push(piece);
  }
  const more = column.type === 'categorical' ? pieces.length - PIECES : 0;
  const text = pieces.slice(0, PIECES).join('; ');
  return more > 0 ? `${text}; and ${more} more` : text;
}

/** What moved, as `FeatureResult.aspect` names it. */
export function aspectText(finding: ScoreFinding, { column, bins }: Pick<Moved, 'column' | 'bins'>): string {
  const { aspect } = finding;
  if (aspect.kind === 'low-tail') return 'lowest values';
  if (aspect.kind === 'high-tail') return 'highest values';
  if (aspect.kind === 'mix') return 'mix of categories';
  if (aspect.kind !== 'bin') return aspect.kind;
  const label = binLabel(column, bins, aspect.bin);
  if (aspect.bin === bins.unseen || aspect.bin === bins.other) return label;
  return column.type === 'categorical' ? `category ${label}` : label;
}

function pieceOf({ aspect, deviations, effect, shares }: ScoreFinding, moved: Moved): string | null {
  const { column, bins } = moved;
  switch (aspect.kind) {
    case 'mix':
      if (moved.flagged.length > 1) return null;
      return `the mix of ${bins.values} categories has moved as a whole, by w ${numberText(Number(effect.toPrecision(2)))}`;
    case 'location':
      return column.type === 'numeric' ? locationPiece(column, moved, deviations > 0) : null;
    case 'spread':
      return column.type === 'numeric' ? spreadPiece(column, moved, deviations > 0) : null;
    case 'missing':
      return shares === null ? null : `missing ${movedText(binShare(moved, bins.missing), shares.found)}`;
    case 'low-tail':
    case 'high-tail': {
      if (column.type !== 'numeric' || shares === null) return null;
      const tail = tailOf(moved, aspect);
      const text = movedText(tail.rows === 0 ? 0 : shares.expected, shares.found);
      return `values ${rangeLabel(column, bins, tail.first, tail.last)} ${text}`;
    }
    case 'bin': {
      if (shares === null) return null;
      const label = binLabel(column, bins, aspect.bin);
      const text = movedText(bins.baseline[aspect.bin] === 0 ? 0 : shares.expected, shares.found);
      if (column.type === 'numeric') return `share of ${label} ${text}`;
      if (aspect.bin !== bins.unseen) return `share of ${label} ${text}`;
      return `unseen categories${unseenNames(moved)} ${movedText(bins.expectedUnseen, shares.found)}`;
    }
  }
}

function locationPiece(column: NumericBaseline, moved: Moved, up: boolean): string {
  const { mean } = moved.counts;
  const split = largestSplit(column, moved);
  const told = split === null ? '' : `${split.what} ${movedText(split.reference, split.current)}`;
  if (mean !== null && column.mean !== null && column.std !== null && column.std > 0) {
    const shift = (mean - column.mean) / column.std;
    if (Math.abs(shift) >= 0.02 && shift > 0 === up) {
      const by = `mean ${up ? 'up' : 'down'} by ${numberText(Number(Math.abs(shift).toPrecision(2)))} standard deviations (${numberText(column.mean)} to ${numberText(mean)})`;
      return told === '' ? by : `${by}; values ${told}`;
    }
  }
  return told === '' ? `values are ${up ? 'higher' : 'lower'}` : `values ${up ? 'higher' : 'lower'}: ${told}`;
}

function spreadPiece(column: NumericBaseline, { counts }: Moved, up: boolean): string {
  if (counts.std !== null && column.std !== null && column.std > 0) {
    const ratio = counts.std / column.std;
    if (Math.abs(ratio - 1) >= 0.02 && ratio > 1 === up)
      return `spread ${up ? 'up' : 'down'} by ${Math.round(100 * Math.abs(ratio - 1))} % (standard deviation ${numberText(column.std)} to ${numberText(counts.std)})`;
  }
  return up ? 'values lie further apart' : 'values lie closer together';
}

/** The bins of a tail, and the rows that the baseline has in them. */
function tailOf(
  { bins }: Moved,
  { kind, share }: { readonly kind: 'low-tail' | 'high-tail'; readonly share: number },
): { readonly first: number; readonly last: number; readonly rows: number } {
  const most = TAIL_SLACK * share * (bins.rows - bins.baseline[bins.missing]!);
  const step = kind === 'high-tail' ? -1 : 1;
  const outer = kind === 'high-tail' ? bins.values - 1 : 0;
  let reach = outer;
  let rows = 0;
  for (let bin = outer; bin >= 0 && bin < bins.values; bin += step) {
    if (rows + bins.baseline[bin]! > most) break;
    rows += bins.baseline[bin]!;
    reach = bin;
  }
  return kind === 'high-tail' ? { first: reach, last: outer, rows } : { first: outer, last: reach, rows };
}

function numericCandidates(column: NumericBaseline, moved: Moved): Candidate[] {
  const { bins } = moved;
  const found: Candidate[] = [];
  const split = largestSplit(column, moved);
  if (split !== null) found.push(split);
  for (const bin of [0, bins.values - 1])
    if (bins.values > 1 && bins.baseline[bin] === 0)
      found.push(candidate(moved, rangeLabel(column, bins, bin, bin), binShare(moved, bin), currentShare(moved, bin)));
  for (const { aspect } of moved.flagged)
    if (aspect.kind === 'bin')
      found.push(
        candidate(
          moved,
          rangeLabel(column, bins, aspect.bin, aspect.bin),
          binShare(moved, aspect.bin),
          currentShare(moved, aspect.bin),
        ),
      );
  return found.filter((one, i) => found.findIndex(({ what }) => what === one.what) === i);
}

/** The value at which the cumulated shares lie furthest apart, told as the side that grew. */
function largestSplit(column: NumericBaseline, moved: Moved): Candidate | null {
  const { bins } = moved;
  let best: { bin: number; gap: number; reference: number; current: number } | null = null;
  let reference = 0;
  let current = 0;
  for (let bin = 0; bin + 1 < bins.values; bin++) {
    reference += binShare(moved, bin);
    current += currentShare(moved, bin);
    const gap = current - reference;
    if (best === null || Math.abs(gap) > Math.abs(best.gap)) best = { bin, gap, reference, current };
  }
  if (best === null || best.gap === 0) return null;
  if (best.gap > 0) return candidate(moved, rangeLabel(column, bins, 0, best.bin), best.reference, best.current);
  const missing = [binShare(moved, bins.missing), currentShare(moved, bins.missing)] as const;
  return candidate(
    moved,
    rangeLabel(column, bins, best.bin + 1, bins.values - 1),
    Math.max(0, 1 - missing[0] - best.reference),
    Math.max(0, 1 - missing[1] - best.current),
  );
}

function categoricalCandidates(column: CategoricalBaseline, moved: Moved): Candidate[] {
  const { bins, window, counts } = moved;
  const scale = counts.weighted === null ? 1 : window.rows / weightOf(counts);
  const source = counts.weighted === null ? counts.bins : counts.weighted.w;
  const found = column.categories.map((category, i) =>
    candidate(
      moved,
      quoted(category),
      bins.rows === 0 ? 0 : (column.counts[i] ?? 0) / bins.rows,
      (source[i]! * scale) / window.rows,
    ),
  );
  if (bins.unseen !== null)
    found.push(candidate(moved, `unseen${unseenNames(moved)}`, bins.expectedUnseen, currentShare(moved, bins.unseen)));
  return found;
}

function weightOf({ weighted, bins }: ColumnCounts): number {
  if (weighted === null) return bins.length;
  let sum = weighted.missing[0] + weighted.unseen[0];
  for (let i = 0; i < weighted.w.length; i++) sum += weighted.w[i]!;
  return sum;
}

function unseenNames({ counts }: Moved): string {
  const names = counts.unseen.top.slice(0, 3).map(([category]) => quoted(category));
  return names.length === 0 ? '' : ` (${names.join(', ')}${counts.unseen.top.length > 3 ? ', …' : ''})`;
}

/** `weight`: standard deviations of sampling noise that the share moved. */
function candidate({ bins, window }: Moved, what: string, reference: number, current: number): Candidate {
  const least = 0.5 / Math.max(bins.rows, 1);
  const p = Math.min(1 - least, Math.max(least, reference));
  const weight = (Math.abs(current - reference) / Math.sqrt(p * (1 - p))) * Math.sqrt(window.rows);
  return { what, reference, current, weight };
}

function binShare({ bins }: Moved, bin: number): number {
  return bins.rows === 0 ? 0 : bins.baseline[bin]! / bins.rows;
}

function currentShare({ window }: Moved, bin: number): number {
  return window.rows === 0 ? 0 : window.counts[bin]! / window.rows;
}
