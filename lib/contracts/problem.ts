/**
 * A problem found in something a user gave us. Validators collect problems and report all of them at once.
 * Message shape: `<path>: <what is wrong>, got <value>; expected <set>; <what to change>`.
 */
export interface Problem {
  /** Stable, greppable identifier, e.g. `unknown-key`. */
  readonly code: string;
  /** Where, in the user's words: `features.distance.type`, `line 3`, `flights.csv`. Empty for the whole input. */
  readonly path: string;
  /** What is wrong: lower case, no final period. */
  readonly message: string;
  /** What was found, already shortened for display. */
  readonly got?: string;
  /** What would have been right. */
  readonly expected?: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** One line for people. */
export function formatProblem(problem: Problem): string {
  const head = problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`;
  const parts = [problem.got === undefined ? head : `${head}, got ${problem.got}`];
  if (problem.expected !== undefined) parts.push(`expected ${problem.expected}`);
  if (problem.fix !== undefined) parts.push(problem.fix);
  return parts.join('; ');
}

/** Wrong use or bad input; the command line answers it with exit code 2, HTTP with 400. */
export class ProblemError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ProblemError';
    this.problems = problems;
  }
}

/** A value as it is shown in a problem: JSON, cut to 80 characters, never a stack of data. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? String(value));
  } catch {
    text = String(value);
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** The closest of `candidates` by edit distance, if it is close enough to be a likely typing mistake. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution);
    }
    previous = current;
  }
  return previous[b.length]!;
}
