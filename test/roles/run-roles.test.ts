/** Roles of one process on folders: from monitors in a folder to counted events, what machines ask of it, and its end under load. */

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderStore } from '../../lib/adapters/disk/folder-store.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import type { Role } from '../../lib/contracts/roles.ts';
import { readCursors } from '../../lib/pipeline/cursor.ts';
import { readAll } from '../../lib/pipeline/publisher.ts';
import { parseRunConfig } from '../../lib/roles/config.ts';
import { runRoles } from '../../lib/roles/run-roles.ts';

const folders: string[] = [];
let folder: string;
let running: { controller: AbortController; ended: Promise<boolean> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlmon-roles-'));
  folders.push(folder);
  mkdirSync(join(folder, 'monitors'));
  writeFileSync(join(folder, 'monitors/churn.yaml'), monitor('churn'));
});
afterEach(async () => {
  for (const { controller, ended } of running) {
    controller.abort();
    await ended.catch(() => undefined);
  }
  running = [];
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

function monitor(model: string): string {
  return `model: ${model}\nfeatures: { age: { type: numeric } }\nwindow: { every: 1m, lateness: 5s }\n`;
}

interface Started {
  readonly operations: string;
  readonly http: string;
  readonly said: readonly string[];
  readonly end: () => Promise<boolean>;
}

async function start(roles: readonly Role[], more = '', waitMs = 50, http = ''): Promise<Started> {
  const config = parseRunConfig(
    `
schema: mlmon.run/v1
log: { folder: log }
store: { folder: store }
http: { port: 0, ${http} }
operations: { port: 0 }
monitors: { folder: monitors, owner: test }
drain: { waitMs: ${waitMs}, limitMs: 10000 }
${more}`,
    roles,
    join(folder, 'run.yaml'),
  );
  const controller = new AbortController();
  const said: string[] = [];
  const ended = runRoles({ config, roles, signal: controller.signal, say: (text) => said.push(text) });
  running.push({ controller, ended });
  const told = async (what: string): Promise<string> => {
    for (;;) {
      const found = said.find((line) => line.startsWith(`${what}: `));
      if (found !== undefined) return found.slice(what.length + 2);
      // What keeps it from starting is thrown here.
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10))]);
      if (controller.signal.aborted) throw new Error(said.join('\n'));
    }
  };
  await told('ready');
  return {
    operations: await told('operations'),
    http: roles.includes('collector') ? await told('http') : '',
    said,
    end: () => {
      controller.abort();
      return ended;
    },
  };
}

let ids = 0;
const event = (id: string): string =>
  JSON.stringify({
    specversion: '1.0',
    id,
    type: 'ml.inference.v1',
    source: 'test',
    data: {
      id,
      type: 'inference',
      model: 'churn',
      version: '1',
      time: new Date().toISOString(),
      numeric: { age: ids++ },
    },
  });

/** One request over an agent; the number of events that were acknowledged, or the failure. */
function post(agent: Agent, base: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${base}/v1/events`,
      { method: 'POST', agent, headers: { 'content-type': 'application/cloudevents+json' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () =>
          answer.statusCode === 202
            ? resolve((JSON.parse(text) as { accepted: number }).accepted)
            : reject(new Error(`${answer.statusCode} ${text}`)),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A request of which only the half has been sent. */
function slowPost(base: string, body: string): { finish: () => Promise<number> } {
  const sent = request(`${base}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json', 'content-length': body.length },
  });
  const answered = new Promise<number>((resolve, reject) => {
    sent.on('response', (answer) => resolve(answer.resume().statusCode === 202 ? 1 : 0));
    sent.on('error', reject);
  });
  sent.write(body.slice(0, 20));
  return {
    finish: () => {
      sent.end(body.slice(20));
      return answered;
    },
  };
}

const store = (): Promise<FolderStore> => FolderStore.open({ folder: join(folder, 'store') });
async function profiled(): Promise<number> {
  return (await readCursors(await store())).reduce((sum, { cursor }) => sum + cursor.totals.received, 0);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let n = 0; !(await holds()); n++) {
    if (n > 1_000) throw new Error('it never came to be');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('roles in one process', () => {
  it('answer machines: alive, ready, metrics that say what runs', async () => {
    const { operations, http } = await start(['collector', 'profiler', 'archiver', 'evaluator', 'labeler', 'notifier']);
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${operations}${path}`)).status).toBe(200);
    const agent = new Agent();
    expect(await post(agent, http, event('one'))).toBe(1);
    agent.destroy();
    await until(async () => (await (await fetch(`${operations}/metrics`)).text()).includes('processed_total 1'));
    const text = await (await fetch(`${operations}/metrics`)).text();
    for (const part of ['collector', 'profiler', 'archiver', 'evaluator', 'labeler', 'learner', 'notifier', 'monitors'])
      expect(text).toContain(`mlmon_part_up{part="${part}"} 1`);
    expect(text).toMatch(/mlmon_model_info\{model="churn"/);
    // Nothing of it is on the port that others reach.
    expect((await fetch(`${http}/metrics`)).status).toBe(404);
  });

  it('end under load without a refused request, and lose nothing that was acknowledged', async () => {
    const { http, operations, end, said } = await start(['collector', 'profiler', 'evaluator'], '', 1_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    let acknowledged = 0;
    const failures: unknown[] = [];
    let sending = true;
    const senders = Array.from({ length: 16 }, async (_, sender) => {
      for (let n = 0; sending; n++)
        await post(agent, http, event(`${sender}-${n}`)).then(
          (count) => {
            acknowledged += count;
          },
          (error: unknown) => failures.push(error),
        );
    });
    await until(async () => acknowledged > 200);
    // One whose body is still on its way when the listener closes.
    const slow = slowPost(http, event('slow'));
    const ended = end();
    const ready = await fetch(`${operations}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('it is draining')]);
    expect((await fetch(`${operations}/healthz`)).status).toBe(200);
    // A load balancer has stopped sending here by then.
    await new Promise((resolve) => setTimeout(resolve, 300));
    sending = false;
    await Promise.all(senders);
    await until(async () =>
      fetch(`${http}/`).then(
        () => false,
        () => true,
      ),
    );
    acknowledged += await slow.finish();
    expect(await ended).toBe(true);
    agent.destroy();
    expect(failures).toEqual([]);
    expect(said.at(-1)).toBe('ended');
    // Whoever comes next finds all of it.
    const next = await start(['profiler', 'evaluator']);
    await until(async () => (await profiled()) >= acknowledged);
    await next.end();
    expect(await profiled()).toBe(acknowledged);
  });

  it('publish a mounted folder again when it is replaced, and remove what is gone', async () => {
    // As a ConfigMap is mounted: files are links into a folder that is replaced in one step.
    const mount = join(folder, 'monitors');
    rmSync(mount, { recursive: true });
    mkdirSync(join(mount, '..first'), { recursive: true });
    writeFileSync(join(mount, '..first/churn.yaml'), monitor('churn'));
    writeFileSync(join(mount, '..first/fraud.yaml'), monitor('fraud'));
    symlinkSync('..first', join(mount, '..data'));
    for (const name of ['churn', 'fraud']) symlinkSync(`..data/${name}.yaml`, join(mount, `${name}.yaml`));
    const { said } = await start(['evaluator']);
    expect(said).toContain('monitors: 2 in the folder, 2 published, 0 removed');
    mkdirSync(join(mount, '..second'));
    writeFileSync(join(mount, '..second/churn.yaml'), monitor('churn').replace('every: 1m', 'every: 5m'));
    symlinkSync('..second', join(mount, '..data.new'));
    renameSync(join(mount, '..data.new'), join(mount, '..data'));
    unlinkSync(join(mount, 'fraud.yaml'));
    await until(async () => said.includes('monitors: 1 in the folder, 1 published, 1 removed'));
    const published = async (model: string) =>
      readAll<{ n: number; removed: boolean }>(await store(), `monitors/${model}/`);
    expect((await published('churn')).map(({ removed }) => removed)).toEqual([false, false]);
    expect((await published('fraud')).map(({ removed }) => removed)).toEqual([false, true]);
  }, 60_000);

  it('change nothing for a folder with a mistake in it, and say so', async () => {
    const { operations, said } = await start(['evaluator']);
    writeFileSync(join(folder, 'monitors/wrong.yaml'), 'model: wrong\nwindw: {}\n');
    await until(async () =>
      said.some((line) => line.startsWith('monitors: ') && line.includes('did you mean window?')),
    );
    expect((await fetch(`${operations}/readyz`)).status).toBe(503);
    rmSync(join(folder, 'monitors/wrong.yaml'));
    await until(async () => (await fetch(`${operations}/readyz`)).status === 200);
    expect(await readAll(await store(), 'monitors/churn/')).toHaveLength(1);
  }, 60_000);

  it('open and read nothing that they do not work with', async () => {
    // Where a folder would be: whoever opened the log would fail.
    writeFileSync(join(folder, 'log'), '');
    const { operations, end } = await start(['notifier'], 'policyKeyFile: nowhere');
    await until(async () => (await fetch(`${operations}/readyz`)).status === 200);
    expect(await end()).toBe(true);
    await expect(start(['evaluator'], 'policyKeyFile: nowhere')).rejects.toThrow(/nowhere: cannot be read/);
  }, 60_000);

  it('take rotated tokens without a restart', async () => {
    const tokens = join(folder, 'tokens');
    const [first, second] = ['a'.repeat(20), 'b'.repeat(20)];
    writeFileSync(tokens, `app events:write ${first}\n`);
    const { http } = await start(['collector'], '', 50, `tokenFile: ${tokens}`);
    const code = async (token: string): Promise<number> => {
      const headers = { 'content-type': 'application/cloudevents+json', authorization: `Bearer ${token}` };
      return (await fetch(`${http}/v1/events`, { method: 'POST', headers, body: event('e') })).status;
    };
    expect([await code(first), await code(second)]).toEqual([202, 401]);
    writeFileSync(join(folder, 'new'), `app events:write ${second}\n`);
    renameSync(join(folder, 'new'), tokens);
    await until(async () => (await code(second)) === 202);
    expect(await code(first)).toBe(401);
  });

  it('say what is wrong with files that the configuration names before anything runs', async () => {
    await expect(start(['collector'], 'policyKeyFile: nowhere')).rejects.toThrow(/nowhere: cannot be read, got ENOENT/);
    writeFileSync(join(folder, 'key'), 'hush-hush');
    const error = await start(['collector'], 'policyKeyFile: key').catch((failure: unknown) => failure as Error);
    expect(error).toMatchObject({ message: expect.stringMatching(/key: is no policy key; expected/) });
    expect((error as Error).message).not.toContain('hush');
  });

  it('say by which setting an address that is taken, or a folder that is none, was chosen', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    writeFileSync(join(folder, 'file'), '');
    const refusal = async (roles: readonly Role[], text: string): Promise<string> => {
      const config = parseRunConfig(`schema: mlmon.run/v1\n${text}`, roles, join(folder, 'run.yaml'));
      const { signal } = new AbortController();
      const error = await runRoles({ config, roles, signal, say: () => undefined }).catch(
        (failure: unknown) => failure,
      );
      expect(error).toBeInstanceOf(ProblemError);
      return (error as Error).message;
    };
    const at = (host = '127.0.0.1'): string => `{ host: ${host}, port: ${port} }`;
    const free = 'operations: { port: 0 }\n';
    const folders = 'log: { folder: log }\nstore: { folder: store }\n';
    try {
      expect(await refusal(['collector'], `${folders}operations: ${at()}`)).toContain('another with operations.port');
      expect(await refusal(['collector'], `${folders}${free}http: ${at()}`)).toBe(
        `127.0.0.1:${port}: is in use; stop what uses it, or choose another with http.port`,
      );
      const sidecar = 'sidecar: { collector: { url: http://127.0.0.1:1 }';
      expect(await refusal(['sidecar'], `${free}http: ${at()}\n${sidecar} }`)).toContain('another with http.port');
      const proxy = `proxy: { port: ${port}, upstream: 127.0.0.1:1 }`;
      expect(await refusal(['sidecar'], `${free}http: { port: 0 }\n${sidecar}, ${proxy} }`)).toContain(
        'another with sidecar.proxy.port',
      );
      expect(await refusal(['notifier'], `${free}store: { folder: file }`)).toContain('another with store.folder');
    } finally {
      taken.close();
    }
  });
});
