/**
 * Errors as HTTP answers them: RFC 9457, `application/problem+json`. They say what, where, what was expected and what to do.
 * Whoever speaks HTTP throws `HttpProblem` and answers it; nothing here knows a server.
 */
import { formatProblem, type Problem } from './problem.ts';

/** Content type of such an answer. */
export const PROBLEM_TYPE = 'application/problem+json';

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
    options: { headers?: readonly string[]; problems?: readonly unknown[]; cause?: unknown } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
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

export function problemText(document: ProblemDocument): string {
  return `${JSON.stringify(document)}\n`;
}

/** Problems of what a user gave us, as one answer. */
export function fromProblems(problems: readonly Problem[]): HttpProblem {
  return new HttpProblem(400, problems[0]?.code ?? 'bad-request', problems.map(formatProblem).join('\n'), { problems });
}

/** Whatever was thrown, as an answer: what is no problem of the request is a failure of ours. */
export function asHttpProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  return new HttpProblem(500, 'internal', error instanceof Error ? error.message : 'an unexpected failure');
}
