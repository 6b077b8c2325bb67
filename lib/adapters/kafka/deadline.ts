/** A bound on what the client does: it has time-outs of its own, and states in which it waits for ever. */
import { TransientError } from '../../pipeline/ports.ts';

/** @throws TransientError when `work` takes longer than `ms`; what it does afterwards is nobody's concern */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, fail) => {
        timer = setTimeout(() => fail(new TransientError(`${what}: no answer for ${ms / 1000} s`)), ms);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
