/** An address that a server cannot take, as a problem of whoever chose it. */
import { ProblemError } from './problem.ts';

/** What chooses host and port, as users write it: `--port`, `http.port`. */
export interface AddressSettings {
  readonly host: string;
  readonly port: string;
}

/** Of the error of `listen`. */
export function cannotListen(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
  settings: AddressSettings,
): ProblemError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const isTaken = code === 'EADDRINUSE';
  return new ProblemError([
    {
      code: 'cannot-listen',
      path: `${host}:${port}`,
      message: isTaken ? 'is in use' : `cannot be listened on (${code})`,
      fix: isTaken
        ? `stop what uses it, or choose another with ${settings.port}`
        : `choose another with ${settings.host} and ${settings.port}`,
    },
  ]);
}
