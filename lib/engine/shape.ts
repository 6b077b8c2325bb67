/**
 * What a monitor and its baseline mean for profiles, compiled once: the columns in order, where each of their counts lies,
 * the windows, the segments. Profiles of different shapes are never merged: `digest` tells them apart.
 */
import { createHash } from 'node:crypto';
import type {
  Baseline,
  CategoricalBaseline,
  ColumnBaseline,
  ColumnRole,
  NumericBaseline,
} from '../contracts/baseline.ts';
import { EVENT_LIMITS } from '../contracts/event.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { BinTable } from './bin-table.ts';
import { Vocabulary } from './vocabulary.ts';
import { WindowRule } from './window.ts';

/** Enters every digest: raised when the same events would make other profiles. */
const PROFILE_RULES = 1;
/** Slots of a column after its bins: not finite (numbers) or unseen (categories), then type errors. */
const EXTRA_SLOTS = 2;

interface ColumnLayout {
  /** Position in `Shape.columns`. */
  readonly index: number;
  readonly name: string;
  readonly role: ColumnRole;
  /** Number of bins: fine bins of a number, categories of the vocabulary. */
  readonly bins: number;
  /** First slot of its bins; `offset + bins` and the slot after hold what is no value of a bin. */
  readonly offset: number;
  /** For each bin its group within a segment, ascending: verdict bins, the outer bins of a number apart. */
  readonly groups: Uint16Array;
  readonly groupCount: number;
  /** For each group its first bin. */
  readonly firstOfGroup: Uint16Array;
  /** First slot of its groups in a segment's counts, likewise with two slots after. */
  readonly groupOffset: number;
}

export interface NumericShapeColumn extends ColumnLayout {
  readonly type: 'numeric';
  readonly baseline: NumericBaseline | null;
  readonly edges: readonly number[];
  /** Fixed point of the moments; without a baseline there are none. */
  readonly moments: { readonly center: number; readonly unit: number } | null;
}

export interface CategoricalShapeColumn extends ColumnLayout {
  readonly type: 'categorical';
  readonly baseline: CategoricalBaseline | null;
  /** In the order of its bins. */
  readonly categories: readonly string[];
  readonly vocabulary: Vocabulary;
}

export type ShapeColumn = NumericShapeColumn | CategoricalShapeColumn;

export interface ShapeSegment {
  readonly by: string;
  readonly top: number;
  readonly minimumRows: number;
  /** The values that are kept apart, when the baseline tells; else those with the smallest hash are. */
  readonly values: readonly string[] | null;
}

export interface Shape {
  /** 16 hexadecimal digits over all that determines the bytes of a profile. */
  readonly digest: string;
  readonly monitor: Monitor;
  readonly baseline: Baseline | null;
  /** A baseline is being learned: profiles keep fixed bins of numbers, and more categories. */
  readonly learning: boolean;
  readonly columns: readonly ShapeColumn[];
  readonly windows: WindowRule;
  readonly segments: readonly ShapeSegment[];
  /** Feature name to column. */
  readonly features: ReadonlyMap<string, ShapeColumn>;
  /** Features that are known and not profiled: the monitor drops them, or leaves out what the baseline has. */
  readonly ignored: ReadonlySet<string>;
  readonly score: ShapeColumn | null;
  readonly prediction: ShapeColumn | null;
  /** Slots of a profile, and of a segment's counts. */
  readonly slots: number;
  readonly groupSlots: number;
  /** For each slot of a profile the slot of a segment's counts. */
  readonly groupOf: Int32Array;
  readonly table: ColumnTable;
}

/** What folding a value needs, by index of the column. */
export interface ColumnTable {
  /** Names of features; empty for score and prediction. */
  readonly names: readonly string[];
  /** 1 for numbers, 0 for categories. */
  readonly numeric: Uint8Array;
  /** First slot of its bins, and the slot after them. */
  readonly offsets: Int32Array;
  readonly ends: Int32Array;
  readonly vocabularies: readonly Vocabulary[];
  readonly bins: BinTable;
  /** Fixed point of the moments: round((x - center) * inverse); inverse 0 where there are none. */
  readonly centers: Float64Array;
  readonly inverses: Float64Array;
}

/** @throws RangeError when there is no such column */
export function columnAt({ columns }: Shape, index: number): ShapeColumn {
  const column = columns[index];
  if (column === undefined) throw new RangeError(`there is no column ${index}; expected 0 to ${columns.length - 1}`);
  return column;
}

/**
 * Columns: those of the baseline, in its order; with `monitor.features`, only these, and those of them that the baseline does
 * not have (or has with the other type, or hashed where the monitor does not hash) follow without bins; dropped ones do not.
 * Without a baseline score and prediction are columns too.
 * Throws ProblemError when the baseline contradicts itself or the scales do not fill each other.
 */
export function compileShape(monitor: Monitor, baseline: Baseline | null): Shape {
  const problems: Problem[] = [];
  const windows = new WindowRule(monitor.window, monitor.drift.scales);
  const columns: ShapeColumn[] = [];
  const seen = new Set<string>();
  let slots = 0;
  let groupSlots = 0;
  for (const planned of plan(monitor, baseline)) {
    problems.push(...contradictions(planned));
    const identity = planned.role === 'feature' ? `feature ${planned.name}` : planned.role;
    if (seen.has(identity))
      problems.push({ code: 'bad-baseline', path: `baseline.columns.${planned.name}`, message: 'appears twice' });
    seen.add(identity);
    if (problems.length > 0) continue;
    const column = compileColumn(planned, columns.length, slots, groupSlots);
    columns.push(column);
    slots += column.bins + EXTRA_SLOTS;
    groupSlots += column.groupCount + EXTRA_SLOTS;
  }
  if (problems.length > 0) throw new ProblemError(problems);
  const features = new Map<string, ShapeColumn>();
  for (const column of columns) if (column.role === 'feature') features.set(column.name, column);
  const ignored = new Set<string>();
  for (const { name, role } of baseline?.columns ?? [])
    if (role === 'feature' && !features.has(name)) ignored.add(name);
  for (const name of baseline?.withheld ?? []) if (!features.has(name)) ignored.add(name);
  for (const [name, { policy }] of Object.entries(monitor.features ?? {})) if (policy === 'drop') ignored.add(name);
  const segments = monitor.segments.map(({ by, top, minimumRows }) => ({
    by,
    top,
    minimumRows,
    values: segmentValues(features.get(by), top),
  }));
  const learning = baseline === null && monitor.baseline.learn !== undefined;
  return {
    digest: digestOf(windows, columns, segments, ignored, learning ? policiesOf(monitor) : null),
    monitor,
    baseline,
    learning,
    columns,
    windows,
    segments,
    features,
    ignored,
    score: columns.find((column) => column.role === 'score') ?? null,
    prediction: columns.find((column) => column.role === 'prediction') ?? null,
    slots,
    groupSlots,
    groupOf: groupTable(columns, slots),
    table: {
      names: columns.map(({ name, role }) => (role === 'feature' ? interned(name) : '')),
      numeric: Uint8Array.from(columns, ({ type }) => (type === 'numeric' ? 1 : 0)),
      offsets: Int32Array.from(columns, ({ offset }) => offset),
      ends: Int32Array.from(columns, ({ offset, bins }) => offset + bins),
      vocabularies: columns.map((column) => (column.type === 'categorical' ? column.vocabulary : NO_VOCABULARY)),
      bins: new BinTable(columns.map((column) => (column.type === 'numeric' ? column.edges : []))),
      centers: Float64Array.from(columns, (column) => (column.type === 'numeric' ? (column.moments?.center ?? 0) : 0)),
      inverses: Float64Array.from(columns, (column) =>
        column.type === 'numeric' && column.moments !== null ? 1 / column.moments.unit : 0,
      ),
    },
  };
}

interface Planned {
  readonly name: string;
  readonly role: ColumnRole;
  readonly type: 'numeric' | 'categorical';
  readonly baseline: ColumnBaseline | null;
}

function plan(monitor: Monitor, baseline: Baseline | null): Planned[] {
  const planned: Planned[] = [];
  const declared = new Map(Object.entries(monitor.features ?? {}).filter(([, { policy }]) => policy !== 'drop'));
  for (const column of baseline?.columns ?? []) {
    const { name, role, type } = column;
    if (role === 'feature' && monitor.features !== undefined) {
      const rule = declared.get(name);
      if (rule?.type !== type) continue;
      // Hashes and names have nothing in common: all would seem unseen.
      if (type === 'categorical' && (column.policyKey !== undefined) !== (rule.policy === 'hash')) continue;
      declared.delete(name);
    }
    planned.push({ name, role, type, baseline: column });
  }
  for (const [name, { type }] of declared) planned.push({ name, role: 'feature', type, baseline: null });
  if (baseline === null) {
    const { score = 'score', prediction = 'prediction' } = monitor.columns;
    planned.push({ name: score, role: 'score', type: 'numeric', baseline: null });
    const type = monitor.task === 'regression' ? 'numeric' : 'categorical';
    planned.push({ name: prediction, role: 'prediction', type, baseline: null });
  }
  return planned;
}

function compileColumn(planned: Planned, index: number, offset: number, groupOffset: number): ShapeColumn {
  const { name, role, baseline } = planned;
  const place = { index, name, role, offset, groupOffset };
  if (planned.type === 'numeric') {
    const numeric = baseline?.type === 'numeric' ? baseline : null;
    const edges = numeric?.bins.edges ?? [];
    const groups = numberGroups(numeric, edges.length + 1);
    return {
      ...place,
      type: 'numeric',
      baseline: numeric,
      bins: edges.length + 1,
      groups,
      groupCount: groups.at(-1)! + 1,
      firstOfGroup: firstBins(groups),
      edges,
      moments: numeric === null ? null : { center: numeric.center, unit: numeric.unit },
    };
  }
  const categorical = baseline?.type === 'categorical' ? baseline : null;
  const categories = categorical?.categories ?? [];
  const groups = Uint16Array.from(categorical?.verdictBin ?? []);
  return {
    ...place,
    type: 'categorical',
    baseline: categorical,
    bins: categories.length,
    groups,
    groupCount: groups.reduce((most, group) => Math.max(most, group + 1), 0),
    firstOfGroup: firstBins(groups),
    categories,
    vocabulary: new Vocabulary(categories.map(interned)),
  };
}

/** Verdict bins with the two outer bins (out of range) apart, so that a segment still knows what was out of range. */
function numberGroups(baseline: NumericBaseline | null, bins: number): Uint16Array {
  const groups = new Uint16Array(bins);
  if (baseline === null) return groups;
  for (let bin = 1; bin < bins; bin++) {
    const apart = bin === 1 || bin === bins - 1 || baseline.bins.verdictBin[bin] !== baseline.bins.verdictBin[bin - 1];
    groups[bin] = groups[bin - 1]! + (apart ? 1 : 0);
  }
  return groups;
}

function firstBins(groups: Uint16Array): Uint16Array {
  const first = new Uint16Array(groups.reduce((most, group) => Math.max(most, group + 1), 0));
  for (let bin = groups.length - 1; bin >= 0; bin--) first[groups[bin]!] = bin;
  return first;
}

function segmentValues(column: ShapeColumn | undefined, top: number): string[] | null {
  if (column?.type !== 'categorical' || column.baseline === null) return null;
  return column.baseline.categories.filter((category) => category !== OTHER_SEGMENT).slice(0, top);
}

/**
 * The same text as the very string that parsing JSON yields for a key (and for a short value): V8 then compares them by
 * address instead of reading both.
 */
function interned(text: string): string {
  return Object.keys({ [text]: null })[0] ?? text;
}

const NO_VOCABULARY = new Vocabulary([]);

/** What is left over of a segmentation; a value of this name is counted in it too. */
export const OTHER_SEGMENT = 'other';

function groupTable(columns: readonly ShapeColumn[], slots: number): Int32Array {
  const table = new Int32Array(slots);
  for (const { offset, bins, groups, groupCount, groupOffset } of columns) {
    for (let bin = 0; bin < bins; bin++) table[offset + bin] = groupOffset + groups[bin]!;
    for (let extra = 0; extra < EXTRA_SLOTS; extra++) table[offset + bins + extra] = groupOffset + groupCount + extra;
  }
  return table;
}

function digestOf(
  windows: WindowRule,
  columns: readonly ShapeColumn[],
  segments: readonly ShapeSegment[],
  ignored: ReadonlySet<string>,
  learned: unknown,
): string {
  const { timezone } = windows.window;
  const content = [
    PROFILE_RULES,
    [timezone, windows.scales.map(({ ms }) => ms), windows.latenessMs, windows.reviseMs],
    columns.map((column) => [
      column.name,
      column.role,
      column.type,
      column.type === 'numeric' ? column.edges : column.categories,
      column.type === 'numeric'
        ? column.moments === null
          ? null
          : [column.moments.center, column.moments.unit]
        : null,
      [...column.groups],
    ]),
    segments.map(({ by, top, values }) => [by, top, values]),
    [...ignored].sort(),
    ...(learned === null ? [] : ['learning', learned]),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}

/** Values before and after a change of policy cannot make one baseline. */
function policiesOf({ features }: Monitor): (readonly [name: string, policy: string])[] {
  return Object.entries(features ?? {}).map(([name, { policy }]) => [name, policy] as const);
}

function contradictions({ name, baseline }: Planned): Problem[] {
  const path = `baseline.columns.${name}`;
  const problem = (message: string, expected: string): Problem[] => [
    { code: 'bad-baseline', path, message, expected, fix: 'make it again with `mlmon profile`' },
  ];
  if (name.length === 0 || name.length > EVENT_LIMITS.nameLength)
    return problem('the name is empty or too long', `1 to ${EVENT_LIMITS.nameLength} characters`);
  if (baseline === null) return [];
  if (baseline.type === 'categorical') {
    const { categories, verdictBin } = baseline;
    if (new Set(categories).size !== categories.length)
      return problem('a category appears twice', 'distinct categories');
    if (verdictBin.length !== categories.length || !verdictBin.every(isBinNumber))
      return problem('verdictBin does not fit the categories', 'one bin number a category');
    return [];
  }
  const { edges, verdictBin } = baseline.bins;
  if (edges.length > 60_000 || !edges.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge > edges[i - 1]!)))
    return problem('the edges do not ascend', 'finite numbers in strictly ascending order');
  if (verdictBin.length !== edges.length + 1 || !verdictBin.every(isBinNumber))
    return problem('verdictBin does not fit the edges', 'one bin number a fine bin');
  if (!Number.isFinite(baseline.center) || !(baseline.unit > 0) || !Number.isFinite(1 / baseline.unit))
    return problem('center and unit are no fixed point', 'a finite center and a unit above 0 with a finite inverse');
  return [];
}

const isBinNumber = (bin: number): boolean => Number.isInteger(bin) && bin >= 0 && bin < 60_000;
