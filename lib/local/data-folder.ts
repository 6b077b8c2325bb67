/** The folder that a platform keeps everything in. */
import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ProblemError } from '../contracts/problem.ts';

/**
 * Makes the folder, and those above it, where there is none, and makes sure that it can be written. One folder at a time:
 * the recursive mkdir of Node.js never ends where the system takes no new names, below /proc for one.
 * @throws ProblemError naming the folder that is in the way
 */
export async function makeDataFolder(path: string, chosenBy = '--data'): Promise<void> {
  const missing: string[] = [];
  let at = path;
  for (;;) {
    const found = await stat(at).catch(() => null);
    if (found?.isDirectory() === true) break;
    if (found !== null) throw unusable(path, `${at} is a file`, chosenBy);
    missing.unshift(at);
    if (dirname(at) === at) break;
    at = dirname(at);
  }
  for (const folder of missing) {
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Made by somebody else meanwhile.
      if (error.code !== 'EEXIST') throw unusable(path, `${folder} cannot be made: ${error.code}`, chosenBy);
    });
  }
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK).catch((error: NodeJS.ErrnoException) => {
    throw unusable(path, `it cannot be written: ${error.code}`, chosenBy);
  });
}

function unusable(path: string, got: string, chosenBy: string): ProblemError {
  return new ProblemError([
    {
      code: 'data-folder',
      path,
      message: 'cannot be used as the data folder',
      got,
      expected: 'a folder that can be written',
      fix: `choose another with ${chosenBy}, or mend its permissions`,
    },
  ]);
}
