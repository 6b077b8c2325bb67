/** The API of Managed Grafana, as much of it as service accounts and their tokens need, over HTTP on a free port, in front of a Grafana. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeGrafana } from '../adapters/grafana/fake-grafana.ts';

interface Token {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly expiresAt: number;
}

export class FakeWorkspaces {
  /** `<method> <path>`, in order. */
  readonly calls: string[] = [];
  readonly accounts = new Map<string, { readonly name: string; readonly tokens: Map<string, Token> }>();
  /** Every key that was ever given out. */
  readonly keys: string[] = [];
  readonly lifetimes: number[] = [];
  status = 'ACTIVE';
  /** `false`: the workspace was deleted. */
  isThere = true;
  /** Calls that are answered with 500. */
  broken: RegExp | null = null;
  readonly url: string;
  readonly #grafana: FakeGrafana;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(grafana: FakeGrafana, server: ReturnType<typeof createServer>) {
    this.#grafana = grafana;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(grafana: FakeGrafana): Promise<FakeWorkspaces> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const fake = new FakeWorkspaces(grafana, server);
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      request.on('end', () => {
        const [status, body, error] = fake.#answer(request.method ?? '', request.url ?? '', text);
        response.writeHead(status, {
          'content-type': 'application/json',
          ...(error === undefined ? {} : { 'x-amzn-errortype': error }),
        });
        response.end(JSON.stringify(body));
      });
    });
    return fake;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  /** Tokens that are valid now. */
  get tokens(): readonly Token[] {
    return [...this.accounts.values()].flatMap(({ tokens }) => [...tokens.values()]);
  }

  #answer(method: string, url: string, text: string): readonly [number, unknown, string?] {
    const { pathname } = new URL(url, 'http://workspaces');
    const call = `${method} ${pathname}`;
    this.calls.push(call);
    if (this.broken?.test(call) === true) return [500, { message: 'internal' }, 'InternalServerException'];
    const [, workspaceId, , accountId = '', , tokenId = ''] = pathname.split('/').slice(1).map(decodeURIComponent);
    const gone = [404, { message: 'no such resource' }, 'ResourceNotFoundException'] as const;
    if (!this.isThere || workspaceId !== 'g-1') return gone;
    const sent = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const account = this.accounts.get(accountId);
    if (/^GET \/workspaces\/[^/]+$/.test(call)) {
      const { host } = new URL(this.#grafana.url);
      return [200, { workspace: { id: 'g-1', endpoint: host, status: this.status, grafanaVersion: '12.4' } }];
    }
    if (/^GET .*\/serviceaccounts$/.test(call))
      return [
        200,
        {
          workspaceId,
          serviceAccounts: [...this.accounts].map(([id, { name }]) => ({
            id,
            name,
            isDisabled: 'false',
            grafanaRole: 'ADMIN',
          })),
        },
      ];
    if (/^POST .*\/serviceaccounts$/.test(call)) {
      const id = String(this.accounts.size + 1);
      this.accounts.set(id, { name: String(sent['name']), tokens: new Map() });
      return [200, { id, name: sent['name'], grafanaRole: sent['grafanaRole'], workspaceId }];
    }
    if (account === undefined) return gone;
    if (/^DELETE .*\/serviceaccounts\/[^/]+$/.test(call)) {
      for (const { key } of account.tokens.values()) this.#grafana.tokens.delete(key);
      this.accounts.delete(accountId);
      return [200, { serviceAccountId: accountId, workspaceId }];
    }
    if (/^GET .*\/tokens$/.test(call))
      return [
        200,
        {
          workspaceId,
          serviceAccountId: accountId,
          serviceAccountTokens: [...account.tokens.values()].map(({ id, name, expiresAt }) => ({
            id,
            name,
            createdAt: expiresAt - 900,
            expiresAt,
          })),
        },
      ];
    if (/^POST .*\/tokens$/.test(call)) {
      const id = String(this.keys.length + 1);
      const key = `glsa_${id}_nobodyMustSeeThis`;
      const seconds = Number(sent['secondsToLive']);
      this.keys.push(key);
      this.lifetimes.push(seconds);
      this.#grafana.tokens.add(key);
      account.tokens.set(id, { id, name: String(sent['name']), key, expiresAt: Date.now() / 1_000 + seconds });
      return [200, { workspaceId, serviceAccountId: accountId, serviceAccountToken: { id, name: sent['name'], key } }];
    }
    const token = account.tokens.get(tokenId);
    if (method !== 'DELETE' || token === undefined) return gone;
    this.#grafana.tokens.delete(token.key);
    account.tokens.delete(tokenId);
    return [200, { workspaceId, serviceAccountId: accountId, tokenId }];
  }
}
