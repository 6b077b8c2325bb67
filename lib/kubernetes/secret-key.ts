/** References to secrets: where a value lies, never the value. Whoever runs the cluster makes the Secret. */
import { type Problem, shown } from '../contracts/problem.ts';
import { PATHS } from './defaults.ts';
import { DATA_KEY, OBJECT_NAME } from './object-rules.ts';

/** One key of a Secret in the namespace of the pod that reads it. */
export interface SecretKey {
  /** Name of the Secret. */
  readonly secret: string;
  /** Key in it. */
  readonly key: string;
}

/** Where a container finds it, as a file. */
export function secretFile({ secret, key }: SecretKey): string {
  return `${PATHS.secrets}/${secret}/${key}`;
}

/** @internal */
export function secretProblems(path: string, { secret, key }: SecretKey): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, message: string, got: unknown, expected: string): void => {
    problems.push({ code: 'secret', path, message, got: shown(got), expected });
  };
  if (!OBJECT_NAME.test(secret) || secret.length > 63)
    refuse(
      `${path}.secret`,
      'is no name of a Secret',
      secret,
      'lower-case letters, digits, hyphens and dots, at most 63',
    );
  if (!DATA_KEY.test(key))
    refuse(`${path}.key`, 'is no key of a Secret', key, 'letters, digits, hyphens, underscores and dots');
  return problems;
}
