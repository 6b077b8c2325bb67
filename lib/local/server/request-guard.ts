/**
 * What is checked of a request before anything else: who it says it talks to (`Host`, against DNS rebinding), which page sent it (`Origin`),
 * and who it is from. Read from the raw headers in one pass, since the collector does this for every event.
 */
import type { IncomingMessage } from 'node:http';
import { HttpProblem } from '../../contracts/http-problem.ts';
import { type Identity, isLoopback, LOCAL_IDENTITY, type Scope, type Tokens } from './tokens.ts';

/** The few headers that are looked at. */
export interface Head {
  host: string | null;
  origin: string | null;
  fetchSite: string | null;
  authorization: string | null;
  contentType: string | null;
  contentEncoding: string | null;
  contentLength: string | null;
  /** Simulated time, where the sender replays the past. */
  replayClock: string | null;
}

/** Header by which a replay moves the clock of a platform that was started with one; RFC 3339. */
export const REPLAY_CLOCK_HEADER = 'mlmon-replay-clock';

export interface GuardOptions {
  /** The address it listens on. */
  readonly host: string;
  /** Names under which it is reached besides: those of a proxy. On an address of the network, none given means any. */
  readonly names?: readonly string[];
  readonly tokens: Tokens | null;
}

export function readHead(request: IncomingMessage): Head {
  const head: Head = {
    host: null,
    origin: null,
    fetchSite: null,
    authorization: null,
    contentType: null,
    contentEncoding: null,
    contentLength: null,
    replayClock: null,
  };
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    switch (name.length) {
      case 4:
        if (name === 'Host' || name.toLowerCase() === 'host') {
          // A second Host header is an attempt to be two hosts at once.
          head.host = head.host === null ? value : '';
        }
        break;
      case 6:
        if (name.toLowerCase() === 'origin') head.origin = value;
        break;
      case 12:
        if (name === 'Content-Type' || name.toLowerCase() === 'content-type') head.contentType = value;
        break;
      case 13:
        if (name.toLowerCase() === 'authorization') head.authorization = value;
        break;
      case 14:
        if (name === 'Content-Length' || name.toLowerCase() === 'content-length') head.contentLength = value;
        else if (name.toLowerCase() === 'sec-fetch-site') head.fetchSite = value;
        break;
      case 16:
        if (name.toLowerCase() === 'content-encoding') head.contentEncoding = value;
        break;
      case 18:
        if (name.toLowerCase() === REPLAY_CLOCK_HEADER) head.replayClock = value;
        break;
      default:
    }
  }
  return head;
}

export class RequestGuard {
  readonly #tokens: Tokens | null;
  readonly #names: ReadonlySet<string> | null;
  /** Hosts found good before, as they were written. Bounded. */
  readonly #known = new Set<string>();

  constructor({ host, names = [], tokens }: GuardOptions) {
    this.#tokens = tokens;
    if (isLoopback(host)) this.#names = new Set(['localhost', '127.0.0.1', '::1', host, ...names].map(canonical));
    else
      this.#names =
        names.length === 0 ? null : new Set(['localhost', '127.0.0.1', '::1', host, ...names].map(canonical));
  }

  /** @throws HttpProblem 400, 403 */
  check(head: Head): void {
    if (head.host === null || !this.#isOurs(head.host))
      throw new HttpProblem(
        403,
        'host',
        `Host: ${head.host ?? 'none'} is not a name of this server; use the address it printed at its start, or start it with --name`,
      );
    if (head.origin === null) {
      if (head.fetchSite === 'cross-site')
        throw new HttpProblem(403, 'origin', 'pages of other sites may not call this server');
      return;
    }
    if (head.origin !== `http://${head.host}` && head.origin !== `https://${head.host}`)
      throw new HttpProblem(
        403,
        'origin',
        `Origin: ${head.origin} is not this server; pages of other sites may not call it`,
      );
  }

  /** `open`: whoever reaches the server may do this. @throws HttpProblem 401, 403 */
  identify(head: Head, scope: Scope | null, open = false): Identity {
    if (this.#tokens === null || open) return LOCAL_IDENTITY;
    const identity = this.#tokens.identify(head.authorization);
    if (identity === null)
      throw new HttpProblem(401, 'token', 'a known token is required: Authorization: Bearer <token>', {
        headers: ['WWW-Authenticate', 'Bearer realm="mlmon"'],
      });
    if (scope !== null && !identity.scopes.has(scope))
      throw new HttpProblem(403, 'scope', `the token of ${identity.name} lacks the scope ${scope}`);
    return identity;
  }

  #isOurs(host: string): boolean {
    if (this.#known.has(host)) return true;
    if (host === '' || host.length > 255) return false;
    const ours = this.#names === null || this.#names.has(canonical(host.replace(/:\d{1,5}$/, '')));
    if (ours && this.#known.size < 100) this.#known.add(host);
    return ours;
  }
}

function canonical(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
