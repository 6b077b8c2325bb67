/** Passing failures of the store are tried again, boundedly and with jitter; all else passes through. */
import { type ObjectStore, TransientError } from './ports.ts';

export interface RetryOptions {
  /** Attempts in all. @default 6 */
  readonly attempts?: number;
  /** Upper bound of the first wait, milliseconds; doubles each time up to 2 s. @default 20 */
  readonly firstWaitMs?: number;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

const LONGEST_WAIT_MS = 2_000;

/**
 * Runs `attempt` again while it throws TransientError. Full jitter: many clients that failed together do not come back together.
 * @throws TransientError of the last attempt; any other error at once
 */
export async function retried<T>(attempt: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 6, firstWaitMs = 20, random = Math.random } = options;
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientError) || n >= attempts) throw error;
      await sleep(random() * Math.min(LONGEST_WAIT_MS, firstWaitMs * 2 ** (n - 1)));
    }
  }
}

/**
 * The store with every call retried. A conditional write that failed in passing may have taken effect, so its retry may answer
 * ConflictError although the caller's own bytes are stored: callers must compare, never assume that somebody else wrote.
 */
export function retryingStore(store: ObjectStore, options: RetryOptions = {}): ObjectStore {
  return {
    get: (key) => retried(() => store.get(key), options),
    getRange: (key, start, end) => retried(() => store.getRange(key, start, end), options),
    list: (prefix, listOptions) => retried(() => store.list(prefix, listOptions), options),
    putIfAbsent: (key, body) => retried(() => store.putIfAbsent(key, body), options),
    putIfUnchanged: (key, body, etag) => retried(() => store.putIfUnchanged(key, body, etag), options),
    delete: (key) => retried(() => store.delete(key), options),
  };
}

/** Waits, or until the signal aborts. Resolves either way. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
