/** Options of a command: strict, with all problems reported together. A thin layer over `node:util` parseArgs. */
import { parseArgs } from 'node:util';
import { nearest, type Problem, ProblemError, shown } from '../contracts/problem.ts';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly required?: boolean;
  /** Allowed values. */
  readonly values?: readonly string[];
}

export interface Options {
  text(name: string): string | undefined;
  /** A required option: its presence has been checked. */
  required(name: string): string;
  list(name: string): string[];
  flag(name: string): boolean;
  readonly words: readonly string[];
}

/**
 * Reads `argv` by `specs`.
 * @param words how many words without an option are expected: [least, most], and what they are called
 * @throws ProblemError with every problem: unknown option (and the nearest known one), missing value, wrong value, missing option
 */
export function readOptions(
  argv: readonly string[],
  specs: Readonly<Record<string, OptionSpec>>,
  words: { readonly least: number; readonly most: number; readonly called: string } = {
    least: 0,
    most: 0,
    called: 'words',
  },
): Options {
  const problems: Problem[] = [];
  const parsed = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(specs).map(([name, spec]) => [
        name,
        {
          type: spec.type,
          multiple: spec.multiple ?? false,
          ...(spec.short === undefined ? {} : { short: spec.short }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
  });
  const values = parsed.values as Record<string, string | boolean | (string | boolean)[] | undefined>;
  const known = Object.keys(specs);
  for (const [name, value] of Object.entries(values)) {
    const spec = specs[name];
    if (spec === undefined) {
      const near = nearest(name, known);
      problems.push({
        code: 'unknown-option',
        path: name.length === 1 ? `-${name}` : `--${name}`,
        message: 'unknown option',
        expected: known.length === 0 ? 'no option' : known.map((option) => `--${option}`).join(', '),
        fix: near === undefined ? undefined : `did you mean --${near}?`,
      });
      continue;
    }
    for (const one of Array.isArray(value) ? value : [value]) {
      if (spec.type === 'string' && typeof one !== 'string')
        problems.push({ code: 'missing-value', path: `--${name}`, message: 'needs a value' });
      else if (spec.type === 'boolean' && typeof one !== 'boolean')
        problems.push({ code: 'no-value', path: `--${name}`, message: 'takes no value', got: shown(one) });
      else if (spec.values !== undefined && !spec.values.includes(String(one)))
        problems.push({
          code: 'wrong-value',
          path: `--${name}`,
          message: 'is not one of its values',
          got: shown(one),
          expected: spec.values.join(', '),
        });
    }
  }
  for (const [name, spec] of Object.entries(specs))
    if (spec.required === true && values[name] === undefined)
      problems.push({ code: 'missing-option', path: `--${name}`, message: 'is required' });
  const count = parsed.positionals.length;
  if (count < words.least)
    problems.push({
      code: 'missing-word',
      path: words.called,
      message: 'is missing',
      expected: `at least ${words.least}`,
    });
  // The value of an unknown option looks like a word.
  if (count > words.most && !problems.some(({ code }) => code === 'unknown-option'))
    problems.push({
      code: 'extra-word',
      path: shown(parsed.positionals[words.most]),
      message: 'is one word too many',
      expected: words.most === 0 ? 'options only' : `at most ${words.most} ${words.called}`,
    });
  if (problems.length > 0) throw new ProblemError(problems);
  const all = (name: string): (string | boolean)[] => {
    const value = values[name];
    return value === undefined ? [] : Array.isArray(value) ? value : [value];
  };
  return {
    text: (name) => all(name).at(-1) as string | undefined,
    required: (name) => String(all(name).at(-1)),
    list: (name) => all(name).map(String),
    flag: (name) => all(name).at(-1) === true,
    words: parsed.positionals,
  };
}

/** A whole number in a range. */
export function wholeNumber(text: string, path: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ProblemError([
    {
      code: 'wrong-value',
      path,
      message: 'is not a whole number in range',
      got: shown(text),
      expected: `${least} to ${most}`,
    },
  ]);
}
