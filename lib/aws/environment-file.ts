import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { expectedBy } from '../contracts/expected.ts';
import { nearest, type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { type EnvironmentConfig, environmentSchema } from './environment-schema.ts';

/** Checks an environment and fills its defaults. All problems are returned together. */
export function parseEnvironment(
  input: unknown,
  { name, folder }: { readonly name: string; readonly folder: string },
): { readonly config: EnvironmentConfig | null; readonly problems: readonly Problem[] } {
  // An empty file is an environment of defaults.
  const parsed = environmentSchema.safeParse(input ?? {});
  if (!parsed.success)
    return { config: null, problems: parsed.error.issues.flatMap((issue) => describe(issue, input)) };
  return { config: { ...parsed.data, name, folder }, problems: [] };
}

/** @throws ProblemError with all problems of the file */
export function readEnvironment(file: string): EnvironmentConfig {
  const name = basename(file).replace(/\.ya?ml$/, '');
  const document = parseDocument(readFileSync(file, 'utf8'), { prettyErrors: true });
  const problems: Problem[] = document.errors.map((error) => ({
    code: 'yaml',
    path: `line ${error.linePos?.[0].line ?? '?'}`,
    message: error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'is not readable',
    expected: 'YAML',
  }));
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
    problems.push({
      code: 'environment-name',
      path: '',
      message: 'its name is no name of an environment',
      got: shown(name),
      expected: 'lower-case letters, digits and hyphens, at most 40, a letter first',
      fix: 'rename the file',
    });
  if (problems.length === 0) {
    const { config, problems: found } = parseEnvironment(document.toJS({ maxAliasCount: 20 }), {
      name,
      folder: dirname(resolve(file)),
    });
    if (config !== null) return config;
    problems.push(...found);
  }
  throw new ProblemError(
    problems.map((problem) => ({ ...problem, path: problem.path === '' ? file : `${file}: ${problem.path}` })),
  );
}

/** The environment of that name among the files of a folder. @throws ProblemError naming those that there are */
export function environmentOf(folder: string, name: unknown): EnvironmentConfig {
  const present = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => /\.ya?ml$/.test(file))
        .sort()
    : [];
  const names = present.map((file) => file.replace(/\.ya?ml$/, ''));
  const file = present.find((_, i) => names[i] === name);
  if (file !== undefined) return readEnvironment(join(folder, file));
  const near = typeof name === 'string' ? nearest(name, names) : undefined;
  throw new ProblemError([
    {
      code: 'unknown-environment',
      path: 'environment',
      message: name === undefined ? 'is not said' : 'is none of those under environments/',
      got: name === undefined ? undefined : shown(name),
      expected: names.length === 0 ? `a file in ${folder}` : `one of ${names.join(', ')}`,
      fix: near === undefined ? `say -c environment=${names[0] ?? '<name>'}` : `did you mean ${near}?`,
    },
  ]);
}

function describe(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(environmentSchema, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      return {
        code: 'unknown-key',
        path: path === '' ? key : `${path}.${key}`,
        message: 'unknown key',
        expected: known.length > 0 ? `one of ${known.join(', ')}` : undefined,
        fix: near === undefined ? 'remove it' : `did you mean ${near}?`,
      };
    });
  }
  const found = issue.path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
  return [
    {
      code: found === undefined ? 'missing' : issue.code.replaceAll('_', '-'),
      path,
      message: found === undefined ? 'is required' : 'is not valid',
      got: found === undefined ? undefined : shown(found),
      expected: expectedBy(issue),
    },
  ];
}

interface Definition {
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

/** Keys that the schema knows at a path; of all branches, where there are several. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const definition = schema._zod.def as unknown as Definition;
  if (definition.innerType !== undefined) return keysAt(definition.innerType, path);
  if (definition.options !== undefined) return [...new Set(definition.options.flatMap((one) => keysAt(one, path)))];
  const [first, ...rest] = path;
  if (definition.element !== undefined) return first === undefined ? [] : keysAt(definition.element, rest);
  if (definition.shape === undefined) return [];
  if (first === undefined) return Object.keys(definition.shape);
  const inner = definition.shape[String(first)];
  return inner === undefined ? [] : keysAt(inner, rest);
}
