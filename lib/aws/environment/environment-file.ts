import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { nearest, type Problem, ProblemError, shown } from '../../contracts/problem.ts';
import { schemaProblems } from '../../contracts/schema-problems.ts';
import { yamlProblems } from '../../contracts/yaml-problems.ts';
import { type EnvironmentConfig, environmentSchema } from './environment-schema.ts';

/** Checks an environment and fills its defaults. All problems are returned together. */
export function parseEnvironment(
  input: unknown,
  { name, folder }: { readonly name: string; readonly folder: string },
): { readonly config: EnvironmentConfig | null; readonly problems: readonly Problem[] } {
  // An empty file is an environment of defaults.
  const parsed = environmentSchema.safeParse(input ?? {});
  if (!parsed.success) return { config: null, problems: schemaProblems(environmentSchema, input, parsed.error.issues) };
  return { config: { ...parsed.data, name, folder }, problems: [] };
}

/** @throws ProblemError with all problems of the file */
export function readEnvironment(file: string): EnvironmentConfig {
  const name = basename(file).replace(/\.ya?ml$/, '');
  const document = parseDocument(readFileSync(file, 'utf8'), { prettyErrors: true });
  const problems: Problem[] = yamlProblems(document.errors, '');
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
