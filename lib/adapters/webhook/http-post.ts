/** One HTTP POST of a notification: a time-out, a bounded answer, and the difference between "try again" and "give up". */
import { TransientError } from '../../pipeline/ports.ts';

export interface PostOptions {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds; default 10,000. */
  readonly timeout?: number;
  /** Statuses besides 2xx with which the receiver has what it needs. @default none */
  readonly accepted?: readonly number[];
  /** What to call the receiver in errors: a URL may hold a secret and is never shown. */
  readonly receiver: string;
}

/**
 * Resolves with the status of a 2xx answer. A `Retry-After` goes along with the error.
 * @throws TransientError on 408, 425, 429, 5xx, a time-out or a broken connection; Error on any other answer
 */
export async function post(options: PostOptions): Promise<number> {
  let response: Response;
  try {
    response = await fetch(options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'mlmon', ...options.headers },
      body: options.body,
      // A redirect could carry the secret elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(options.timeout ?? 10_000),
    });
  } catch (error) {
    throw new TransientError(`${options.receiver}: no answer: ${reason(error)}`);
  }
  const text = await excerpt(response);
  const { status, headers } = response;
  if ((status >= 200 && status < 300) || options.accepted?.includes(status) === true) return status;
  const message = `${options.receiver}: answered ${response.status}${text === '' ? '' : ` ${JSON.stringify(text)}`}`;
  if ([408, 425, 429].includes(status) || status >= 500)
    throw new TransientError(message, { retryAfterMs: retryAfterMs(headers.get('retry-after')) });
  throw new Error(message);
}

/** Seconds, or a date. */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,6}$/.test(header.trim())) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** The first 200 characters of the answer; the rest is not read. */
async function excerpt(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  try {
    const { value } = await reader.read();
    return value === undefined ? '' : new TextDecoder().decode(value.subarray(0, 200)).trim();
  } catch {
    return '';
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return cause === '' ? error.message : cause;
}
