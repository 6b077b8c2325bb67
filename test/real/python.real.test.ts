/** A Python service as the sender: the example, as its README says, without and with tokens. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthAnswer, ModelsAnswer } from '../../lib/contracts/api.ts';
import { CHECKOUT, endAll, eventually, getJson, run, startMlmon } from './programs.ts';

const MONITORS = join(CHECKOUT, 'examples/python/monitors');
const SERVICE = join(CHECKOUT, 'examples/python/serve_churn.py');
const EVENTS = 1_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'python-'));
});
afterAll(async () => {
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

const serve = (data: string, ...more: string[]) =>
  startMlmon(['serve', '--monitors', MONITORS, '--data', join(folder, data), '--port', '0', ...more]);

/** Looks until the platform has read all that Python sent. */
async function received(url: string, token?: string): Promise<HealthAnswer> {
  return eventually(
    () => getJson<HealthAnswer>(`${url}/api/health`, token),
    ({ health: { counts, partitions } }) => counts.received >= 2 * EVENTS && partitions.every(({ lag }) => lag === 0),
  );
}

describe('a Python service', () => {
  it('sends predictions and labels, and each is counted once', async () => {
    const { program, url } = await serve('open');
    const sent = await run('python3', [SERVICE, url, String(EVENTS)]);
    expect([sent.code, sent.out.trim(), sent.err]).toEqual([0, 'sent - dropped: 0', '']);
    const { health, quarantine } = await received(url);
    expect(health.counts).toEqual({
      received: 2 * EVENTS,
      profiled: EVENTS,
      labels: EVENTS,
      captured: expect.any(Number),
      beyond: 0,
      quarantined: {},
      lost: 0,
    });
    expect([health.status, health.problems, quarantine]).toEqual(['ok', [], []]);
    const { models } = await getJson<ModelsAnswer>(`${url}/api/models`);
    expect(models).toMatchObject([{ model: 'churn', owner: 'team-crm', task: 'binary-classification' }]);
    expect(await program.stop()).toEqual({ code: 0, signal: null });
    expect(program.err.trim()).toBe('stopping …');
  });

  it('needs a token where there are tokens, and can do no more with it than it is for', async () => {
    const tokens = {
      python: 'python-0123456789abcdef',
      reader: 'reader-0123456789abcdef',
      admin: 'admin-0123456789abcdef',
    };
    const file = join(folder, 'tokens');
    await writeFile(
      file,
      `# who, for what\nchurn-service events:write,labels:write ${tokens.python}\npage read ${tokens.reader}\nops admin,read ${tokens.admin}\n`,
    );
    const { url } = await serve('guarded', '--token-file', file);
    const send = async (token: string | null, count: number): ReturnType<typeof run> => {
      if (token === null) return run('python3', [SERVICE, url, String(count)]);
      const own = join(folder, 'token');
      await writeFile(own, `${token}\n`);
      return run('python3', [SERVICE, url, String(count), own]);
    };
    for (const [token, answer] of [
      [null, 401],
      ['nobody-0123456789abcdef', 401],
      [tokens.reader, 403],
    ] as const) {
      const refused = await send(token, 10);
      expect(refused.code).toBe(1);
      expect(refused.out).toMatch(new RegExp(`^mlmon: ${answer} [^]*not all sent - dropped: 20$`, 'm'));
      expect(refused.out).not.toContain('0123456789abcdef');
    }
    expect((await getJson<HealthAnswer>(`${url}/api/health`, tokens.reader)).health.counts.received).toBe(0);
    const sent = await send(tokens.python, EVENTS);
    expect([sent.code, sent.out.trim()]).toEqual([0, 'sent - dropped: 0']);
    expect((await received(url, tokens.reader)).health.counts).toMatchObject({ profiled: EVENTS, labels: EVENTS });

    const ask = async (path: string, token: string | null, method = 'GET'): Promise<number> =>
      (
        await fetch(`${url}${path}`, {
          method,
          headers: {
            ...(token === null ? {} : { authorization: `Bearer ${token}` }),
            ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
          },
          ...(method === 'GET' ? {} : { body: JSON.stringify({ by: 'x' }) }),
        })
      ).status;
    for (const path of ['/api/models', '/api/health', '/api/alerts', '/api/models/churn', '/metrics']) {
      expect([path, await ask(path, tokens.python)]).toEqual([path, 403]);
      expect([path, await ask(path, null)]).toEqual([path, 401]);
      expect([path, await ask(path, tokens.reader)]).toEqual([path, 200]);
    }
    for (const token of [tokens.python, tokens.reader])
      expect(await ask('/api/monitors/churn', token, 'DELETE')).toBe(403);
    // The page itself holds no data; it asks for a token.
    expect([await ask('/', null), await ask('/healthz', null)]).toEqual([200, 200]);
    expect(await ask('/api/monitors/churn', tokens.admin, 'DELETE')).toBe(200);
  });
});
