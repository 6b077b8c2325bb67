/** The page's addresses, all behind `#`: the platform serves one page. */
import { wellFormed } from '../words/safe.ts';

export type Route =
  | { readonly view: 'models' }
  | {
      readonly view: 'model';
      readonly model: string;
      readonly version?: string;
      readonly length?: string;
      /** Newest windows up to this time, milliseconds; the newest of all when absent. */
      readonly to?: number;
      /** How many windows. */
      readonly limit?: number;
      /** Start of the window that is looked at. */
      readonly at?: number;
    }
  | {
      readonly view: 'feature';
      readonly model: string;
      readonly feature: string;
      readonly version?: string;
      readonly length?: string;
      readonly start?: number;
    }
  | {
      readonly view: 'alerts';
      readonly id?: string;
      readonly model?: string;
      readonly state?: 'open' | 'closed' | 'all';
    }
  | { readonly view: 'health' }
  | { readonly view: 'unknown'; readonly address: string };

export type ModelRoute = Extract<Route, { view: 'model' }>;
export type FeatureRoute = Extract<Route, { view: 'feature' }>;
export type AlertsRoute = Extract<Route, { view: 'alerts' }>;

/** Any hash becomes a route; what makes no sense becomes `unknown`, never an error. */
export function parseRoute(hash: string): Route {
  const address = hash.replace(/^#/, '');
  const [path = '', query = ''] = split(address, '?');
  let parts: string[];
  try {
    parts = path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return { view: 'unknown', address };
  }
  const search = new URLSearchParams(query);
  const text = (key: string): string | undefined => search.get(key) || undefined;
  const [first, model, third, feature] = parts;
  if (first === undefined) return { view: 'models' };
  if (first === 'models' && parts.length === 1) return { view: 'models' };
  if (first === 'models' && model !== undefined && parts.length === 2)
    return {
      view: 'model',
      model,
      version: text('version'),
      length: text('length'),
      to: time(search.get('to')),
      limit: whole(search.get('limit')),
      at: time(search.get('at')),
    };
  if (first === 'models' && model !== undefined && third === 'features' && feature !== undefined && parts.length === 4)
    return {
      view: 'feature',
      model,
      feature,
      version: text('version'),
      length: text('length'),
      start: time(search.get('start')),
    };
  if (first === 'alerts' && parts.length === 1) {
    const state = search.get('state');
    return {
      view: 'alerts',
      id: text('id'),
      model: text('model'),
      state: state === 'open' || state === 'closed' || state === 'all' ? state : undefined,
    };
  }
  if (first === 'health' && parts.length === 1) return { view: 'health' };
  return { view: 'unknown', address };
}

/** The address of a route; `parseRoute(href(route))` gives it back. */
export function href(route: Route): string {
  if (route.view === 'models') return '#/';
  if (route.view === 'health') return '#/health';
  if (route.view === 'unknown') return `#${route.address}`;
  if (route.view === 'alerts')
    return `#/alerts${search({ id: route.id, model: route.model, state: route.state === undefined ? undefined : route.state })}`;
  const model = `#/models/${encoded(route.model)}`;
  if (route.view === 'model')
    return `${model}${search({
      version: route.version,
      length: route.length,
      to: stamp(route.to),
      limit: route.limit === undefined ? undefined : String(route.limit),
      at: stamp(route.at),
    })}`;
  return `${model}/features/${encoded(route.feature)}${search({
    version: route.version,
    length: route.length,
    start: stamp(route.start),
  })}`;
}

/** Names come from data and may hold anything, lone surrogates included. */
export function encoded(name: string): string {
  return encodeURIComponent(wellFormed(name));
}

export function search(values: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encoded(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function stamp(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

function time(text: string | null): number | undefined {
  if (text === null) return undefined;
  const at = Date.parse(text);
  return Number.isFinite(at) ? at : undefined;
}

function whole(text: string | null): number | undefined {
  const n = Number(text);
  return text !== null && Number.isInteger(n) && n >= 1 && n <= 1000 ? n : undefined;
}
