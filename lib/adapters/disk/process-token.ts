/**
 * Names a process so that another one can tell later whether it still lives: process id, its start (process ids are
 * used again), the boot of the machine, the machine, and the space that the process id counts in (containers).
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A claim of a process that cannot be looked up from here counts as alive while it was refreshed this recently. */
export const FOREIGN_CLAIM_MS = 30_000;

export interface ProcessToken {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; `0` where the system does not say. */
  readonly start: string;
  readonly boot: string;
  readonly host: string;
  readonly space: string;
}

let self: ProcessToken | null = null;

/** This process. Looked up once: it cannot change. */
export function ownToken(): ProcessToken {
  self ??= {
    pid: process.pid,
    start: startTicks(process.pid) ?? '0',
    boot: (readText('/proc/sys/kernel/random/boot_id') ?? '0').replaceAll('-', '').slice(0, 12),
    host: createHash('sha256').update(hostname()).digest('hex').slice(0, 8),
    space: processSpace(),
  };
  return self;
}

/** As a part of a file name: `[0-9a-f.]`. */
export function tokenText(token: ProcessToken): string {
  return `${token.pid}.${token.start}.${token.boot}.${token.host}.${token.space}`;
}

/** `null` when the text is no token. */
export function parseToken(text: string): ProcessToken | null {
  const match = /^(\d+)\.(\d+)\.([0-9a-f]+)\.([0-9a-f]+)\.(\d+)$/.exec(text);
  if (match === null) return null;
  const [, pid = '', start = '', boot = '', host = '', space = ''] = match;
  return { pid: Number(pid), start, boot, host, space };
}

/**
 * Whether the process may still act. `refreshedAgoMs`: age of the last sign of life of a process that cannot be looked
 * up from here (another machine or container on the same folder).
 */
export function isAlive(token: ProcessToken, refreshedAgoMs: number, own: ProcessToken = ownToken()): boolean {
  if (token.host === own.host && token.boot !== own.boot) return false;
  if (token.boot !== own.boot || token.space !== own.space || token.host !== own.host) {
    return refreshedAgoMs < FOREIGN_CLAIM_MS;
  }
  if (token.start !== '0') return startTicks(token.pid) === token.start;
  try {
    process.kill(token.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `null` when there is no such process, or it is dead and only waits for its parent. */
function startTicks(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the name in parentheses and may contain anything; the third is the state, the 22nd the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

function processSpace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
