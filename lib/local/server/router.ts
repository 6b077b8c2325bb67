/** Finds the handler of a request: method and path, with named segments. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpProblem } from '../../contracts/http-problem.ts';
import type { Head } from './request-guard.ts';
import { type Body, sendBody, sendJson } from './respond.ts';
import type { Identity, Scope } from './tokens.ts';

export interface Context {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: Head;
  readonly identity: Identity;
  /** Segments of the path by name, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  json(value: unknown, status?: number): Promise<void>;
  send(body: Body, status?: number): Promise<void>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/api/models/:model/windows` */
  readonly path: string;
  /** `null`: open to everybody who reaches the server. */
  readonly scope: Scope | null;
  readonly handle: (context: Context) => Promise<void>;
}

export class Router {
  readonly #routes: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, parts: route.path.split('/') }));
  }

  /** @throws HttpProblem 400, 404, 405 */
  find(method: string, path: string): { readonly route: Route; readonly params: Readonly<Record<string, string>> } {
    const parts = path.split('/').map(decodedSegment);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const allowed = new Set<string>();
    for (const { route, parts: pattern } of this.#routes) {
      const params = matched(pattern, parts);
      if (params === null) continue;
      if (route.method === wanted) return { route, params };
      allowed.add(route.method);
      if (route.method === 'GET') allowed.add('HEAD');
    }
    if (allowed.size > 0) {
      const list = [...allowed].sort().join(', ');
      throw new HttpProblem(405, 'method', `${method} is not for ${path.slice(0, 200)}; expected ${list}`, {
        headers: ['Allow', list],
      });
    }
    throw new HttpProblem(
      404,
      'no-such-path',
      `${path.slice(0, 200)}: there is nothing here; GET /openapi.json lists what is`,
    );
  }
}

function matched(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const expected = pattern[i]!;
    const part = parts[i]!;
    if (expected.startsWith(':')) {
      if (part === '') return null;
      params[expected.slice(1)] = part;
    } else if (expected !== part) return null;
  }
  return params;
}

function decodedSegment(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpProblem(400, 'path', `${part.slice(0, 100)} is not percent-encoded UTF-8`);
  }
}

export function makeContext(parts: Omit<Context, 'json' | 'send'>): Context {
  return {
    ...parts,
    json: (value, status) => sendJson(parts.request, parts.response, value, status),
    send: (body, status) => sendBody(parts.request, parts.response, body, status),
  };
}
