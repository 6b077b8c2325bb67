/**
 * Who may do what. Tokens come from a file, one a line: `name scope[,scope] token`, `#` begins a comment; a line of one word is a token for everything.
 * Only digests are kept; comparison takes the same time whatever is compared.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Problem, ProblemError } from '../../contracts/problem.ts';

export const SCOPES = ['events:write', 'labels:write', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Identity {
  /** Who it is, for the audit log. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** What a platform without tokens (on the loopback address) takes everybody for. */
export const LOCAL_IDENTITY: Identity = { name: 'local', scopes: new Set(SCOPES) };

const SHORTEST = 16;

export class Tokens {
  #entries: readonly { readonly digest: Buffer; readonly identity: Identity }[];

  private constructor(entries: readonly { digest: Buffer; identity: Identity }[]) {
    this.#entries = entries;
  }

  /** @throws ProblemError naming each bad line; never quotes a token */
  static parse(text: string, file: string): Tokens {
    const problems: Problem[] = [];
    const entries: { digest: Buffer; identity: Identity }[] = [];
    text.split('\n').forEach((line, at) => {
      const words = line
        .replace(/(?:^|\s)#.*$/, '')
        .trim()
        .split(/\s+/);
      if (words[0] === '') return;
      const [name = '', scopes = '', token = ''] = words.length === 1 ? ['admin', SCOPES.join(','), words[0]] : words;
      const path = `${file}: line ${at + 1}`;
      if (words.length !== 1 && words.length !== 3) {
        problems.push({
          code: 'token-line',
          path,
          message: 'is not a token',
          expected: '`name scope,scope token`, or a token alone',
        });
        return;
      }
      const unknown = scopes.split(',').filter((scope) => !SCOPES.includes(scope as Scope));
      if (unknown.length > 0)
        problems.push({
          code: 'token-scope',
          path,
          message: 'unknown scope',
          got: unknown.join(', '),
          expected: SCOPES.join(', '),
        });
      if (token.length < SHORTEST)
        problems.push({
          code: 'token-short',
          path,
          message: `a token has at least ${SHORTEST} characters`,
          fix: 'make one with `openssl rand -hex 24`',
        });
      entries.push({ digest: digestOf(token), identity: { name, scopes: new Set(scopes.split(',') as Scope[]) } });
    });
    if (entries.length === 0 && problems.length === 0)
      problems.push({
        code: 'token-none',
        path: file,
        message: 'holds no token',
        fix: 'write one line: `name scope,scope token`',
      });
    if (problems.length > 0) throw new ProblemError(problems);
    return new Tokens(entries);
  }

  /** @throws ProblemError when the file cannot be read or is wrong */
  static async fromFile(file: string): Promise<Tokens> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      throw new ProblemError([
        {
          code: 'token-file',
          path: file,
          message: 'the file of tokens cannot be read',
          got: (error as NodeJS.ErrnoException).code,
          fix: 'check the path and its permissions',
        },
      ]);
    }
    return Tokens.parse(text, file);
  }

  /** From now on those of `other` alone are known: the file was changed. */
  become(other: Tokens): void {
    this.#entries = other.#entries;
  }

  /** The value of an `Authorization` header; `null` when it is none of ours. All entries are compared. */
  identify(authorization: string | null): Identity | null {
    if (authorization === null || !/^bearer /i.test(authorization)) return null;
    const digest = digestOf(authorization.slice(7).trim());
    let found: Identity | null = null;
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry.identity;
    return found;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** Addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * Tokens of a server that listens on `host`.
 * @throws ProblemError for an address that others can reach and no tokens
 */
export async function tokensFor(host: string, file: string | undefined): Promise<Tokens | null> {
  if (file !== undefined) return Tokens.fromFile(file);
  if (isLoopback(host)) return null;
  throw new ProblemError([
    {
      code: 'token-required',
      path: host,
      message: 'others can reach this address, and no token is set',
      expected: '127.0.0.1, or a file of tokens',
      fix: 'name a file of tokens with --token-file or in MLMON_TOKEN_FILE (one line each: `name scope,scope token`), or leave --host out',
    },
  ]);
}
