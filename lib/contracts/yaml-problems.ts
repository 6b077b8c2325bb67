/** What is wrong with a file of YAML, as its parser says it. */
import type { Problem } from './problem.ts';

/** An error of the package `yaml`. */
interface YamlError {
  readonly code: string;
  readonly message: string;
  readonly linePos?: readonly [{ readonly line: number }, ...unknown[]];
}

/** `place`: what paths begin with, such as the name of the file; empty where whoever tells them says it. */
export function yamlProblems(errors: readonly YamlError[], place: string): Problem[] {
  return errors.map(({ code, message, linePos }) => ({
    code: 'yaml',
    path: `${place === '' ? '' : `${place}: `}line ${linePos?.[0].line ?? '?'}`,
    ...(code === 'MULTIPLE_DOCS'
      ? { message: 'begins another document', expected: 'one document', fix: 'put each into a file of its own' }
      : {
          message: message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'is not readable',
          expected: 'YAML or JSON',
        }),
  }));
}
