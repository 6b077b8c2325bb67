/**
 * Posts to the collector over connections that are kept. `HttpSink` of the producer tells only whether a request was taken; here it matters when
 * to come again, what is worth splitting, and a token that is rotated under way.
 */
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface CollectorClientOptions {
  /** Without path. */
  readonly url: string;
  readonly tokenFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly timeoutMs: number;
}

export interface PostAnswer {
  readonly status: number;
  /** Of `Retry-After`, milliseconds; `null` without. */
  readonly retryAfterMs: number | null;
  /** Beginning of the body. */
  readonly text: string;
}

/** A token is read again so often, milliseconds, and when it was refused. */
const TOKEN_MS = 10_000;
const ANSWER_BYTES = 65_536;

export class CollectorClient {
  readonly #options: CollectorClientOptions;
  readonly #url: URL;
  #agent: HttpAgent | HttpsAgent | null = null;
  #token: { readonly text: string; readonly readAt: number } | null = null;

  constructor(options: CollectorClientOptions) {
    this.#options = options;
    this.#url = new URL('v1/events', options.url.endsWith('/') ? options.url : `${options.url}/`);
  }

  /** @throws the error of the connection, of the time-out, or of a file that cannot be read */
  async post(contentType: string, body: Buffer): Promise<PostAnswer> {
    const agent = await this.#connections();
    const headers: Record<string, string | number> = { 'content-type': contentType, 'content-length': body.length };
    const token = await this.#currentToken();
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    const answer = await new Promise<PostAnswer>((resolve, reject) => {
      const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(
        this.#url,
        { method: 'POST', agent, headers, signal: AbortSignal.timeout(this.#options.timeoutMs) },
        (response) => readAnswer(response).then(resolve, reject),
      );
      request.once('error', reject);
      request.end(body);
    });
    if (answer.status === 401 || answer.status === 403) this.#token = null;
    return answer;
  }

  close(): void {
    this.#agent?.destroy();
  }

  async #connections(): Promise<HttpAgent | HttpsAgent> {
    if (this.#agent !== null) return this.#agent;
    const options = { keepAlive: true, maxSockets: 2 };
    if (this.#url.protocol !== 'https:') this.#agent = new HttpAgent(options);
    else {
      const { caFile } = this.#options;
      const ca = caFile === undefined ? {} : { ca: await readFile(caFile, 'utf8') };
      this.#agent = new HttpsAgent({ ...options, ...ca });
    }
    return this.#agent;
  }

  async #currentToken(): Promise<string | null> {
    const { tokenFile } = this.#options;
    if (tokenFile === undefined) return null;
    const now = performance.now();
    if (this.#token === null || now - this.#token.readAt > TOKEN_MS)
      this.#token = { text: (await readFile(tokenFile, 'utf8')).trim(), readAt: now };
    return this.#token.text;
  }
}

async function readAnswer(response: IncomingMessage): Promise<PostAnswer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    if (bytes < ANSWER_BYTES) pieces.push(piece);
    bytes += piece.length;
  }
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  return {
    status: response.statusCode ?? 0,
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 300) * 1_000 : null,
    text: Buffer.concat(pieces).toString('utf8').slice(0, ANSWER_BYTES),
  };
}
