/** A file whose name stands behind an option, or standard input for `-`. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { ProblemError } from '../contracts/problem.ts';
import type { CommandIo } from './command.ts';

/** @throws ProblemError when the file cannot be read */
export async function readInput(io: CommandIo, option: string, file: string): Promise<string> {
  if (file === '-') return text(io.stdin);
  try {
    return await readFile(resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw new ProblemError([
      {
        code: 'file',
        path: `${option} ${file}`,
        message: 'cannot be read',
        got: (error as NodeJS.ErrnoException).code,
        expected: 'a file, as seen from where the command runs, or - for standard input',
      },
    ]);
  }
}
