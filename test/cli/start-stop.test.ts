/** `mlmon start` and `mlmon serve` as commands: what they refuse, and what they say of it. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/index.ts';

let folder: string;
const ending: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'start-stop-'));
  await write('good/churn.yaml', 'model: churn\nfeatures: { tenure: { type: numeric } }\n');
});
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), text);
}

interface Running {
  out: string;
  err: string;
  readonly ended: Promise<number>;
  stop(): Promise<number>;
}

/** A command in this process; it ends by the signal that a user would give. */
function begin(...argv: string[]): Running {
  const controller = new AbortController();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const ended = main(argv, {
    stdin: new PassThrough(),
    stdout,
    stderr,
    terminal: false,
    cwd: folder,
    signal: controller.signal,
  });
  const running: Running = {
    out: '',
    err: '',
    ended,
    stop: () => {
      controller.abort();
      return ended;
    },
  };
  stdout.setEncoding('utf8').on('data', (text: string) => {
    running.out += text;
  });
  stderr.setEncoding('utf8').on('data', (text: string) => {
    running.err += text;
  });
  ending.push(running.stop);
  return running;
}

/** Runs to its end: everything here is refused. */
async function refused(...argv: string[]): Promise<{ code: number; out: string; lines: string[] }> {
  const running = begin(...argv);
  const code = await running.ended;
  await new Promise((turn) => setImmediate(turn));
  return { code, out: running.out, lines: running.err.trim().split('\n') };
}

async function started(...argv: string[]): Promise<Running & { url: string }> {
  const running = begin(...argv);
  const deadline = performance.now() + 30_000;
  for (;;) {
    const url = running.out.match(/open (http:\S+)\/ /)?.[1];
    if (url !== undefined) return Object.assign(running, { url });
    if (performance.now() > deadline) throw new Error(`it never began: ${running.out}${running.err}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}

const serve = ['serve', '--monitors', 'good', '--port', '0'];

describe('mlmon serve', () => {
  it('serves until it is stopped, and again from where it was', async () => {
    for (const n of [1, 2]) {
      const running = await started(...serve);
      expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
      const answer = await fetch(`${running.url}/v1/labels`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: `p-${n}`, model: 'churn', truth: 'yes' }),
      });
      expect(answer.status).toBe(202);
      expect(running.out).toMatch(/^churn: monitor 1 from .*good\/churn\.yaml, in force from .*; no baseline yet\n/);
      expect([await running.stop(), running.err.trim()]).toEqual([0, 'stopping …']);
      await expect(fetch(`${running.url}/readyz`)).rejects.toThrow();
    }
    const running = await started(...serve);
    const received = async (): Promise<number> => {
      const { health } = (await (await fetch(`${running.url}/api/health`)).json()) as {
        health: { counts: { received: number } };
      };
      return health.counts.received;
    };
    await expect.poll(received, { timeout: 20_000 }).toBe(2);
  });

  it('says all that is wrong with all monitors before it begins', async () => {
    await write('bad/a.yaml', 'model: Churn\nwindw: { every: 1h }\n');
    await write('bad/b.yaml', 'model: orders\ntruth: { minimumCoverage: 3 }\nfairness: {}\n');
    await write('bad/c.yaml', 'model: [\n');
    await write('bad/d.yaml', '');
    await write('bad/e.yaml', 'model: fine\n');
    await write('bad/f.json', '{ "model": "fine" }');
    const { code, out, lines } = await refused('serve', '--monitors', 'bad', '--port', '0');
    expect([code, out]).toEqual([2, '']);
    const bad = join(folder, 'bad');
    for (const [i, expected] of [
      /^a\.yaml: model: is not valid, got "Churn"; expected lower-case letters/,
      /^a\.yaml: windw: unknown key; .*did you mean window\?$/,
      /^b\.yaml: fairness: this key is not accepted yet; /,
      /^b\.yaml: truth\.minimumCoverage: is not valid, got 3; expected at most 1$/,
      /^c\.yaml: line \d: .*; expected YAML or JSON$/,
      /^d\.yaml: is not valid, got null; expected object$/,
      /^f\.json: the model fine has a monitor already, in .*e\.yaml; remove one of them$/,
    ].entries())
      expect(lines[i]?.replace(`${bad}/`, '')).toMatch(expected);
    expect(lines).toHaveLength(7);
    // Nothing was begun.
    expect(await readdir(folder)).toEqual(['bad', 'good']);
  });

  it('says which baselines are missing or are none', async () => {
    await write('based/a.yaml', 'model: a\nbaseline: { from: gone.json }\n');
    await write('based/b.yaml', 'model: b\nbaseline: { from: gone.parquet }\n');
    const missing = await refused('serve', '--monitors', 'based', '--port', '0');
    expect(missing.code).toBe(2);
    expect(missing.lines).toEqual([
      expect.stringMatching(
        /a\.yaml: baseline\.from: cannot be read, got .*gone\.json \(ENOENT\); make it with `mlmon profile`/,
      ),
      expect.stringMatching(/b\.yaml: baseline\.from: cannot be read, got .*gone\.parquet \(ENOENT\)/),
    ]);
    await write('other/a.yaml', 'model: a\nbaseline: { from: a.json }\n');
    await write('other/a.json', '{ "schema": "mlmon.other", "model":');
    const { code, lines } = await refused('serve', '--monitors', 'other', '--port', '0');
    expect([code, lines.at(-1)]).toEqual([
      2,
      expect.stringMatching(/a\.json: is not a baseline, got .*; make it, or mend/),
    ]);
  });

  it('reads its options strictly', async () => {
    const wrong = async (...more: string[]): Promise<string[]> => {
      const { code, lines } = await refused('serve', '--monitors', 'good', ...more);
      expect(code).toBe(2);
      return lines;
    };
    expect(await wrong('--daat', 'x', '--port', '-')).toEqual([
      expect.stringMatching(/^--daat: unknown option; .*did you mean --data\?$/),
    ]);
    expect(await wrong('--port', '70000')).toEqual([
      '--port: is not a whole number in range, got "70000"; expected 0 to 65535',
    ]);
    expect(await wrong('extra')).toEqual(['"extra": is one word too many; expected options only']);
    expect((await refused('serve')).lines).toEqual([
      '--monitors: is required; or --store s3://bucket for a platform on AWS',
    ]);
    expect((await refused('serve', '--monitors', 'nowhere')).lines[0]).toMatch(
      /nowhere: cannot be read, got ENOENT; expected a folder of monitors, or one monitor file$/,
    );
    await mkdir(join(folder, 'empty'));
    expect((await refused('serve', '--monitors', 'empty')).lines).toEqual([
      'empty: holds no monitor; write one with `mlmon init`',
    ]);
  });

  it('listens to others only with tokens', async () => {
    const open = await refused(...serve, '--host', '0.0.0.0');
    expect(open.code).toBe(2);
    expect(open.lines).toEqual([
      expect.stringMatching(/^0\.0\.0\.0: others can reach this address, and no token is set; .*--token-file/),
    ]);
    await write('tokens', 'short\nname every,read 0123456789abcdef\n');
    const { code, lines } = await refused(...serve, '--host', '0.0.0.0', '--token-file', 'tokens');
    expect([code, lines.length]).toEqual([2, 2]);
    expect(lines[0]).toMatch(/line 1: a token has at least 16 characters/);
    expect(lines[1]).toMatch(/line 2: unknown scope, got every; expected events:write, labels:write, read, admin/);
    expect(lines.join()).not.toContain('0123456789abcdef');
    // Neither was begun.
    expect(await readdir(folder)).toEqual(['good', 'tokens']);
  });

  it('says when the port is taken', async () => {
    const other: Server = createServer();
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    ending.push(() => new Promise((closed) => other.close(closed)));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, lines } = await refused('serve', '--monitors', 'good', '--port', String(port));
    expect([code, lines]).toEqual([
      2,
      [`127.0.0.1:${port}: is in use; stop what uses it, or choose another with --port`],
    ]);
    // What it had begun is over: the folder can be used.
    await started(...serve);
  });

  it('says what is in the way of its folder', async () => {
    await write('file', '');
    for (const data of ['file', 'file/below']) {
      const { code, lines } = await refused(...serve, '--data', data);
      expect([code, lines]).toEqual([
        2,
        [
          expect.stringMatching(
            /cannot be used as the data folder, got .*file is a file; .*choose another with --data/,
          ),
        ],
      ]);
    }
    // Nobody may make folders there, not even the superuser.
    if (process.platform === 'linux') {
      const { code, lines } = await refused(...serve, '--data', '/proc/mlmon/data');
      expect([code, lines]).toEqual([
        2,
        [expect.stringMatching(/^\/proc\/mlmon\/data: cannot be used as the data folder/)],
      ]);
    }
  });

  it('shares its folder with nobody', async () => {
    await started(...serve, '--data', 'data');
    const second = await refused(...serve, '--data', 'data');
    expect([second.code, second.lines]).toEqual([
      2,
      [
        expect.stringMatching(
          /data\/log: the log is being written by process \d+; expected one writer; stop that process or choose another folder/,
        ),
      ],
    ]);
    const demonstration = await refused('start', '--data', 'data', '--port', '0');
    expect([demonstration.code, demonstration.lines]).toEqual([
      2,
      [expect.stringMatching(/data: holds the data of a platform that is no demonstration, got log, .*--data$/)],
    ]);
    expect((await refused('start', '--data', 'data', '--port', '0', '--reset')).code).toBe(2);
    expect(await readdir(join(folder, 'data'))).toEqual(expect.arrayContaining(['log', 'store']));
  });

  it('says what is wrong with its channels', async () => {
    const wrong = async (text: string): Promise<string[]> => {
      await write('channels.yaml', text);
      const { code, lines } = await refused(...serve, '--channels', 'channels.yaml');
      expect(code).toBe(2);
      return lines.map((line) => line.replace(`${folder}/`, ''));
    };
    expect(await wrong('channels: [\n')).toEqual([
      expect.stringMatching(/^channels\.yaml: line \d: .*; expected YAML or JSON$/),
    ]);
    expect(await wrong('slack\n')).toEqual(['channels.yaml: is not valid; expected object']);
    expect(await wrong('channels: [{ type: slak }]\n')).toEqual([
      "channels.yaml: channels.0.type: is not valid; expected one of 'slack' | 'teams' | 'opsgenie' | 'pagerduty' | 'webhook' | 'alertmanager'",
    ]);
    expect(await wrong('channels: [{ type: slack, urlFile: a }, { type: webhook, urlFile: b }]\n')).toHaveLength(2);
    expect((await refused(...serve, '--channels', 'gone.yaml')).lines).toEqual([
      expect.stringMatching(/gone\.yaml: cannot be read, got ENOENT; check the path and its permissions$/),
    ]);
  });
});

describe('mlmon start', () => {
  it('reads its options before it touches anything', async () => {
    for (const [argv, words] of [
      [['--speed', 'fast'], /^--speed: is not a speed, got fast; expected simulated days a second/],
      [['--speed', '-1'], /^--speed: is not a speed, got -1/],
      [['--until', 'tomorrow'], /^--until: is not a time, got tomorrow; expected 2001-03-16T00:00:00Z$/],
      [['--port', 'x'], /^--port: is not a whole number in range/],
      [['--untill', '2001-03-01'], /^--untill: unknown option; .*did you mean --until\?$/],
    ] as const) {
      const { code, lines } = await refused('start', ...argv);
      expect([code, lines]).toEqual([2, [expect.stringMatching(words)]]);
    }
    expect(await readdir(folder)).toEqual(['good']);
  });

  it('is not reset while it runs, nor served by the wall clock', async () => {
    // Begun and stopped while it prepares itself.
    const running = await started('start', '--data', 'demo', '--port', '0');
    const reset = await refused('start', '--data', 'demo', '--port', '0', '--reset');
    expect([reset.code, reset.lines]).toEqual([2, [expect.stringMatching(/the log is being written by process \d+/)]]);
    expect(await running.stop()).toBe(0);
    const { code, lines } = await refused('serve', '--monitors', 'good', '--data', 'demo', '--port', '0');
    expect([code, lines]).toEqual([
      2,
      [expect.stringMatching(/demo: is the folder of a demonstration, .*choose another folder with --data$/)],
    ]);
  });
});
