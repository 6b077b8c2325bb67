/**
 * Re-creates the inputs of test/fixtures/golden/public.json: a 32-bit linear congruential generator, one per array, and one rule per
 * kind of element. Every array is held against the checksum in the file, so a wrong rule cannot pass unseen.
 */
import { readFileSync } from 'node:fs';

export type Value = number | string | null;

interface Spec {
  readonly gen: string;
  readonly seed?: number;
  readonly n?: number;
  readonly type?: string;
  readonly values?: readonly Value[];
  readonly labels?: readonly Value[];
  readonly cum?: readonly number[];
  readonly of?: string | readonly string[];
  readonly affine?: readonly [number, number];
  readonly clip?: readonly [number, number];
  readonly round?: number;
  readonly set?: readonly (readonly [number, Value])[];
  readonly missing?: { readonly seed: number; readonly rate: number };
  readonly [parameter: string]: unknown;
}

interface Check {
  readonly n: number;
  readonly missing: number;
  readonly fnv1a: string;
}

export interface Case {
  readonly id: string;
  readonly family: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, readonly Value[]>>;
  // biome-ignore lint/suspicious/noExplicitAny: as many shapes as libraries
  readonly expected: any;
}

interface StoredCase {
  readonly id: string;
  readonly family: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, { readonly spec: Spec; readonly check: Check }>>;
  readonly expected: unknown;
}

const FILE = new URL('../fixtures/golden/public.json', import.meta.url);
let stored: readonly StoredCase[] | undefined;

/** Cases of a family with their inputs made and verified. */
export function goldenCases(family: string): Case[] {
  stored ??= (JSON.parse(readFileSync(FILE, 'utf8')) as { cases: StoredCase[] }).cases;
  return stored.filter((one) => one.family === family).map((one) => ({ ...one, inputs: makeInputs(one) }));
}

/** |a − b| ≤ abs + rel·|b|; equal infinities and NaN agree. */
export function near(actual: number | null, expected: unknown, rel: number, abs: number): boolean {
  const b = decode(expected as Value);
  if (actual === null || typeof b !== 'number') return false;
  return Object.is(actual, b) || actual === b || Math.abs(actual - b) <= abs + rel * Math.abs(b);
}

function makeInputs(one: StoredCase): Record<string, readonly Value[]> {
  const made: Record<string, readonly Value[]> = {};
  for (const [name, { spec, check }] of Object.entries(one.inputs)) {
    const values = make(spec, made);
    if (values.length !== check.n || fnv1a(values) !== check.fnv1a)
      throw new Error(`${one.id}: ${name} was made wrongly`);
    made[name] = values;
  }
  return made;
}

class Draws {
  state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  uniform(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 4294967296;
  }
  normalish(): number {
    let total = 0;
    for (let i = 0; i < 12; i++) total += this.uniform();
    return total - 6;
  }
}

function make(spec: Spec, made: Readonly<Record<string, readonly Value[]>>): Value[] {
  if (spec.gen === 'literal')
    return (spec.values ?? []).map((value) => (spec.type === 'string' ? value : decode(value)));
  const number = (name: string): number => spec[name] as number;
  const source = typeof spec.of === 'string' ? (made[spec.of] as readonly number[]) : [];
  if (spec.gen === 'normalize') {
    const all = (spec.of as readonly string[]).map((name) => made[name] as readonly number[]);
    return all[number('index')]!.map((value, i) => value / all.reduce((total, side) => total + side[i]!, 0));
  }
  const draws = new Draws(spec.seed ?? 0);
  const labels = spec.labels ?? [];
  const element: Record<string, (i: number) => Value> = {
    uniform: () => number('lo') + (number('hi') - number('lo')) * draws.uniform(),
    normalish: () => number('mu') + number('sd') * draws.normalish(),
    mix: () => (draws.uniform() < number('p') ? number('mu1') : number('mu2')) + number('sd') * draws.normalish(),
    int: () => number('lo') + Math.floor(draws.uniform() * (number('hi') - number('lo') + 1)),
    bern: () => (draws.uniform() < number('p') ? 1 : 0),
    heavy: () => {
      const w = 2 * draws.uniform() - 1 + 2 ** -33;
      return number('mu') + number('scale') * (w / (1 - w * w));
    },
    pareto: () => number('scale') / (1 - draws.uniform()),
    const: () => spec['value'] as Value,
    cat: () => {
      const u = draws.uniform();
      const index = spec.cum!.findIndex((bound) => u < bound);
      return labels[index < 0 ? labels.length - 1 : index]!;
    },
    bernOf: (i) => (draws.uniform() < number('a') + number('b') * source[i]! ? 1 : 0),
    threshold: (i) => (source[i]! >= number('t') ? 1 : 0),
    noisyCopy: (i) =>
      draws.uniform() < number('keep') ? source[i]! : labels[Math.floor(draws.uniform() * labels.length)]!,
    affineNoise: (i) => number('a') + number('b') * source[i]! + number('sd') * draws.normalish(),
    boosted: (i) => draws.uniform() + ((source[i] as Value) === spec['label'] ? number('boost') : 0),
  };
  const values = Array.from({ length: spec.n ?? source.length }, (_, i) => element[spec.gen]!(i));
  return finish(values, spec);
}

function finish(values: Value[], spec: Spec): Value[] {
  let out = values;
  const { affine, clip, round, missing } = spec;
  if (affine) out = out.map((value) => affine[0] + affine[1] * (value as number));
  if (clip) out = out.map((value) => Math.min(clip[1], Math.max(clip[0], value as number)));
  if (round) out = out.map((value) => Math.floor((value as number) * round + 0.5) / round);
  for (const [i, value] of spec.set ?? []) out[i] = spec.type === 'string' ? value : decode(value);
  if (missing) {
    const draws = new Draws(missing.seed);
    out = out.map((value) => (draws.uniform() < missing.rate ? null : value));
  }
  return out;
}

function decode(value: Value): Value {
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : value;
}

function fnv1a(values: readonly Value[]): string {
  let hash = 0x811c9dc5;
  const view = new DataView(new ArrayBuffer(8));
  const eat = (bytes: Iterable<number>): void => {
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  };
  for (const value of values) {
    if (value === null) eat([255]);
    else if (typeof value === 'string') eat([...new TextEncoder().encode(value), 0]);
    else {
      view.setFloat64(0, value, true);
      eat(new Uint8Array(view.buffer));
    }
  }
  return hash.toString(16).padStart(8, '0');
}
