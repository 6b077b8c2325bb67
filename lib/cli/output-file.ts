/** Where `--output` goes: a file, whose folder is made where it is missing, or standard output. */
import { access, constants, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type CommandIo, wrongUse } from './command.ts';

/**
 * To be asked before the work: a result that took minutes is not lost to a name that cannot be written. Makes nothing.
 * @param keep a file that is there already is refused too
 * @throws ProblemError for a folder, and for what cannot be made or there is no right to write
 */
export async function refuseUnwritable(io: CommandIo, output: string | undefined, keep = false): Promise<void> {
  if (output === undefined) return;
  await told(output, async () => {
    const path = resolve(io.cwd, output);
    const there = await found(path);
    if (there?.isDirectory()) throw wrongUse(output, 'is a folder', 'name a file in it');
    if (there !== null && keep) throw existing(output);
    let nearest = path;
    while ((await found(nearest)) === null) nearest = dirname(nearest);
    await access(nearest, constants.W_OK);
  });
}

/**
 * @param keep a file that is there already is kept
 * @throws ProblemError when it cannot be written
 */
export async function writeOutput(
  io: CommandIo,
  output: string | undefined,
  text: string,
  keep = false,
): Promise<void> {
  if (output === undefined) {
    io.stdout.write(text);
    return;
  }
  await told(output, async () => {
    const path = resolve(io.cwd, output);
    await mkdir(dirname(path), { recursive: true });
    if (keep && (await found(path)) !== null) throw existing(output);
    await writeFile(path, text, { flag: keep ? 'wx' : 'w' });
  });
}

const existing = (output: string) => wrongUse(output, 'exists already', 'give --force to write over it');

async function found(path: string): Promise<Awaited<ReturnType<typeof stat>> | null> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

async function told(output: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // A problem that is told already has no code of the system.
    const { code } = error as NodeJS.ErrnoException;
    const why = code === undefined ? undefined : REASONS[code];
    throw why === undefined ? error : wrongUse(output, `cannot be written: ${why}`, 'name another with --output');
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'there is no right to',
  EPERM: 'there is no right to',
  EROFS: 'it lies on a disk that is read-only',
  ENOSPC: 'the disk is full',
  ENOENT: 'its folder takes no files',
  ENOTDIR: 'a part of its path is a file',
  EEXIST: 'a part of its path is a file',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
};
