/** What is said of text in a column of numbers. */
import { noun } from '../contracts/noun.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';

/** Beyond this share the type is taken to be wrong. */
const MOST_INVALID = 0.5;

/** A finding. Throws ProblemError when most of the values are no numbers. */
export function wrongNumbers(shown: string, name: string, invalid: number, present: number): Problem {
  const problem: Problem = {
    code: 'not-numbers',
    path: `${shown}: ${name}`,
    message: 'is taken as a number and holds values that are none',
    got: `${invalid} of ${present} ${noun(present, 'value')}`,
    fix: 'declare it as categorical, or mend the data',
  };
  if (invalid > MOST_INVALID * present) throw new ProblemError([problem]);
  return { ...problem, path: name };
}
