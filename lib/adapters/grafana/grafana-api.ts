/**
 * The part of Grafana's HTTP API that dashboards need, over fetch: https://grafana.com/docs/grafana/latest/developer-resources/api-reference/http-api/.
 * What passes (429, 5xx, a broken or slow connection) is tried again, boundedly; the token stands in a header and in no message.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface GrafanaApiOptions {
  /** `https://<host>[/<path>]`; plain HTTP to this machine alone. */
  readonly url: string;
  /** Of a service account with the role Admin. */
  readonly token: string;
  /** Ends whatever is under way: when the caller runs out of time. @default never */
  readonly signal?: AbortSignal;
  /** Milliseconds for one attempt. @default 10,000 */
  readonly attemptMs?: number;
  /** @default 4 */
  readonly attempts?: number;
  /** Milliseconds before the second attempt; doubled for each after it. @default 500 */
  readonly firstWaitMs?: number;
  /** @default fetch */
  readonly fetch?: typeof fetch;
}

/** What was asked, and what Grafana answered. */
export class GrafanaError extends Error {
  override readonly name = 'GrafanaError';
  /** `null`: there was no answer. */
  readonly status: number | null;

  constructor(message: string, status: number | null, options: ErrorOptions = {}) {
    super(message, options);
    this.status = status;
  }
}

export interface FoundDashboard {
  readonly uid: string;
  readonly tags: readonly string[];
}

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api`, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** Statuses besides 2xx that are an answer. */
  readonly answers?: readonly number[];
}

interface Answer {
  readonly status: number;
  /** Parsed JSON; `null` where there is none. */
  readonly body: unknown;
}

/** Bytes of an answer that are read: the largest, a dashboard, has some tens of kilobytes. */
const LARGEST_ANSWER = 8_000_000;
/** Characters of Grafana's own words that are passed on. */
const LONGEST_WORDS = 200;
const FOUND_AT_ONCE = 1_000;
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 500;

export class GrafanaApi {
  readonly #options: GrafanaApiOptions;
  readonly #base: string;

  /** @throws GrafanaError for an address that a token must not be sent to, and for what is no token */
  constructor(options: GrafanaApiOptions) {
    // Whatever refused it later would repeat it.
    if (!/^[\x21-\x7e]+$/.test(options.token))
      throw new GrafanaError(
        'the token of Grafana: is empty or holds what no token holds; expected the token of a service account, as plain text',
        null,
      );
    this.#options = options;
    this.#base = baseOf(options.url);
  }

  /** Whether a plugin is installed. */
  async hasPlugin(id: string): Promise<boolean> {
    const { status } = await this.#ask({ method: 'GET', path: `/plugins/${segment(id)}/settings`, answers: [404] });
    return status !== 404;
  }

  /** Makes a data source, or replaces the one with this uid. */
  async putDataSource(source: Readonly<Record<string, unknown>> & { readonly uid: string }): Promise<void> {
    const path = `/datasources/uid/${segment(source.uid)}`;
    const { status } = await this.#ask({ method: 'GET', path, answers: [404] });
    if (status !== 404) await this.#ask({ method: 'PUT', path, body: source });
    else {
      const made = await this.#ask({ method: 'POST', path: '/datasources', body: source, answers: [409] });
      if (made.status !== 409) return;
      // Either an earlier attempt took effect without an answer, or another data source has this name.
      const { status: now } = await this.#ask({ method: 'GET', path, answers: [404] });
      if (now === 404)
        throw new GrafanaError(
          `POST /datasources: 409, another data source is called ${JSON.stringify(source['name'])}; rename or delete that one`,
          409,
        );
      await this.#ask({ method: 'PUT', path, body: source });
    }
  }

  /**
   * What the data source says of itself; `null` when it is well, or its plugin has no such question. A role that was just made is not known
   * everywhere at once: what is ill is asked again, with longer waits than for a request.
   */
  async dataSourceFailure(uid: string): Promise<string | null> {
    const { attempts = ATTEMPTS, firstWaitMs = FIRST_WAIT_MS, token } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const { status, body } = await this.#ask({
        method: 'GET',
        path: `/datasources/uid/${segment(uid)}/health`,
        answers: [400, 404, 501],
      });
      if (status !== 400) return null;
      const mayAskAgain = attempt < attempts && (await this.#waited(firstWaitMs * 10 * 2 ** (attempt - 1)));
      if (!mayAskAgain) return wordsOf(body, token) ?? 'it does not answer';
    }
  }

  async deleteDataSource(uid: string): Promise<void> {
    await this.#ask({ method: 'DELETE', path: `/datasources/uid/${segment(uid)}`, answers: [404] });
  }

  /** Makes a folder, or gives the one with this uid its title. */
  async putFolder({ uid, title }: { readonly uid: string; readonly title: string }): Promise<void> {
    const path = `/folders/${segment(uid)}`;
    const found = await this.#ask({ method: 'GET', path, answers: [404] });
    if (found.status !== 404) {
      if (textAt(found.body, 'title') !== title)
        await this.#ask({ method: 'PUT', path, body: { title, overwrite: true } });
      return;
    }
    const made = await this.#ask({ method: 'POST', path: '/folders', body: { uid, title }, answers: [409, 412] });
    if (made.status !== 409 && made.status !== 412) return;
    const { status } = await this.#ask({ method: 'GET', path, answers: [404] });
    if (status === 404)
      throw new GrafanaError(
        `POST /folders: ${made.status}, another folder is called ${JSON.stringify(title)}; rename or delete that one`,
        made.status,
      );
  }

  /** Deletes a folder if nothing is left in it: dashboards, rules or panels of others are not ours to delete. */
  async deleteEmptyFolder(uid: string): Promise<void> {
    const { body } = await this.#ask({ method: 'GET', path: `/search?folderUIDs=${segment(uid)}&limit=1` });
    if (!Array.isArray(body) || body.length > 0) return;
    await this.#ask({ method: 'DELETE', path: `/folders/${segment(uid)}`, answers: [400, 403, 404, 412] });
  }

  /** Tags of a dashboard; `null` when there is none with this uid. */
  async dashboardTags(uid: string): Promise<readonly string[] | null> {
    const { status, body } = await this.#ask({
      method: 'GET',
      path: `/dashboards/uid/${segment(uid)}`,
      answers: [404],
    });
    if (status === 404) return null;
    const tags = (body as { readonly dashboard?: { readonly tags?: unknown } } | null)?.dashboard?.tags;
    return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
  }

  /** Dashboards that carry a tag. */
  async dashboardsTagged(tag: string): Promise<readonly FoundDashboard[]> {
    const found: FoundDashboard[] = [];
    for (let page = 1; ; page++) {
      const { body } = await this.#ask({
        method: 'GET',
        path: `/search?type=dash-db&tag=${encodeURIComponent(tag)}&limit=${FOUND_AT_ONCE}&page=${page}`,
      });
      const rows = (Array.isArray(body) ? body : []) as readonly { readonly uid?: unknown; readonly tags?: unknown }[];
      // The search may match more loosely than asked.
      for (const { uid, tags } of rows)
        if (typeof uid === 'string' && Array.isArray(tags) && tags.includes(tag))
          found.push({ uid, tags: tags as readonly string[] });
      if (rows.length < FOUND_AT_ONCE) return found;
    }
  }

  /** Makes or replaces a dashboard, whoever changed it meanwhile. */
  async putDashboard(
    dashboard: Readonly<Record<string, unknown>>,
    { folderUid, message }: { readonly folderUid: string; readonly message: string },
  ): Promise<void> {
    const request: Request = {
      method: 'POST',
      path: '/dashboards/db',
      body: { dashboard: { ...dashboard, id: null }, folderUid, overwrite: true, message },
    };
    const { status } = await this.#ask({ ...request, answers: [412] });
    // Somebody saved it in the same moment; a second refusal is told.
    if (status === 412) await this.#ask(request);
  }

  async deleteDashboard(uid: string): Promise<void> {
    await this.#ask({ method: 'DELETE', path: `/dashboards/uid/${segment(uid)}`, answers: [404] });
  }

  async #ask(request: Request): Promise<Answer> {
    const { attempts = ATTEMPTS, firstWaitMs = FIRST_WAIT_MS } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(request);
      if (!(outcome instanceof GrafanaError)) return outcome;
      const mayTryAgain =
        attempt < attempts && isPassing(outcome) && (await this.#waited(firstWaitMs * 2 ** (attempt - 1)));
      if (!mayTryAgain) throw outcome;
    }
  }

  /** `false`: the time is over. */
  async #waited(ms: number): Promise<boolean> {
    const { signal } = this.#options;
    try {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
      return true;
    } catch {
      return false;
    }
  }

  /** The error is returned, so that only what this class says of it goes further. */
  async #attempt({ method, path, body, answers = [] }: Request): Promise<Answer | GrafanaError> {
    const { token, attemptMs = 10_000, signal, fetch: send = fetch } = this.#options;
    const what = `${method} ${path.split('?')[0]}`;
    const limit = AbortSignal.timeout(attemptMs);
    try {
      const response = await send(`${this.#base}/api${path}`, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A token is for the address that it was given for.
        redirect: 'manual',
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
      const { status } = response;
      const parsed = await readJson(response);
      if ((status >= 200 && status < 300) || answers.includes(status)) return { status, body: parsed };
      const words = wordsOf(parsed, token);
      return new GrafanaError(`${what}: ${status}${words === null ? '' : `, ${words}`}${fixOf(status)}`, status);
    } catch (error) {
      if (error instanceof GrafanaError) return error;
      if (limit.aborted) return new GrafanaError(`${what}: no answer within ${attemptMs / 1_000} s`, null);
      if (signal?.aborted === true) return new GrafanaError(`${what}: not enough time was left`, null);
      return new GrafanaError(`${what}: ${redacted(causeOf(error), token)}`, null);
    }
  }
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const isLocal = parsed !== null && ['127.0.0.1', 'localhost', '[::1]'].includes(parsed.hostname);
  if (parsed === null || !(parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLocal)))
    throw new GrafanaError(
      `the address of Grafana: is ${parsed === null ? 'none' : `of ${parsed.protocol}//${parsed.host}`}; expected https://…; a token is sent to it`,
      null,
    );
  if (parsed.username !== '' || parsed.password !== '')
    throw new GrafanaError('the address of Grafana: holds a name or a password; expected an address alone', null);
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
}

async function readJson(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true as const, value: undefined };
    if (done) break;
    size += value.byteLength;
    if (size > LARGEST_ANSWER) {
      await reader?.cancel();
      throw new GrafanaError(`its answer has more than ${LARGEST_ANSWER} bytes; is this a Grafana?`, response.status);
    }
    chunks.push(value);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    // A proxy's page: its status says enough, and what it holds is nobody's business in a log.
    return null;
  }
}

function isPassing({ status }: GrafanaError): boolean {
  return status === null || status === 408 || status === 429 || status >= 500;
}

function fixOf(status: number): string {
  if (status >= 300 && status < 400) return '; it sends elsewhere, which is not followed: give the address it leads to';
  if (status === 401) return '; the token is not valid any more, or of another Grafana';
  if (status === 403) return '; the service account of the token must have the role Admin';
  return '';
}

/** Grafana's `message`, short and without the token. */
function wordsOf(body: unknown, token: string): string | null {
  const text = textAt(body, 'message');
  return text === null ? null : redacted(text, token).slice(0, LONGEST_WORDS);
}

function textAt(body: unknown, name: string): string | null {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : null;
}

function redacted(text: string, token: string): string {
  return token === '' ? text : text.replaceAll(token, '…');
}

/** `fetch failed` says nothing; its cause does. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const { code } = cause as { readonly code?: string };
  return code === undefined ? cause.message : `${code}: ${cause.message}`;
}

function segment(text: string): string {
  return encodeURIComponent(text);
}
