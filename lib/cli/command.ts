/** What a command of `mlmon` is. One command a file; `index.ts` lists them. */
import type { Readable, Writable } from 'node:stream';
import { ProblemError } from '../contracts/problem.ts';

/** Where a command reads and writes; tests bring their own. */
export interface CommandIo {
  readonly stdin: Readable;
  /** Results only. */
  readonly stdout: Writable;
  /** Everything else: progress, problems. */
  readonly stderr: Writable;
  /** Both ends are terminals: progress and colour are welcome. */
  readonly terminal: boolean;
  readonly cwd: string;
  /** Ends a long-running command. */
  readonly signal: AbortSignal;
}

export const EXIT = { nothingFound: 0, found: 1, wrongUse: 2, failure: 3 } as const;

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole text of `mlmon <name> --help`. */
  readonly help: string;
  /** Resolves with the exit code. Wrong use throws ProblemError. */
  run(argv: readonly string[], io: CommandIo): Promise<number>;
}

/** A wrong call: the problem names the option and what would be right. */
export function wrongUse(path: string, message: string, fix?: string): ProblemError {
  return new ProblemError([{ code: 'wrong-use', path, message, fix }]);
}
