/** Talks to the JSON interface. The token, where the platform wants one, lives as long as the tab does. */

export class RequestError extends Error {
  /** 0 when nobody answered. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
  }
}

const TOKEN = 'mlmon.token';
const TIMEOUT_MS = 20_000;
/** Making a baseline reads weeks of captured events. */
const CHANGE_TIMEOUT_MS = 180_000;

/** Storage may be forbidden by the browser; then the token lives as long as the page. */
let remembered: string | null = null;

export function token(): string | null {
  try {
    return sessionStorage.getItem(TOKEN) ?? remembered;
  } catch {
    return remembered;
  }
}

export function rememberToken(value: string | null): void {
  remembered = value;
  try {
    if (value === null) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, value);
  } catch {
    // Kept in memory above.
  }
}

/** The text of an answer; `RequestError` otherwise. */
export async function getText(path: string): Promise<string> {
  const response = await request(path, { method: 'GET' });
  return response.text();
}

/** Asks for a change. The answer is not read: the next round of polling shows what became of it. */
export async function change(path: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  await request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function request(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('accept', 'application/json');
  const bearer = token();
  if (bearer !== null) headers.set('authorization', `Bearer ${bearer}`);
  const timeout = init.method === 'GET' ? TIMEOUT_MS : CHANGE_TIMEOUT_MS;
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, cache: 'no-cache', signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    throw new RequestError(0, late ? `no answer within ${timeout / 1000} seconds` : 'no answer');
  }
  if (!response.ok) throw new RequestError(response.status, await problemText(response));
  return response;
}

/** What a problem document says, or the status where there is none. */
async function problemText(response: Response): Promise<string> {
  try {
    const problem: unknown = await response.json();
    if (typeof problem === 'object' && problem !== null) {
      const { detail, title } = problem as { detail?: unknown; title?: unknown };
      if (typeof detail === 'string' && detail !== '') return detail;
      if (typeof title === 'string' && title !== '') return title;
    }
  } catch {
    // Not a problem document.
  }
  return `answered ${response.status} ${response.statusText}`.trim();
}
