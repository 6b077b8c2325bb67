import { Duration, Token } from 'aws-cdk-lib';
import { type Problem, ProblemError } from '../contracts/problem.ts';

/** By their paths. */
type Values = Readonly<Record<string, Duration | number | string | undefined>>;

const isOpen = (value: Duration | number | string | undefined): boolean =>
  value instanceof Duration ? value.isUnresolved() : Token.isUnresolved(value);

/**
 * For what is reckoned with when the app is synthesised: a token would be taken for a number that nobody gave.
 * @throws ProblemError naming those that are known only when deployed
 */
export function knownAtSynthesis(values: Values): void {
  const problems: Problem[] = Object.entries(values)
    .filter(([, value]) => isOpen(value))
    .map(([path]) => ({
      code: 'known-when-deployed',
      path,
      message: 'is known only when deployed',
      expected: 'a value that synthesis knows, since other values follow from it',
      fix: 'write it into the app, or take it from the context',
    }));
  if (problems.length > 0) throw new ProblemError(problems);
}
