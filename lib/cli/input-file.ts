/** A file whose name stands behind an option, or standard input for `-`. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ProblemError } from '../contracts/problem.ts';
import type { CommandIo } from './command.ts';

/** A mark at its beginning, as editors of Windows write it, is no part of it. @throws ProblemError when it cannot be read, or is no UTF-8 */
export async function readInput(io: CommandIo, option: string, file: string): Promise<string> {
  const wrong = (message: string, got: string | undefined, expected: string): ProblemError =>
    new ProblemError([{ code: 'file', path: `${option} ${file}`, message, got, expected }]);
  let bytes: Uint8Array;
  try {
    bytes = file === '-' ? await buffer(io.stdin) : await readFile(resolve(io.cwd, file));
  } catch (error) {
    throw wrong(
      'cannot be read',
      (error as NodeJS.ErrnoException).code,
      'a file, as seen from where the command runs, or - for standard input',
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong('is not text in UTF-8', undefined, 'UTF-8: `iconv -t UTF-8`, with -f and what it is in, makes it so');
  }
}
