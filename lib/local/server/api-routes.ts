/** `GET /api/…`: what the page shows. */
import { HttpProblem } from '../../contracts/http-problem.ts';
import type { ReadModel } from './read-model.ts';
import type { Context, Route } from './router.ts';

export function apiRoutes(read: ReadModel): Route[] {
  const get = (path: string, answer: (context: Context) => Promise<unknown>): Route => ({
    method: 'GET',
    path,
    scope: 'read',
    handle: async (context) => context.json(await answer(context)),
  });
  return [
    get('/api/models', () => read.models()),
    get('/api/models/:model', ({ params }) => read.model(params['model']!)),
    get('/api/models/:model/windows', ({ params, query }) =>
      read.windows(params['model']!, {
        version: text(query, 'version'),
        length: text(query, 'length'),
        from: time(query, 'from'),
        to: time(query, 'to'),
        limit: count(query, 'limit'),
      }),
    ),
    get('/api/models/:model/features/:feature', ({ params, query }) =>
      read.feature(params['model']!, params['feature']!, {
        version: text(query, 'version'),
        length: text(query, 'length'),
        start: time(query, 'start'),
      }),
    ),
    get('/api/alerts', ({ query }) =>
      read.alerts({ model: text(query, 'model'), state: oneOf(query, 'state', ['open', 'closed']) }),
    ),
    get('/api/health', () => read.health()),
  ];
}

function text(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}

function oneOf(query: URLSearchParams, name: string, values: readonly string[]): string | undefined {
  const value = text(query, name);
  if (value !== undefined && !values.includes(value))
    throw new HttpProblem(400, 'query', `${name}: expected one of ${values.join(', ')}, got ${value.slice(0, 80)}`);
  return value;
}

function time(query: URLSearchParams, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const ms = Date.parse(value);
  if (Number.isNaN(ms))
    throw new HttpProblem(
      400,
      'query',
      `${name}: expected RFC 3339, e.g. 2001-03-05T00:00:00Z, got ${value.slice(0, 80)}`,
    );
  return ms;
}

function count(query: URLSearchParams, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(value))
    throw new HttpProblem(400, 'query', `${name}: expected a whole number of at least 1, got ${value.slice(0, 80)}`);
  return Number(value);
}
