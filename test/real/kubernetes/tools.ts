/** What scripts/kubernetes-tools.sh built. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { K8sObject } from '../../kubernetes/objects.ts';

const bin = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlmon-tools/kubernetes');

export const SCHEMAS = join(bin, 'schemas');

/** Runs one of them to its end. */
export function tool(
  name: 'kubeconform' | 'kube-score' | 'helm' | 'kustomize' | 'pod-security',
  argv: readonly string[],
  input?: string,
): { readonly code: number | null; readonly out: string; readonly err: string } {
  const program = join(bin, name);
  if (!existsSync(program)) throw new Error(`${name} is missing; run scripts/kubernetes-tools.sh, which builds it`);
  const { status, stdout, stderr } = spawnSync(program, [...argv], { input, encoding: 'utf8', maxBuffer: 64 << 20 });
  return { code: status, out: stdout, err: stderr };
}

export interface Judgement {
  /** Fields of the wrong type, of a value that is not allowed, or missing. */
  readonly wrong: readonly unknown[];
  /** Names of fields that the kind does not know anywhere. */
  readonly unknown: readonly string[];
}

/** Judges an object of Strimzi or of Grafana Operator by the validator of its kind. Free-form members are named in `free`. */
export async function judged(object: K8sObject, free: readonly string[]): Promise<Judgement> {
  const [group = '', version = ''] = object.apiVersion.split('/');
  const words = [...group.split('.'), version, object.kind].map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`);
  const operator = group.startsWith('kafka') ? 'strimzi-kafka-operator' : 'grafana-operator';
  const file = join(bin, 'models/node_modules/@kubernetes-models', operator, '_schemas', `${words.join('')}.js`);
  const { validate } = (await import(pathToFileURL(file).href)) as {
    readonly validate: ((data: unknown) => boolean) & { readonly errors: readonly unknown[] | null };
  };
  const valid = validate(object);
  // Its validators let unknown fields pass; each known one is spelt in their text.
  const text = readFileSync(file, 'utf8');
  const unknown = namesOf({ spec: object.spec }, free).filter((name) => !new RegExp(`[."']${name}\\b`).test(text));
  return { wrong: valid ? [] : (validate.errors ?? []), unknown };
}

function namesOf(value: unknown, free: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => namesOf(one, free));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...(free.includes(name) ? [] : namesOf(inner, free))]);
}
