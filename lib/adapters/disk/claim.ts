/**
 * Mutual exclusion between processes that share a folder, safe against a kill -9 at any moment.
 *
 * Who wants the right creates a file of its own name, then lists the folder, and owns the right only if no other claim
 * of a living process is there; otherwise it removes its file and tries again. Two cannot own at once: both files
 * existed before either listing began only if each saw the other, and whichever was made first is seen by the later
 * listing. A claim is an empty file whose name says everything, so there is no half-written one; the claim of a dead
 * process does not count, and anybody may remove it, because names are never used twice.
 */
import { randomBytes } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './disk-failure.ts';
import { isAlive, ownToken, type ProcessToken, parseToken, tokenText } from './process-token.ts';
import { readdir, stat, unlink, writeNew } from './quick-fs.ts';

const REFRESH_MS = 5_000;
const EMPTY = new Uint8Array();

export interface ClaimOptions {
  /** How long to try while a living process holds the right, milliseconds. */
  readonly waitMs: number;
  /** Keep a sign of life for processes that cannot look this one up. For rights held longer than a few seconds. */
  readonly refresh?: boolean;
}

export interface Claim {
  /** Whether the claim was taken away (the folder was removed): the holder must not write any more. */
  readonly lost: boolean;
  release(): Promise<void>;
}

/** A living process kept the right for the whole time. */
export class ClaimedError extends Error {
  override readonly name = 'ClaimedError';
  readonly holder: ProcessToken;
  constructor(path: string, holder: ProcessToken) {
    super(`${path}: held by process ${holder.pid}`);
    this.holder = holder;
  }
}

/** Takes the right `name` (`[a-z0-9-]`) in a folder that exists; ClaimedError when a living process keeps it. */
export async function claim(folder: string, name: string, options: ClaimOptions): Promise<Claim> {
  const deadline = performance.now() + options.waitMs;
  for (let attempt = 0; ; attempt++) {
    const file = `${name}~${tokenText(ownToken())}~${randomBytes(6).toString('hex')}`;
    const path = join(folder, file);
    await writeNew(path, EMPTY);
    const holder = await rival(folder, name, file);
    if (holder === null) return hold(path, options.refresh ?? false);
    await removeIfThere(path);
    // A rival that is only trying, as this one is, gives way too: some attempts at random distances are always made.
    if (attempt >= 4 && performance.now() >= deadline) throw new ClaimedError(join(folder, name), holder);
    await sleep(1 + Math.random() * Math.min(40, 2 ** attempt));
  }
}

/** A living process, other than the claim `own`, that claims `name`. Removes the claims of dead ones. */
async function rival(folder: string, name: string, own: string): Promise<ProcessToken | null> {
  for (const file of await readdir(folder)) {
    if (file === own || !file.startsWith(`${name}~`)) continue;
    const token = parseToken(file.split('~')[1] ?? '');
    if (token === null) continue;
    const path = join(folder, file);
    if (isAlive(token, await refreshedAgo(path))) return token;
    await removeIfThere(path);
  }
  return null;
}

/** Removes files named `<anything>~<token>~<anything>` that dead processes left in a folder. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const token = parseToken(file.split('~')[1] ?? '');
    if (token === null) continue;
    const path = join(folder, file);
    if (!isAlive(token, await refreshedAgo(path))) await removeIfThere(path);
  }
}

function hold(path: string, refresh: boolean): Claim {
  let lost = false;
  const timer = refresh
    ? setInterval(() => {
        const now = new Date();
        utimes(path, now, now).catch((error: unknown) => {
          if (errorCode(error) === 'ENOENT') lost = true;
        });
      }, REFRESH_MS)
    : null;
  timer?.unref();
  return {
    get lost() {
      return lost;
    },
    async release() {
      if (timer !== null) clearInterval(timer);
      await removeIfThere(path);
    },
  };
}

/** Age in milliseconds; infinite when it is gone. */
async function refreshedAgo(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
