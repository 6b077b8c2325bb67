/** Errors of the HTTP interface: RFC 9457, `application/problem+json`. They say what, where, what was expected and what to do. */
import type { ServerResponse } from 'node:http';
import { formatProblem, type Problem } from '../../contracts/problem.ts';
import { SECURITY_HEADERS_FLAT } from './security-headers.ts';

export interface ProblemDocument {
  /** Stable, greppable identifier. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** What was wrong, item by item, where there were several. */
  readonly problems?: readonly unknown[];
}

/** Thrown by handlers; answered as a problem document. */
export class HttpProblem extends Error {
  readonly document: ProblemDocument;
  readonly headers: readonly string[];
  constructor(
    status: number,
    code: string,
    detail: string,
    options: { headers?: readonly string[]; problems?: readonly unknown[] } = {},
  ) {
    super(detail);
    this.name = 'HttpProblem';
    this.document = {
      type: `urn:mlmon:${code}`,
      title: TITLES[status] ?? 'Error',
      status,
      detail,
      ...(options.problems === undefined ? {} : { problems: options.problems }),
    };
    this.headers = options.headers ?? [];
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Token required',
  403: 'Not permitted',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  409: 'Conflict',
  413: 'Too large',
  415: 'Media type not supported',
  429: 'Over its limits',
  431: 'Headers too large',
  500: 'Internal failure',
  501: 'Not implemented',
  503: 'Not available',
};

export function problemBody(document: ProblemDocument): Buffer {
  return Buffer.from(`${JSON.stringify(document)}\n`, 'utf8');
}

/** Answers with a problem document. The connection is closed where the request was not read to its end. */
export function sendProblem(response: ServerResponse, problem: HttpProblem, options: { close?: boolean } = {}): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = problemBody(problem.document);
  const headers = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    ...SECURITY_HEADERS_FLAT,
    ...problem.headers,
  ];
  if (options.close === true) headers.push('Connection', 'close');
  response.writeHead(problem.document.status, headers);
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** Problems of what a user gave us, as one answer. */
export function fromProblems(problems: readonly Problem[]): HttpProblem {
  return new HttpProblem(400, problems[0]?.code ?? 'bad-request', problems.map(formatProblem).join('\n'), { problems });
}
