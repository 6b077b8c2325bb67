/** The start of a role whose store speaks the protocol of S3: refused where writes have no conditions, waited for where it is away. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseRunConfig } from '../../lib/roles/config.ts';
import { runRoles } from '../../lib/roles/run-roles.ts';
import { type S3Server, startS3Server } from '../adapters/s3/s3-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'mlmon-far-'));
let server: S3Server;
beforeAll(async () => {
  server = await startS3Server();
  writeFileSync(join(folder, 'id'), 'first');
  writeFileSync(join(folder, 'key'), 'hush-hush');
});
beforeEach(() => {
  server.conditions = 'kept';
  server.fault = () => null;
  server.accessKeys = null;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function start() {
  const config = parseRunConfig(
    `
schema: mlmon.run/v1
store: { s3: { bucket: bucket, endpoint: '${server.url}', accessKeyIdFile: id, secretAccessKeyFile: key } }
operations: { port: 0 }
drain: { waitMs: 0, limitMs: 10000 }
`,
    ['notifier'],
    join(folder, 'run.yaml'),
  );
  const controller = new AbortController();
  const said: string[] = [];
  const ended = runRoles({ config, roles: ['notifier'], signal: controller.signal, say: (text) => said.push(text) });
  ended.catch(() => undefined);
  const told = async (pattern: RegExp): Promise<string> => {
    for (let n = 0; n < 2_000; n++) {
      const found = said.join('\n').match(pattern);
      if (found !== null) return found[1] ?? '';
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(said.join('\n'));
  };
  return { controller, said, ended, told };
}

describe('a role whose store is far', () => {
  it('ends with what to do where writes have no conditions', async () => {
    server.conditions = 'ignored';
    await expect(start().ended).rejects.toThrow(
      /bucket: does not keep conditional writes: .*If-None-Match.*use a service/,
    );
    expect(await server.bucket('bucket').list('')).toEqual([]);
  });

  it.each(['away', 'refusing'] as const)(
    'waits for a store that is %s, alive and not ready, and goes on by itself',
    async (how) => {
      if (how === 'away') server.fault = () => 'break';
      else server.accessKeys = new Set(['second']);
      const { controller, told, ended, said } = start();
      const operations = await told(/operations: (\S+)/);
      await told(/store: not yet: /);
      expect((await fetch(`${operations}/healthz`)).status).toBe(200);
      const ready = await fetch(`${operations}/readyz`);
      expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('it is starting')]);
      server.fault = () => null;
      // As a rotated secret.
      writeFileSync(join(folder, 'id'), how === 'away' ? 'first' : 'second');
      await told(/ready: notifier/);
      expect((await fetch(`${operations}/readyz`)).status).toBe(200);
      let text = '';
      for (let n = 0; n < 500 && !text.includes('mlmon_part_up'); n++) {
        text = await (await fetch(`${operations}/metrics`)).text();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(text).toContain('mlmon_part_up{part="notifier"} 1');
      // The state of the log is told by whoever evaluates.
      expect(text).not.toContain('mlmon_profiler_records_processed_total');
      controller.abort();
      expect(await ended).toBe(true);
      expect(said.join('\n')).not.toContain('hush');
    },
  );

  it('ends when it is told to while it still waits', async () => {
    server.fault = () => 'break';
    const { controller, told, ended } = start();
    await told(/store: not yet: /);
    controller.abort();
    expect(await ended).toBe(true);
  });
});
