/**
 * The folder of a demonstration. Its clock stands in 2001, so it never shares a folder with a platform that follows the wall
 * clock; and a mark says that --reset may empty it.
 */
import { access, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SegmentLog } from '../adapters/disk/segment-log.ts';
import { ProblemError } from '../contracts/problem.ts';
import { makeDataFolder } from './data-folder.ts';
import { wallClock } from './replay-clock.ts';

const MARK = 'demonstration.json';
const LOG = 'log';
/** What a demonstration makes. */
const PARTS = [LOG, 'store', 'producer', 'policy-key', MARK] as const;

/** Marks a new folder. @throws ProblemError when the folder holds what no demonstration made */
export async function markFolder(folder: string): Promise<void> {
  await makeDataFolder(folder);
  if (await isMarked(folder)) return;
  const found = (await readdir(folder)).filter((name) => (PARTS as readonly string[]).includes(name));
  if (found.length > 0)
    throw new ProblemError([
      {
        code: 'other-data',
        path: folder,
        message: 'holds the data of a platform that is no demonstration',
        got: found.join(', '),
        fix: 'choose another folder with --data',
      },
    ]);
  await writeFile(join(folder, MARK), '{}\n');
}

/** @throws ProblemError when the folder is that of a demonstration */
export async function refuseDemonstration(folder: string): Promise<void> {
  if (!(await isMarked(folder))) return;
  throw new ProblemError([
    {
      code: 'demonstration',
      path: folder,
      message: 'is the folder of a demonstration, whose clock is not that of the wall',
      fix: 'choose another folder with --data',
    },
  ]);
}

/** Removes what a demonstration made, and nothing else. @throws ProblemError while a platform writes to it */
export async function resetFolder(folder: string): Promise<void> {
  if (!(await isMarked(folder))) return;
  try {
    const log = await SegmentLog.open({ folder: join(folder, LOG), clock: wallClock });
    await log.close();
  } catch (error) {
    // Whatever else is wrong with it, it goes.
    if (error instanceof ProblemError) throw error;
  }
  for (const part of PARTS) await rm(join(folder, part), { recursive: true, force: true });
}

async function isMarked(folder: string): Promise<boolean> {
  return access(join(folder, MARK)).then(
    () => true,
    () => false,
  );
}
