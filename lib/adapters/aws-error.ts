/** What an error of the AWS SDK means for a port: to be tried again, or not; and with which words it is passed on. */
import { TransientError } from '../pipeline/ports.ts';

/** The members of an SDK error that matter here; it may also be a network error of Node. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $retryable?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

const TRANSIENT_NAMES = new Set([
  'SlowDown',
  'RequestTimeout',
  'RequestTimeoutException',
  'TimeoutError',
  'InternalError',
  'InternalFailure',
  'InternalServerError',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'KMSThrottlingException',
  'AbortError',
]);
const TRANSIENT_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

export function sdkError(error: unknown): SdkError {
  return typeof error === 'object' && error !== null ? (error as SdkError) : {};
}

export function statusOf(error: unknown): number | undefined {
  return sdkError(error).$metadata?.httpStatusCode;
}

/** The request was sent more than once, so an earlier attempt may have taken effect. */
export function wasRepeated(error: unknown): boolean {
  return (sdkError(error).$metadata?.attempts ?? 1) > 1;
}

export function isTransient(error: unknown): boolean {
  if (error instanceof TransientError) return true;
  const { name, code, $retryable } = sdkError(error);
  const status = statusOf(error);
  return (
    (status !== undefined && (status >= 500 || status === 429 || status === 408)) ||
    (name !== undefined && TRANSIENT_NAMES.has(name)) ||
    // Sessions of HTTP/2 end while a function is frozen.
    (code !== undefined && (TRANSIENT_CODES.has(code) || code.startsWith('ERR_HTTP2_'))) ||
    ($retryable !== undefined && $retryable !== null)
  );
}

/** The error as a port throws it: TransientError, or one that says what was asked and what the service answered. */
export function portError(what: string, error: unknown, fix?: string): Error {
  const { name = 'Error', message = String(error) } = sdkError(error);
  const status = statusOf(error);
  const text = `${what}: ${name}${status === undefined ? '' : ` (${status})`}: ${message}`;
  if (isTransient(error)) return new TransientError(text, { cause: error });
  return new Error(fix === undefined ? text : `${text}; ${fix}`, { cause: error });
}
