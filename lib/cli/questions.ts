/** What questions on standard input are made of, and how they are refused. */
import { nearest } from '../contracts/problem.ts';

/** A line that is no question: told to whoever asked. */
export class BadLineError extends Error {
  override readonly name = 'BadLineError';
}

export type Question = Readonly<Record<string, unknown>>;
export type Answer = Readonly<Record<string, unknown>>;
/** A promise only where something must be loaded first. */
export type AnswerOf = (question: Question) => Answer | Promise<Answer>;

/** Of numbers, `null` for missing, and the text of doubles that JSON has no word for, which become those doubles in place. */
export function numbersOf(value: unknown, name: string): (number | null)[] {
  if (!Array.isArray(value)) throw new BadLineError(`${name}: expected an array of numbers, got ${kindOf(value)}`);
  const numbers = value as (number | null)[];
  for (let i = 0; i < numbers.length; i++) {
    const one: unknown = numbers[i];
    if (typeof one === 'number' || one === null) continue;
    if (one !== 'NaN' && one !== 'Infinity' && one !== '-Infinity')
      throw new BadLineError(`${name}[${i}]: expected a number, null, "NaN", "Infinity" or "-Infinity"`);
    numbers[i] = Number(one);
  }
  return numbers;
}

/** Of text, numbers or booleans, `null` for missing. */
export function categoriesOf(value: unknown, name: string): (string | number | boolean | null)[] {
  if (!Array.isArray(value)) throw new BadLineError(`${name}: expected an array of categories, got ${kindOf(value)}`);
  const categories = value as (string | number | boolean | null)[];
  for (let i = 0; i < categories.length; i++) {
    const one: unknown = categories[i];
    if (one !== null && typeof one === 'object')
      throw new BadLineError(`${name}[${i}]: expected text, a number, true, false or null`);
  }
  return categories;
}

/** Of whole numbers from 0. */
export function countsOf(value: unknown, name: string): number[] {
  if (!Array.isArray(value)) throw new BadLineError(`${name}: expected an array of counts, got ${kindOf(value)}`);
  for (const [i, one] of (value as unknown[]).entries())
    if (!Number.isSafeInteger(one) || (one as number) < 0)
      throw new BadLineError(`${name}[${i}]: expected a whole number from 0`);
  return value as number[];
}

/** What an option takes: words, or a check with what it expects. */
export type OptionRule =
  | readonly (string | boolean)[]
  | { readonly expected: string; readonly is: (value: unknown) => boolean };

export const NUMBER: OptionRule = { expected: 'a number', is: (value) => Number.isFinite(value) };
export const LEVEL: OptionRule = {
  expected: 'a number above 0 and below 1',
  is: (value) => typeof value === 'number' && value > 0 && value < 1,
};
export const BINS: OptionRule = {
  expected: 'a whole number from 1 to 10000',
  is: (value) => Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 10_000,
};
export const COUNT: OptionRule = {
  expected: 'a whole number from 1',
  is: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
};

/** The options of a question: absent and `null` are the default. An unknown one, or one of the wrong kind, is refused. */
export function optionsOf(value: unknown, rules: Readonly<Record<string, OptionRule>>, of: string): Question {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new BadLineError(`options: expected an object, got ${kindOf(value)}`);
  const given: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(value)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      const known = Object.keys(rules);
      const near = nearest(name, known);
      const hint = near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}?`;
      throw new BadLineError(`options.${name.slice(0, 60)}: no option of ${of}; ${hint}`);
    }
    if (one === null) continue;
    const isRight = 'is' in rule ? rule.is(one) : rule.some((word) => word === one);
    if (!isRight) throw new BadLineError(`options.${name}: expected ${'is' in rule ? rule.expected : rule.join(', ')}`);
    given[name] = one;
  }
  return given;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : typeof value;
}
