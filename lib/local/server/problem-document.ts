/** Answers with a problem document. */
import type { ServerResponse } from 'node:http';
import { type HttpProblem, PROBLEM_TYPE, problemText } from '../../contracts/http-problem.ts';
import { SECURITY_HEADERS_FLAT } from './security-headers.ts';

/** The connection is closed where the request was not read to its end. */
export function sendProblem(response: ServerResponse, problem: HttpProblem, options: { close?: boolean } = {}): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(problemText(problem.document), 'utf8');
  const headers = [
    'Content-Type',
    PROBLEM_TYPE,
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
