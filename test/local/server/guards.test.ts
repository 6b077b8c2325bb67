import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isLoopback, Tokens, tokensFor } from '../../../lib/local/server/tokens.ts';
import { cloudEvent, inference, type Rig, startRig } from './harness.ts';

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

const SECRETS = {
  sender: 'a-sender-token-0001',
  labeler: 'a-labeler-token-0001',
  reader: 'a-reader-token-0001',
  boss: 'an-admin-token-0001',
};
const FILE = `# who may do what
sender events:write ${SECRETS.sender}
labeler labels:write ${SECRETS.labeler}  # the warehouse
reader read ${SECRETS.reader}

boss events:write,labels:write,read,admin ${SECRETS.boss}
`;
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
const EVENT = {
  headers: { 'content-type': 'application/cloudevents+json' },
  body: JSON.stringify(cloudEvent(inference())),
};

describe('Host and Origin', () => {
  it('talks only to those who mean this server', async () => {
    rig = await startRig({ names: ['monitor.example'] });
    const { ask, port } = rig;
    for (const host of [
      `127.0.0.1:${port}`,
      'localhost',
      'LOCALHOST:1',
      '[::1]:80',
      'monitor.example',
      'monitor.example.',
    ])
      expect((await ask('GET', '/api/models', { headers: { host } })).status, host).toBe(200);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost@evil.example',
      '10.0.0.1',
    ]) {
      expect((await ask('GET', '/api/models', { headers: { host } })).status, host).toBe(403);
      expect((await ask('POST', '/v1/events', { ...EVENT, headers: { ...EVENT.headers, host } })).status, host).toBe(
        403,
      );
    }
  });

  it('refuses two Host headers', async () => {
    rig = await startRig();
    const text = await new Promise<string>((resolve) => {
      const socket = connect(rig!.port, '127.0.0.1', () =>
        socket.write('GET /api/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'),
      );
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      });
    });
    expect(text).toMatch(/^HTTP\/1.1 40[03] /);
  });

  it('refuses pages of other sites', async () => {
    rig = await startRig();
    const { ask, port } = rig;
    const host = `127.0.0.1:${port}`;
    expect((await ask('GET', '/api/models', { headers: { host, origin: `http://${host}` } })).status).toBe(200);
    for (const origin of ['http://evil.example', 'null', `http://localhost:${port}`, `http://127.0.0.1:${port + 1}`])
      expect((await ask('GET', '/api/models', { headers: { host, origin } })).status, origin).toBe(403);
    expect((await ask('GET', '/', { headers: { host, 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
  });
});

describe('tokens', () => {
  it('are wanted for everything that holds data', async () => {
    rig = await startRig({ tokens: FILE });
    const { ask } = rig;
    for (const path of ['/api/models', '/api/alerts', '/metrics']) {
      const answer = await ask('GET', path);
      expect([answer.status, answer.headers['www-authenticate']], path).toEqual([401, 'Bearer realm="mlmon"']);
      expect((await ask('GET', path, { headers: bearer(SECRETS.reader) })).status, path).toBe(200);
      expect((await ask('GET', path, { headers: bearer(SECRETS.sender) })).status, path).toBe(403);
      expect((await ask('GET', path, { headers: bearer(`${SECRETS.reader}x`) })).status, path).toBe(401);
    }
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/runbook'])
      expect((await ask('GET', path)).status, path).toBe(200);
  });

  it('give events and labels a scope each', async () => {
    rig = await startRig({ tokens: FILE });
    const { ask } = rig;
    const post = (path: string, token: string | null, body: unknown, type = 'application/cloudevents+json') =>
      ask('POST', path, {
        headers: { 'content-type': type, ...(token === null ? {} : bearer(token)) },
        body: JSON.stringify(body),
      });
    const event = cloudEvent(inference());
    const label = { id: '1', model: 'flights', truth: 'x', time: '2001-02-10T11:00:00Z' };
    const labelEvent = cloudEvent(label, { type: 'ml.label.v1' });
    expect((await post('/v1/events', null, event)).status).toBe(401);
    expect((await post('/v1/events', SECRETS.reader, event)).status).toBe(403);
    expect((await post('/v1/events', SECRETS.sender, event)).status).toBe(202);
    expect((await post('/v1/events', SECRETS.labeler, event)).status).toBe(403);
    expect((await post('/v1/events', SECRETS.sender, labelEvent)).status).toBe(403);
    expect((await post('/v1/events', SECRETS.labeler, labelEvent)).status).toBe(202);
    expect((await post('/v1/labels', SECRETS.sender, label, 'application/json')).status).toBe(403);
    expect((await post('/v1/labels', SECRETS.labeler, label, 'application/json')).status).toBe(202);
  });

  it('let only an admin change anything, under their name', async () => {
    const seen: unknown[] = [];
    rig = await startRig({
      tokens: FILE,
      actions: { acknowledge: async (...input: unknown[]) => void seen.push(input) },
    });
    const { ask } = rig;
    const request = (token: string, body = '{"note":"mine","by":"Ada"}') =>
      ask('POST', '/api/alerts/e1/acknowledge', {
        headers: { 'content-type': 'application/json', ...bearer(token) },
        body,
      });
    expect((await request(SECRETS.reader)).status).toBe(403);
    expect((await request(SECRETS.boss)).status).toBe(200);
    expect((await request(SECRETS.boss, '{}')).status).toBe(200);
    expect(seen).toEqual([
      ['e1', { note: 'mine', by: 'Ada (token boss)' }],
      ['e1', { note: '', by: 'boss' }],
    ]);
  });

  it('come from a file that is right, and are never told', async () => {
    expect(() => Tokens.parse('', 'f')).toThrow('f: holds no token');
    expect(() => Tokens.parse('a read short', 'f')).toThrow(/line 1: a token has at least 16 characters/);
    expect(() => Tokens.parse('a red,admin a-long-enough-token\na b', 'f')).toThrow(
      /unknown scope, got red[\s\S]*line 2: is not a token/,
    );
    try {
      Tokens.parse('a red very-secret-token-1', 'f');
    } catch (error) {
      expect(String(error)).not.toContain('very-secret');
    }
    const one = Tokens.parse('just-one-long-token\n', 'f');
    expect([...(one.identify('bearer just-one-long-token')?.scopes ?? [])]).toHaveLength(4);
    expect(one.identify('Basic just-one-long-token')).toBeNull();
    await expect(Tokens.fromFile('/nowhere/tokens')).rejects.toThrow('cannot be read, got ENOENT');
  });

  it('are required for every address that others reach', async () => {
    await expect(tokensFor('0.0.0.0', undefined)).rejects.toThrow(
      /0\.0\.0\.0: others can reach this address, and no token is set/,
    );
    await expect(tokensFor('::', undefined)).rejects.toThrow('no token is set');
    expect(await tokensFor('127.0.0.1', undefined)).toBeNull();
    const file = join(await mkdtemp(join(tmpdir(), 'tokens-')), 'tokens');
    await writeFile(file, FILE);
    expect((await tokensFor('0.0.0.0', file))?.identify(`Bearer ${SECRETS.reader}`)?.name).toBe('reader');
    expect(['localhost', '127.0.0.1', '127.9.9.9', '::1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '192.168.0.1', 'example.org', '1270.0.0.1', '127.0.0.1.nip.io'].some(isLoopback)).toBe(
      false,
    );
  });
});

describe('every change', () => {
  it('wants a JSON content type', async () => {
    rig = await startRig({ actions: { removeMonitor: async () => ({ n: 2 }) as never } });
    const { ask } = rig;
    for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
      for (const [method, path] of [
        ['POST', '/api/silences'],
        ['POST', '/api/alerts/x/acknowledge'],
        ['POST', '/api/alerts/test'],
        ['POST', '/api/models/flights/baselines'],
        ['PUT', '/api/monitors/flights'],
        ['DELETE', '/api/monitors/flights'],
      ] as const)
        expect(
          (await ask(method, path, { headers: type === undefined ? {} : { 'content-type': type }, body: '{}' })).status,
        ).toBe(415);
    const right = await ask('DELETE', '/api/monitors/flights', { headers: { 'content-type': 'application/json' } });
    expect(right.status).toBe(200);
  });
});

describe('slow and broken clients', () => {
  it('get an answer and no more', async () => {
    rig = await startRig();
    const { port, ask } = rig;
    const raw = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let received = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        socket.on('data', (data) => {
          received += data.toString();
        });
        socket.on('close', () => resolve(received));
      });
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect((await ask('GET', '/%E0%A4%A')).status).toBe(400);
  });
});
