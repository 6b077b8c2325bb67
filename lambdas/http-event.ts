/** Requests and answers of a Function URL and of an HTTP API, both in payload 2.0. */
import type { HttpProblem } from '../lib/contracts/http-problem.ts';
import { PROBLEM_TYPE, problemText } from '../lib/contracts/http-problem.ts';
import type { RawHeaders } from '../lib/pipeline/ingest.ts';

/** What is read of a request. */
export interface HttpEvent {
  readonly rawPath: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly requestContext: {
    readonly requestId: string;
    readonly stage?: string;
    readonly http: { readonly method: string };
    readonly authorizer?: {
      readonly iam?: { readonly userArn?: string };
      readonly jwt?: { readonly claims?: Readonly<Record<string, unknown>> };
      readonly lambda?: Readonly<Record<string, unknown>> | null;
    };
  };
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The path without the name of the stage, which an HTTP API puts in front of it unless the stage is the default one. */
export function pathOf({ rawPath, requestContext: { stage } }: HttpEvent): string {
  const prefix = `/${stage ?? '$default'}`;
  return stage !== undefined && stage !== '$default' && (rawPath === prefix || rawPath.startsWith(`${prefix}/`))
    ? rawPath.slice(prefix.length)
    : rawPath;
}

export function headerOf({ headers }: HttpEvent, name: string): string | null {
  return headers?.[name] ?? null;
}

export function rawHeadersOf({ headers = {} }: HttpEvent): RawHeaders {
  return Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

export function bodyOf({ body = '', isBase64Encoded = false }: HttpEvent): Buffer {
  return Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
}

export function jsonAnswer(statusCode: number, value: unknown): HttpAnswer {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' },
    body: `${JSON.stringify(value)}\n`,
  };
}

export function problemAnswer({ document, headers }: HttpProblem): HttpAnswer {
  const named: Record<string, string> = {
    'content-type': PROBLEM_TYPE,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  for (let i = 0; i + 1 < headers.length; i += 2) named[headers[i]!.toLowerCase()] = headers[i + 1]!;
  return { statusCode: document.status, headers: named, body: problemText(document) };
}
