/** What the file system refused, said in words an operator can act on. */
import { TransientError } from '../../pipeline/ports.ts';

/** Failures that pass by themselves or when the operator makes room: tried again, boundedly. */
const PASSING: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; make room, nothing that was acknowledged is lost',
  EDQUOT: 'the disk quota is used up; raise it or make room, nothing that was acknowledged is lost',
  EMFILE: 'too many open files in this process; raise its limit (ulimit -n)',
  ENFILE: 'too many open files on this machine; raise its limit (fs.file-max)',
  EAGAIN: 'the file system is busy',
  EINTR: 'interrupted',
};

const LASTING: Readonly<Record<string, string>> = {
  EACCES: 'no permission; expected a folder that this process may read and write',
  EPERM: 'not permitted; expected a file system with hard links and a folder that this process may write',
  EROFS: 'the file system is read-only; choose a folder that can be written',
  ENOTDIR: 'a part of the path is a file; expected a folder',
  EIO: 'the device failed; check the disk',
};

export function errorCode(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

/**
 * The error to throw instead of a bare one of `node:fs`: TransientError where trying again can help, Error otherwise.
 * `what` is the act that failed ("append to the log"), `where` the file or folder.
 */
export function diskFailure(error: unknown, what: string, where: string): Error {
  const code = errorCode(error);
  if (code === null) return error instanceof Error ? error : new Error(String(error));
  const passing = PASSING[code];
  const reason = passing ?? LASTING[code] ?? (error as Error).message;
  const message = `${where}: cannot ${what}, got ${code}: ${reason}`;
  return passing === undefined ? new Error(message, { cause: error }) : new TransientError(message, { cause: error });
}
