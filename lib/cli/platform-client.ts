/** The JSON interface of a running platform, for commands that act on one. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ProblemError } from '../contracts/problem.ts';
import { DEFAULT_PORT } from '../local/defaults.ts';
import { isStoreAddress, openStore } from '../local/deployed-store.ts';
import type { OptionSpec, Options } from './options.ts';

/** Options of every command that talks to a platform. */
export const PLATFORM_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  platform: { type: 'string' },
  'token-file': { type: 'string' },
  json: { type: 'boolean' },
};

export const PLATFORM_HELP = `  --platform URL      the platform; default http://127.0.0.1:${DEFAULT_PORT}. One deployed on AWS: s3://bucket, its bucket, with
                      the credentials and the region of the AWS command line
  --token-file FILE   file that holds the token, where the platform wants one
  --json              the answer as JSON on standard output`;

const ANSWER_MS = 120_000;

export class PlatformClient {
  readonly #base: string;
  readonly #token: string | null;
  readonly #stop: () => Promise<void>;

  private constructor(base: string, token: string | null, stop: () => Promise<void> = async () => undefined) {
    this.#base = base;
    this.#token = token;
    this.#stop = stop;
  }

  /** Calls `work` with a client of the platform that the options name. */
  static async using<T>(options: Options, work: (client: PlatformClient) => Promise<T>): Promise<T> {
    const client = await PlatformClient.from(options);
    try {
      return await work(client);
    } finally {
      await client.#stop();
    }
  }

  static async from(options: Options): Promise<PlatformClient> {
    const base = options.text('platform') ?? `http://127.0.0.1:${DEFAULT_PORT}`;
    if (isStoreAddress(base)) return PlatformClient.#ofStore(base);
    if (!URL.canParse(base) || !/^https?:/.test(base))
      throw new ProblemError([
        {
          code: 'wrong-value',
          path: '--platform',
          message: 'is not an address',
          got: base,
          expected: 'http://host:port, or s3://bucket',
        },
      ]);
    const file = options.text('token-file') ?? process.env['MLMON_TOKEN_FILE'];
    return new PlatformClient(
      base.replace(/\/+$/, ''),
      file === undefined ? null : (await readFile(file, 'utf8')).trim(),
    );
  }

  /** The same answers and changes as any platform's, by a server of this process over the objects of a deployed one. */
  static async #ofStore(address: string): Promise<PlatformClient> {
    const [{ serveDeployed }, { Tokens }] = await Promise.all([
      import('../local/deployed-platform.ts'),
      import('../local/server/tokens.ts'),
    ]);
    // Others on this machine see the port, and have no business with it.
    const token = randomBytes(24).toString('hex');
    const tokens = Tokens.parse(`local read,admin ${token}`, 'tokens');
    const store = await openStore(address);
    const server = await serveDeployed({ store, host: '127.0.0.1', port: 0, tokens, serves: 'commands' });
    return new PlatformClient(server.url, token, () => server.stop());
  }

  get<T>(path: string): Promise<T> {
    return this.#send<T>('GET', path);
  }

  send<T>(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: unknown = {},
    { timeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<T> {
    return this.#send<T>(method, path, body, timeoutMs);
  }

  async #send<T>(method: string, path: string, body?: unknown, timeoutMs = ANSWER_MS): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new ProblemError([
        {
          code: 'no-platform',
          path: this.#base,
          message: `does not answer (${cause})`,
          fix: 'start one with `mlmon start` or `mlmon serve`, or name it with --platform',
        },
      ]);
    }
    const text = await response.text();
    if (response.ok) return (text === '' ? null : JSON.parse(text)) as T;
    throw refusal(response.status, text);
  }
}

/** An answer that says no: a problem document where the platform sent one. */
function refusal(status: number, text: string): ProblemError {
  try {
    const document = JSON.parse(text) as { title?: string; detail?: string; problems?: unknown };
    if (Array.isArray(document.problems) && document.problems.length > 0)
      return new ProblemError(document.problems as ConstructorParameters<typeof ProblemError>[0]);
    return new ProblemError([
      { code: `http-${status}`, path: 'platform', message: document.detail ?? document.title ?? `answered ${status}` },
    ]);
  } catch {
    return new ProblemError([
      { code: `http-${status}`, path: 'platform', message: `answered ${status}`, got: text.slice(0, 200) },
    ]);
  }
}

/** Who decides: the name on the audit log. */
export function decider(options: Options): string {
  return options.text('by') ?? process.env['USER'] ?? 'command line';
}
