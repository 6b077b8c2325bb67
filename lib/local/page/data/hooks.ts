/** What views use: live answers, the connection and the address, each drawing again only what depends on it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RequestError } from './client.ts';
import { type Connection, connectionNow, entryOf, onConnection, watch } from './live.ts';
import { parseRoute, type Route } from './routes.ts';

export interface Live<T> {
  readonly data: T | null;
  readonly error: RequestError | null;
  /** The data is of the previous question; the answer to this one is on its way. */
  readonly pending: boolean;
}

/**
 * The answer of a path, kept up to date. While a new path of the same group is asked, the old answer stays on the
 * screen, so that switching a version or a length does not flash.
 */
export function useLive<T>(path: string | null, group = path ?? ''): Live<T> {
  const [, draw] = useState({});
  const last = useRef<{ group: string; data: T | null }>({ group, data: null });
  useEffect(() => (path === null ? undefined : watch(path, () => draw({}))), [path]);
  const entry = path === null ? null : entryOf(path);
  const data = (entry?.data ?? null) as T | null;
  if (last.current.group !== group) last.current = { group, data: null };
  if (data !== null) last.current.data = data;
  const pending = data === null && entry?.error == null;
  return { data: pending ? last.current.data : data, error: entry?.error ?? null, pending };
}

export function useConnection(): Connection {
  const [value, set] = useState(connectionNow);
  useEffect(() => onConnection(() => set(connectionNow())), []);
  return value;
}

export function useRoute(): Route {
  const [route, set] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const listener = (): void => set(parseRoute(location.hash));
    addEventListener('hashchange', listener);
    return () => removeEventListener('hashchange', listener);
  }, []);
  return route;
}

/** Draws again every second while `on`: for words such as "12 s ago". */
export function useSeconds(on: boolean): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    if (!on) return undefined;
    set(Date.now());
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}
