/**
 * Follows the platform: everything that is on the screen is asked for again in one round, every two seconds, so that
 * all of it is of the same moment. What did not change stays identical (see reuse.ts).
 */
import { getText, RequestError, token } from './client.ts';
import { nextDelay } from './pace.ts';
import { reuse } from './reuse.ts';

export interface Entry {
  readonly data: unknown;
  readonly error: RequestError | null;
}

export interface Connection {
  /** `lost`: nobody answers. `failing`: it answers with an error. `locked`: it wants a token. */
  readonly state: 'connecting' | 'live' | 'lost' | 'failing' | 'locked';
  /** When the last whole round was answered, by this computer's clock. */
  readonly lastAt: number | null;
  readonly message: string | null;
  /** A token was sent and refused. */
  readonly refused: boolean;
}

const NOTHING: Entry = { data: null, error: null };
/** Answers kept for going back and forth. */
const KEPT = 24;

const entries = new Map<string, Entry>();
const texts = new Map<string, string>();
const watched = new Map<string, Set<() => void>>();
const connectionListeners = new Set<() => void>();
let connection: Connection = { state: 'connecting', lastAt: null, message: null, refused: false };
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let running: Promise<void> | null = null;
/** What to do after the round under way: ask for what is new on the screen, or for everything once more. */
let again: 'no' | 'new' | 'all' = 'no';

export function entryOf(path: string): Entry {
  return entries.get(path) ?? NOTHING;
}

export function connectionNow(): Connection {
  return connection;
}

export function onConnection(listener: () => void): () => void {
  connectionListeners.add(listener);
  return () => connectionListeners.delete(listener);
}

/** Keeps a path up to date while somebody looks at it. */
export function watch(path: string, listener: () => void): () => void {
  const listeners = watched.get(path) ?? new Set();
  listeners.add(listener);
  watched.set(path, listeners);
  if (listeners.size === 1) void refresh('new');
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) watched.delete(path);
  };
}

/** Asks for everything now; while a round is under way, another one follows it. */
export function refresh(what: 'new' | 'all' = 'all'): Promise<void> {
  if (running !== null) {
    if (again !== 'all') again = what;
    return running;
  }
  clearTimeout(timer);
  running = round().finally(() => {
    running = null;
  });
  return running;
}

async function round(): Promise<void> {
  // Nothing is on the screen before the first drawing; what is drawn then asks by itself.
  if (watched.size === 0) return;
  let failed: RequestError | null = null;
  let took = 0;
  const asked = new Set<string>();
  do {
    if (again === 'all') {
      asked.clear();
      failed = null;
    }
    again = 'no';
    const begun = performance.now();
    const paths = [...watched.keys()].filter((path) => !asked.has(path));
    for (const path of paths) asked.add(path);
    const results = await Promise.all(paths.map(ask));
    took = Math.max(took, performance.now() - begun);
    // A missing model or window is an answer; everything else that is no answer concerns the connection.
    for (const error of results) if (error !== null && !isAnswer(error)) failed = graver(failed, error);
  } while (again !== 'no');
  failures = failed === null ? 0 : failures + 1;
  report(failed);
  forget();
  timer = setTimeout(() => void refresh(), nextDelay({ failures, took, hidden: document.hidden }));
}

async function ask(path: string): Promise<RequestError | null> {
  try {
    const text = await getText(path);
    const before = entries.get(path);
    if (text !== texts.get(path) || before === undefined || before.error !== null) {
      const data = reuse(before?.data, parsed(text));
      texts.set(path, text);
      keep(path, { data, error: null });
    }
    return null;
  } catch (thrown) {
    const error = thrown instanceof RequestError ? thrown : new RequestError(500, String(thrown));
    keep(path, { data: entries.get(path)?.data ?? null, error });
    return error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError(502, 'the answer is not JSON: is this the platform, or something in front of it?');
  }
}

function isAnswer(error: RequestError): boolean {
  return error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 403;
}

function graver(one: RequestError | null, other: RequestError): RequestError {
  if (one === null) return other;
  return one.status === 401 || one.status === 0 ? one : other;
}

function keep(path: string, entry: Entry): void {
  entries.delete(path);
  entries.set(path, entry);
  for (const listener of watched.get(path) ?? []) listener();
}

function forget(): void {
  for (const path of entries.keys()) {
    if (entries.size <= KEPT) return;
    if (!watched.has(path)) {
      entries.delete(path);
      texts.delete(path);
    }
  }
}

function report(failed: RequestError | null): void {
  if (failed === null) connection = { state: 'live', lastAt: Date.now(), message: null, refused: false };
  else
    connection = {
      state: failed.status === 0 ? 'lost' : failed.status === 401 || failed.status === 403 ? 'locked' : 'failing',
      lastAt: connection.lastAt,
      message: failed.message,
      refused: (failed.status === 401 || failed.status === 403) && token() !== null,
    };
  for (const listener of connectionListeners) listener();
}

/** Starts following, and looks again at once when somebody comes back to the page or the network does. */
export function follow(): void {
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void refresh();
  });
  addEventListener('online', () => void refresh());
  void refresh();
}
