/**
 * What a model server was asked and what it answered, row by row, in the forms of KServe (V1: `instances` and `predictions`, V2: tensors)
 * and of servers like it.
 * A row of a request is its features; a row of a response is one prediction.
 */
import type { Monitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { asObject, readTensors, type Tensor } from './open-inference.ts';

/** Which outputs are what. */
export type OutputMapping = Pick<NonNullable<Monitor['kserve']>, 'output' | 'score' | 'predicted'>;

/** How values are told apart: from the monitor, and the baseline where that is silent. */
export interface PayloadRules {
  readonly mapping: OutputMapping;
  readonly task: Monitor['task'];
  /** Names in the tabular data, which responses often use too. */
  readonly columns: Monitor['columns'];
  /** Names of features by position, where a request has none. */
  readonly inputs: readonly string[];
  readonly types: ReadonlyMap<string, 'numeric' | 'categorical'>;
}

export interface RequestRow {
  readonly numeric: Record<string, unknown>;
  readonly categorical: Record<string, unknown>;
}

export interface ResponseRow {
  readonly score?: number | null;
  readonly predicted?: unknown;
}

/** @throws Error saying what is wrong; `null` when it asks for no inference (a call for metadata or health) */
export function requestRows(payload: unknown, binary: Uint8Array, rules: PayloadRules): RequestRow[] | null {
  const { instances, inputs } = asObject(payload);
  if (Array.isArray(instances)) return instances.map((instance) => rowOf(instance, rules));
  if (Array.isArray(inputs) && inputs.every((input) => typeof asObject(input)['datatype'] === 'string'))
    return tensorRows(readTensors(inputs, binary), rules);
  if (Array.isArray(inputs)) return inputs.map((instance) => rowOf(instance, rules));
  if (inputs !== undefined && typeof inputs === 'object' && inputs !== null) return columnar(asObject(inputs), rules);
  return null;
}

/** @throws Error saying what is wrong; `null` when it answers no inference */
export function responseRows(payload: unknown, binary: Uint8Array, rules: PayloadRules): ResponseRow[] | null {
  const { predictions, outputs } = asObject(payload);
  if (Array.isArray(predictions)) return predictions.map((entry) => prediction(entry, rules));
  if (!Array.isArray(outputs)) return null;
  const tensors = readTensors(outputs, binary);
  const { score, predicted } = namesOf(rules);
  const single = tensors.length === 1 && tensors[0]!.name !== score && tensors[0]!.name !== predicted;
  return byRow(tensors, (row) => {
    if (single) return prediction(unwrapped(row(tensors[0]!)), rules);
    return prediction(Object.fromEntries(tensors.map((tensor) => [tensor.name, unwrapped(row(tensor))])), rules);
  });
}

/** One entry of a response: a number or text, an array of scores by class, or an object of outputs. */
export function prediction(entry: unknown, rules: PayloadRules): ResponseRow {
  if (Array.isArray(entry)) return fromClasses(entry, rules);
  if (typeof entry !== 'object' || entry === null)
    return rules.mapping.output === 'score' ? { score: number(entry) } : { predicted: plain(entry) };
  const outputs = entry as Readonly<Record<string, unknown>>;
  const names = namesOf(rules);
  const row: { score?: number | null; predicted?: unknown } = {};
  const score = own(outputs, names.score);
  if (Array.isArray(score)) Object.assign(row, fromClasses(score, rules));
  else if (score !== undefined) row.score = number(score);
  const predicted = own(outputs, names.predicted);
  if (predicted !== undefined) row.predicted = plain(predicted);
  return row;
}

/** One score for each class. Two classes: that of the second, the positive one; more: the class with the highest. */
function fromClasses(scores: readonly unknown[], { task }: PayloadRules): ResponseRow {
  if (scores.length === 1)
    return task === 'binary-classification' ? { score: number(scores[0]) } : { predicted: plain(scores[0]) };
  if (scores.length === 2 && task === 'binary-classification') return { score: number(scores[1]) };
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (Number(scores[i]) > Number(scores[best])) best = i;
  return { score: number(scores[best]), predicted: String(best) };
}

function namesOf({ mapping, columns }: PayloadRules): { readonly score: string; readonly predicted: string } {
  return {
    score: mapping.score ?? columns.score ?? 'score',
    predicted: mapping.predicted ?? columns.prediction ?? 'predicted',
  };
}

function columnar(inputs: Readonly<Record<string, unknown>>, rules: PayloadRules): RequestRow[] {
  const lists = Object.entries(inputs).map(([name, value]) => [name, Array.isArray(value) ? value : [value]] as const);
  const rows = Math.max(0, ...lists.map(([, list]) => list.length));
  const wrong = lists.find(([, list]) => list.length !== rows);
  if (wrong !== undefined)
    throw new Error(
      `inputs.${wrong[0].slice(0, 80)}: ${wrong[1].length} ${noun(wrong[1].length, 'value')}, others have ${rows}`,
    );
  return Array.from({ length: rows }, (_, i) =>
    rowFeatures(
      lists.map(([name, list]) => [name, list[i]] as const),
      rules,
    ),
  );
}

/** Tensors of one value a row have the name of their feature; wider ones take names by position. */
function tensorRows(tensors: readonly Tensor[], rules: PayloadRules): RequestRow[] {
  return byRow(tensors, (row) => {
    let position = 0;
    return rowFeatures(
      tensors.flatMap((tensor) => {
        const values = row(tensor);
        if (tensor.width === 1) {
          position++;
          return [[tensor.name, values[0]] as const];
        }
        return values.map((value) => [nameAt(rules.inputs, position++), value] as const);
      }),
      rules,
    );
  });
}

function byRow<T>(tensors: readonly Tensor[], make: (row: (tensor: Tensor) => readonly unknown[]) => T): T[] {
  const rows = tensors[0]?.rows ?? 0;
  const other = tensors.find((tensor) => tensor.rows !== rows);
  if (other !== undefined)
    throw new Error(`${other.name.slice(0, 80)}: ${other.rows} ${noun(other.rows, 'row')}, others have ${rows}`);
  return Array.from({ length: rows }, (_, i) => make(({ values, width }) => values.slice(i * width, (i + 1) * width)));
}

/** One row: an array of values by position, an object by name, or a single value. */
export function rowOf(instance: unknown, rules: PayloadRules): RequestRow {
  return rowFeatures(named(instance, rules.inputs), rules);
}

function named(instance: unknown, names: readonly string[]): (readonly [string, unknown])[] {
  if (Array.isArray(instance))
    return (instance.flat(Number.POSITIVE_INFINITY) as unknown[]).map((value, i) => [nameAt(names, i), value]);
  if (typeof instance === 'object' && instance !== null) return Object.entries(instance);
  return [[nameAt(names, 0), instance]];
}

/** A value too many is a feature that nobody declared: it is counted as one. */
function nameAt(names: readonly string[], position: number): string {
  return names[position] ?? `input-${position}`;
}

/** By the declared type; what nobody declared by its own. A number or a truth value of a categorical feature is its text. */
export function rowFeatures(entries: readonly (readonly [string, unknown])[], { types }: PayloadRules): RequestRow {
  const numeric = Object.create(null) as Record<string, unknown>;
  const categorical = Object.create(null) as Record<string, unknown>;
  for (const [name, wrapped] of entries) {
    const value = Array.isArray(wrapped) && wrapped.length === 1 ? (wrapped[0] as unknown) : wrapped;
    if (value === null || value === undefined) continue;
    const type =
      types.get(name) ?? (typeof value === 'string' || typeof value === 'boolean' ? 'categorical' : 'numeric');
    if (type === 'categorical')
      categorical[name] = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    else numeric[name] = typeof value === 'boolean' ? Number(value) : value;
  }
  return { numeric, categorical };
}

function unwrapped(values: readonly unknown[]): unknown {
  return values.length === 1 ? values[0] : values;
}

function own(outputs: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  return Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
}

/** What is no number stays what it is: the contract refuses it and says so. */
function number(value: unknown): number | null {
  return value as number | null;
}

function plain(value: unknown): unknown {
  return typeof value === 'boolean' ? String(value) : value;
}
