/** Runs `mlmon` in this process, with streams of its own, and collects what it says. */
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { main } from '../../lib/cli/index.ts';

export interface Said {
  /** The exit code. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Whatever `argv` says, relative paths start at `folder`. */
export async function runCommand(
  folder: string,
  argv: readonly string[],
  stdin: string | Readable = '',
): Promise<Said> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  const code = await main(argv, {
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
    stdout,
    stderr,
    terminal: false,
    cwd: folder,
    signal: new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  return { code, out: await out, err: await err };
}
