/**
 * As much of Grafana's HTTP API as is called, over HTTP or TLS on a free port. Every call is checked: method, path, headers, token and the form of
 * its body; what Grafana would not take is refused as Grafana refuses it, and what no client should send is a breach that tests look for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface GrafanaCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: unknown;
  readonly status: number;
}

/** The next calls to which it applies are answered with it, or not at all. */
export interface GrafanaFault {
  readonly method?: string;
  readonly path: RegExp;
  readonly times: number;
  /** Without one the connection hangs until it is closed. */
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answered late, milliseconds; as if it had been on time. */
  readonly delayMs?: number;
  /** The call takes effect all the same. */
  readonly takesEffect?: boolean;
}

interface Stored {
  readonly [name: string]: unknown;
  readonly uid: string;
}

export class FakeGrafana {
  readonly calls: GrafanaCall[] = [];
  /** What no client should send. */
  readonly breaches: string[] = [];
  readonly sources = new Map<string, Stored>();
  readonly folders = new Map<string, { readonly uid: string; readonly title: string; readonly parts: number }>();
  readonly dashboards = new Map<string, { readonly dashboard: Stored; readonly folderUid: string }>();
  readonly plugins = new Set(['prometheus', 'cloudwatch', 'grafana-amazonprometheus-datasource']);
  /** Tokens that are let in. */
  readonly tokens = new Set<string>();
  readonly faults: { fault: GrafanaFault; left: number }[] = [];
  /** What data sources say of themselves. */
  health: { readonly status: number; readonly body: unknown } = {
    status: 200,
    body: { status: 'OK', message: 'fine' },
  };
  #server!: ReturnType<typeof createServer>;
  #url!: string;

  static async start(tls?: { readonly key: string; readonly cert: string }): Promise<FakeGrafana> {
    const fake = new FakeGrafana();
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      fake.#serve(request, response).catch((error: unknown) => {
        fake.breaches.push(String(error));
        response.writeHead(500).end();
      });
    };
    fake.#server = tls === undefined ? createServer(serve) : (createTlsServer(tls, serve) as never);
    await new Promise<void>((listening) => fake.#server.listen(0, '127.0.0.1', listening));
    fake.#url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`;
    return fake;
  }

  get url(): string {
    return this.#url;
  }

  fail(fault: GrafanaFault): void {
    this.faults.push({ fault, left: fault.times });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { method = '', url: path = '' } = request;
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    this.#check(request, body);
    const hit = this.faults.find(
      ({ fault, left }) => left > 0 && (fault.method ?? method) === method && fault.path.test(path),
    );
    if (hit !== undefined) {
      hit.left -= 1;
      const { status, delayMs, takesEffect, body: words = '', headers = {} } = hit.fault;
      if (takesEffect === true) this.#answer(request, body);
      if (delayMs !== undefined) await new Promise((later) => setTimeout(later, delayMs));
      else if (status === undefined) {
        this.calls.push({ method, path, body, status: 0 });
        return;
      }
      if (status !== undefined) {
        this.calls.push({ method, path, body, status });
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(words);
        return;
      }
    }
    const [status, answer] = this.#answer(request, body);
    this.calls.push({ method, path, body, status });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #check(request: IncomingMessage, body: unknown): void {
    const { method = '', url: path = '', headers } = request;
    const breach = (what: string): void => void this.breaches.push(`${method} ${path}: ${what}`);
    if (!path.startsWith('/api/')) breach('is no path of the API');
    if (!/^Bearer \S+$/.test(headers.authorization ?? '')) breach('bears no token');
    if (headers.accept !== 'application/json') breach(`accepts ${headers.accept}`);
    const writes = method === 'POST' || method === 'PUT';
    if (writes !== (body !== undefined)) breach(writes ? 'has no body' : 'has a body');
    if (writes && headers['content-type'] !== 'application/json') breach(`is ${headers['content-type']}`);
    if (/secret|password|Bearer/i.test(JSON.stringify(body ?? ''))) breach('holds a secret');
    const token = (headers.authorization ?? '').slice('Bearer '.length);
    if (token !== '' && path.includes(token)) breach('has its token in the path');
  }

  #answer(request: IncomingMessage, body: unknown): readonly [number, unknown] {
    const { method = '', headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://grafana');
    if (!this.tokens.has((headers.authorization ?? '').slice('Bearer '.length)))
      return [401, { message: 'Invalid API key' }];
    const parts = pathname.split('/').slice(2).map(decodeURIComponent);
    const route = `${method} ${parts[0]}${parts[1] === 'uid' ? '/uid' : ''}`;
    const uid = parts[1] === 'uid' ? (parts[2] ?? '') : (parts[1] ?? '');
    const sent = (body ?? {}) as Stored;
    switch (route) {
      case 'GET plugins':
        return this.plugins.has(uid) ? [200, { id: uid, enabled: true }] : [404, { message: 'Plugin not found' }];
      case 'GET datasources/uid':
        if (parts[3] === 'health') return [this.health.status, this.health.body];
        return this.sources.has(uid) ? [200, this.sources.get(uid)] : [404, { message: 'Data source not found' }];
      case 'POST datasources':
        return this.#putSource(sent, null);
      case 'PUT datasources/uid':
        return this.sources.has(uid) ? this.#putSource(sent, uid) : [404, { message: 'Data source not found' }];
      case 'DELETE datasources/uid':
        return this.sources.delete(uid) ? [200, { message: 'Data source deleted' }] : [404, { message: 'not found' }];
      case 'GET folders':
        return this.folders.has(uid) ? [200, { id: 1, ...this.folders.get(uid) }] : [404, { message: 'not found' }];
      case 'POST folders':
        if (this.folders.has(sent.uid)) return [412, { message: 'The folder has been changed by someone else' }];
        if ([...this.folders.values()].some(({ title }) => title === sent['title']))
          return [409, { message: 'A folder with the same name already exists' }];
        this.#uid(sent.uid);
        this.folders.set(sent.uid, { uid: sent.uid, title: String(sent['title']), parts: 0 });
        return [200, this.folders.get(sent.uid)];
      case 'PUT folders':
        if (sent['overwrite'] !== true) return [412, { message: 'version mismatch' }];
        this.folders.set(uid, { uid, title: String(sent['title']), parts: 0 });
        return [200, this.folders.get(uid)];
      case 'DELETE folders':
        if ((this.folders.get(uid)?.parts ?? 0) > 0) return [400, { message: 'folder contains alert rules' }];
        for (const [other, { folderUid }] of this.dashboards) if (folderUid === uid) this.dashboards.delete(other);
        return this.folders.delete(uid) ? [200, { id: 1 }] : [404, { message: 'not found' }];
      case 'GET search':
        return [200, this.#search(searchParams)];
      case 'GET dashboards/uid': {
        const found = this.dashboards.get(uid);
        return found === undefined ? [404, { message: 'Dashboard not found' }] : [200, { ...found, meta: {} }];
      }
      case 'POST dashboards':
        return parts[1] === 'db' ? this.#putDashboard(sent) : [404, {}];
      case 'DELETE dashboards/uid':
        return this.dashboards.delete(uid) ? [200, { title: uid }] : [404, { message: 'Dashboard not found' }];
      default:
        this.breaches.push(`${route}: no such call`);
        return [404, { message: 'Not found' }];
    }
  }

  #putSource(sent: Stored, uid: string | null): readonly [number, unknown] {
    const type = String(sent['type']);
    if (typeof sent['name'] !== 'string' || sent['access'] !== 'proxy') return [400, { message: 'bad request data' }];
    if (!this.plugins.has(type)) return [400, { message: `unknown plugin ${type}` }];
    if ([...this.sources.values()].some((one) => one['name'] === sent['name'] && one.uid !== uid))
      return [409, { message: 'data source with the same name already exists' }];
    this.#uid(sent.uid);
    this.sources.set(sent.uid, sent);
    return [200, { id: 1, message: 'Datasource added', datasource: sent }];
  }

  #putDashboard(sent: Readonly<Record<string, unknown>>): readonly [number, unknown] {
    const dashboard = sent['dashboard'] as Stored;
    const folderUid = String(sent['folderUid']);
    if (dashboard['id'] !== null) this.breaches.push('a dashboard has an id of another Grafana');
    if (!this.folders.has(folderUid)) return [400, { message: 'folder not found' }];
    if (this.dashboards.has(dashboard.uid) && sent['overwrite'] !== true)
      return [412, { status: 'version-mismatch', message: 'The dashboard has been changed by someone else' }];
    this.#uid(dashboard.uid);
    this.dashboards.set(dashboard.uid, { dashboard, folderUid });
    return [200, { uid: dashboard.uid, status: 'success', version: 1, url: `/d/${dashboard.uid}/x` }];
  }

  #search(asked: URLSearchParams): unknown[] {
    const folder = asked.get('folderUIDs');
    const tag = asked.get('tag');
    return [...this.dashboards.values()]
      .filter(({ folderUid }) => folder === null || folderUid === folder)
      .map(({ dashboard }) => ({ uid: dashboard.uid, type: 'dash-db', tags: dashboard['tags'] as string[] }))
      .filter(({ tags }) => tag === null || tags.includes(tag))
      .slice(0, Number(asked.get('limit') ?? 1_000));
  }

  #uid(uid: string): void {
    if (!/^[A-Za-z0-9_-]{1,40}$/.test(uid)) this.breaches.push(`${uid} is no uid`);
  }
}
