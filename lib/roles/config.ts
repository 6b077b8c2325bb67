/** Reads the configuration of `mlmon run`, and checks that it has what the chosen roles need: every problem at once. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { nearest, type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { ROLES, type Role, type RunConfig, runConfigSchema } from '../contracts/roles.ts';
import { schemaProblems } from '../contracts/schema-problems.ts';
import { yamlProblems } from '../contracts/yaml-problems.ts';
import { isLoopback } from '../local/server/tokens.ts';

/** Of `--roles`: names with commas between. @throws ProblemError naming every unknown one */
export function parseRoles(text: string): Role[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const isRole = (name: string): name is Role => (ROLES as readonly string[]).includes(name);
  const problems: Problem[] = names
    .filter((name) => !isRole(name))
    .map((name) => {
      const near = nearest(name, ROLES);
      return {
        code: 'unknown-role',
        path: '--roles',
        message: 'unknown role',
        got: shown(name),
        expected: `one or more of ${ROLES.join(', ')}, with commas between`,
        fix: near === undefined ? undefined : `did you mean ${near}?`,
      };
    });
  if (names.length === 0)
    problems.push({ code: 'no-role', path: '--roles', message: 'names no role', expected: ROLES.join(', ') });
  if (problems.length > 0) throw new ProblemError(problems);
  return [...new Set(names.filter(isRole))];
}

/** Reads the file. @throws ProblemError with every problem of it */
export async function readRunConfig(file: string, roles: readonly Role[]): Promise<RunConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ProblemError([
      {
        code: 'file',
        path: file,
        message: 'cannot be read',
        got: (error as NodeJS.ErrnoException).code,
        expected: 'a configuration of schema mlmon.run/v1',
        fix: 'check --config',
      },
    ]);
  }
  return parseRunConfig(text, roles, file);
}

/** Files that it names are meant from where it lies. @throws ProblemError with every problem of it */
export function parseRunConfig(text: string, roles: readonly Role[], file = 'run.yaml'): RunConfig {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) throw new ProblemError(yamlProblems(document.errors, file));
  // Aliases can blow a small file up to gigabytes.
  const input: unknown = document.toJS({ maxAliasCount: 20 });
  const parsed = runConfigSchema.safeParse(input);
  const problems = parsed.success
    ? unmet(parsed.data, roles)
    : schemaProblems(runConfigSchema, input, parsed.error.issues);
  if (problems.length > 0 || !parsed.success)
    throw new ProblemError(
      problems.map((problem) => ({ ...problem, path: problem.path === '' ? file : `${file}: ${problem.path}` })),
    );
  return withPaths(parsed.data, dirname(resolve(file)));
}

/** Roles that work on the event log: only they open it, and need its credentials. */
export const ON_THE_LOG: readonly Role[] = ['collector', 'archiver', 'profiler', 'evaluator', 'labeler'];
/** Roles that serve others over `http`. */
const SERVED: readonly Role[] = ['collector', 'page'];
/** The sidecar sends to a collector, or to the log, and needs neither by itself. */
const ALONE: readonly Role[] = ['sidecar'];

/** What these roles cannot do without. */
function unmet(config: RunConfig, roles: readonly Role[]): Problem[] {
  const problems: Problem[] = [];
  const needs = (path: string, those: readonly Role[], expected: string): void => {
    const who = roles.filter((role) => those.includes(role));
    if (who.length > 0) problems.push({ code: 'missing', path, message: `is needed by ${who.join(', ')}`, expected });
  };
  if (config.log === undefined)
    needs('log', ON_THE_LOG, 'kafka: { brokers: [host:port] }, or folder: PATH where all roles run in one process');
  if (config.store === undefined)
    needs(
      'store',
      roles.filter((role) => !ALONE.includes(role)),
      's3: { bucket: NAME }, or folder: PATH where all roles run on one host',
    );
  if (config.http.tokenFile === undefined && !isLoopback(config.http.host))
    needs('http.tokenFile', [...SERVED, 'sidecar'], `a file of tokens, since others can reach ${config.http.host}`);
  if (roles.includes('sidecar') && roles.some((role) => SERVED.includes(role)))
    problems.push({
      code: 'roles',
      path: '--roles',
      message: 'sidecar listens where collector and page do',
      fix: 'run it in a process of its own, beside the model server',
    });
  if (config.sidecar === undefined) needs('sidecar', ['sidecar'], 'collector: { url: http://… }');
  if (config.sidecar !== undefined && !isBare(config.sidecar.collector.url))
    problems.push({
      code: 'address',
      path: 'sidecar.collector.url',
      // Not shown: what stands there may be secret.
      message: 'has credentials or a query in it',
      expected: 'http://host:port',
      fix: 'a token is a file of its own: sidecar.collector.tokenFile',
    });
  for (const [path, pair] of pairs(config)) {
    const [[a, first], [b, second]] = pair;
    if ((first === undefined) !== (second === undefined))
      problems.push({
        code: 'half',
        path: `${path}.${first === undefined ? a : b}`,
        message: `is needed beside ${first === undefined ? b : a}`,
        fix: 'give both or neither',
      });
  }
  return problems;
}

function isBare(url: string): boolean {
  const { username, password, search, hash } = new URL(url);
  return username === '' && password === '' && search === '' && hash === '';
}

type Pair = readonly [readonly [string, string | undefined], readonly [string, string | undefined]];

/** Files that are of use together alone. */
function pairs({ log, store }: RunConfig): (readonly [string, Pair])[] {
  const found: (readonly [string, Pair])[] = [];
  if (store !== undefined && 's3' in store)
    found.push([
      'store.s3',
      [
        ['accessKeyIdFile', store.s3.accessKeyIdFile],
        ['secretAccessKeyFile', store.s3.secretAccessKeyFile],
      ],
    ]);
  if (log !== undefined && 'kafka' in log && log.kafka.tls !== undefined)
    found.push([
      'log.kafka.tls',
      [
        ['certificateFile', log.kafka.tls.certificateFile],
        ['keyFile', log.kafka.tls.keyFile],
      ],
    ]);
  return found;
}

/** Members that name a file or a folder. */
const PATHS = /^(?:folder|.*File)$/;

/** The configuration with paths that hold wherever the process is started. */
function withPaths<T>(value: T, folder: string): T {
  if (Array.isArray(value)) return value.map((one) => withPaths(one, folder)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' && PATHS.test(name) ? resolve(folder, member) : withPaths(member, folder),
    ]),
  ) as T;
}
