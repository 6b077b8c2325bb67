/** Commands on a platform deployed on AWS: `--platform s3://bucket`, over a local service that speaks the protocol of S3. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/index.ts';
import { alertingSchema } from '../../lib/contracts/alerting.ts';
import type { EpisodeState } from '../../lib/contracts/episode.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { parsedAddress } from '../../lib/local/deployed-store.ts';
import { changeJson, encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import { Notifier } from '../../lib/pipeline/notifier.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';
import { BUCKET, type FakeAws, startFakeAws } from '../lambdas/fake-aws.ts';
import { addTransitions, TestChannel, TestClock, transitionFor } from '../pipeline/outbox-data.ts';
import { baselineOf } from '../pipeline/simulation.ts';
import { runCommand, type Said } from './run-command.ts';

const PLATFORM = `s3://${BUCKET}`;
const ENVIRONMENT = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'a',
  AWS_SECRET_ACCESS_KEY: 's',
  AWS_EC2_METADATA_DISABLED: 'true',
};
let folder: string;
let aws: FakeAws;
const before = { ...process.env };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deployed-'));
  aws = await startFakeAws();
  Object.assign(process.env, ENVIRONMENT, { AWS_ENDPOINT_URL: aws.url });
  await writeFile(join(folder, 'churn.yaml'), 'model: churn\nowner: team\nfeatures: { tenure: { type: numeric } }\n');
});
afterAll(async () => {
  process.env = before;
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (...argv: string[]): Promise<Said> => runCommand(folder, argv);

describe('monitors and baselines', () => {
  it('are applied, listed and removed in the bucket, and audited', async () => {
    const applied = await run('monitor', 'apply', 'churn.yaml', '--platform', PLATFORM, '--by', 'ann');
    expect(applied).toMatchObject({ code: 0, out: expect.stringMatching(/^churn: number 1, in force from /) });
    expect(await aws.store.list(keys.monitors('churn'))).toEqual([keys.monitor('churn', 1)]);
    expect((await run('monitor', 'list', '--platform', PLATFORM)).out).toMatch(/^churn {2}team {2}none {2}/);
    const audit = new TextDecoder().decode((await aws.store.get(keys.audit(1)))!.body);
    expect(JSON.parse(audit)).toMatchObject({ by: 'ann', action: 'monitor.apply' });
    await writeFile(join(folder, 'other.yaml'), 'model: other\nfeatures: { tenure: { type: numeric } }\n');
    await run('monitor', 'apply', 'other.yaml', '--platform', PLATFORM);
    expect(await run('monitor', 'remove', 'other', '--platform', PLATFORM)).toMatchObject({ code: 0 });
  });

  it('are approved and rolled back', async () => {
    for (const [n, approved] of [
      [1, true],
      [2, false],
    ] as const)
      await aws.store.putIfAbsent(
        keys.baseline('churn', '1', n),
        encodeJson({
          n,
          version: '1',
          effectiveFrom: approved ? '2026-01-01T00:00:00Z' : null,
          approved: approved ? { by: 'x', at: '2026-01-01T00:00:00Z' } : null,
          baseline: { ...baselineOf('churn', '1'), rows: n },
        }),
      );
    expect((await run('baseline', 'list', 'churn', '--platform', PLATFORM)).out).toMatch(
      /number 1 .*approved by x[\s\S]*number 2 .*waits for approval/,
    );
    expect(await run('baseline', 'approve', 'churn', '2', '--version', '1', '--platform', PLATFORM)).toMatchObject({
      code: 0,
    });
    expect(await run('baseline', 'rollback', 'churn', '--version', '1', '--platform', PLATFORM)).toMatchObject({
      code: 0,
    });
    expect(await aws.store.list(keys.baselines('churn', '1'))).toHaveLength(4);
    const made = await run(
      'baseline',
      'make',
      'churn',
      '--from-window',
      '2026-01-01T00:00:00Z',
      '--platform',
      PLATFORM,
    );
    expect(made).toMatchObject({ code: 2, err: expect.stringContaining('mlmon profile') });
  });
});

describe('alerts', () => {
  it('are listed, acknowledged and silenced', async () => {
    expect(await run('alert', 'list', '--platform', PLATFORM)).toMatchObject({ code: 0, out: 'no alerts\n' });
    await addTransitions(aws.store, [transitionFor('churn')]);
    await changeJson<EpisodeState>(aws.store, keys.episodes('churn'), (state) =>
      state === null ? null : { ...state, episodes: [transitionFor('churn').episode] },
    );
    const listed = await run('alert', 'list', '--platform', PLATFORM);
    expect(listed).toMatchObject({ code: 1, out: expect.stringContaining('churn-e1  open') });
    expect(await run('alert', 'acknowledge', 'churn-e1', '--platform', PLATFORM, '--by', 'ann')).toMatchObject({
      code: 0,
    });
    expect(
      await run('alert', 'silence', '--model', 'churn', '--for', '4h', '--reason', 'known', '--platform', PLATFORM),
    ).toMatchObject({ code: 0 });
    const state = (await readJson<EpisodeState>(aws.store, keys.episodes('churn')))?.value;
    expect(state).toMatchObject({
      acknowledged: { 'churn-e1': { by: 'ann' } },
      silences: [{ model: 'churn', reason: 'known' }],
    });
  });

  it('are tested through every channel by the notifier of the platform', async () => {
    const configuration = alertingSchema.parse({
      schema: 'mlmon.alerting/v1',
      channels: ['good', 'bad'].map((name) => ({
        type: 'sns',
        name,
        topicArn: `arn:aws:sns:eu-west-1:111122223333:${name}`,
        format: 'text',
      })),
      mutes: [{ match: {}, reason: 'everything is muted' }],
    });
    await aws.store.putIfAbsent(keys.alerting(), encodeJson(configuration));
    const clock = new TestClock(Date.now());
    const [good, bad] = [new TestChannel('good', clock), new TestChannel('bad', clock)];
    bad.fail = () => new TransientError('answered 503');
    // The function on its schedule, as often as the test has patience for.
    const timer = setInterval(() => {
      clock.pass(50);
      void new Notifier({ store: aws.store, clock, channels: [good, bad], leaseMs: 60_000 }).run();
    }, 50);
    try {
      const tested = await run('alert', 'test', '--platform', PLATFORM);
      expect(tested).toMatchObject({ code: 1, out: 'good: delivered\nbad: answered 503\n' });
      expect(good.got.filter(({ transition }) => transition.episode.model === 'test')).toHaveLength(1);
    } finally {
      clearInterval(timer);
    }
  });
});

describe('an address', () => {
  it('is a bucket, with a prefix or without', () => {
    expect(parsedAddress('s3://my-bucket')).toEqual({ bucket: 'my-bucket', prefix: undefined });
    expect(parsedAddress('s3://my-bucket/a/b/')).toEqual({ bucket: 'my-bucket', prefix: 'a/b' });
    expect(() => parsedAddress('s3://X')).toThrow('expected s3://bucket');
  });

  it('that cannot be read is said with what to check', async () => {
    process.env['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:9';
    try {
      expect(await run('alert', 'list', '--platform', PLATFORM)).toMatchObject({
        code: 2,
        err: expect.stringMatching(
          /^s3:\/\/platform-bucket: cannot be read.*check the name of the bucket, AWS_PROFILE and AWS_REGION/,
        ),
      });
    } finally {
      process.env['AWS_ENDPOINT_URL'] = aws.url;
    }
    expect(await run('alert', 'list', '--platform', 'ftp://x')).toMatchObject({
      code: 2,
      err: expect.stringContaining('or s3://bucket'),
    });
  });

  it('serves the page for reading alone', async () => {
    const controller = new AbortController();
    const stdout = new PassThrough();
    const ended = main(['serve', '--store', PLATFORM, '--port', '0'], {
      stdin: new PassThrough(),
      stdout,
      stderr: new PassThrough(),
      terminal: false,
      cwd: folder,
      signal: controller.signal,
    });
    let out = '';
    const url = await new Promise<string>((resolve) => {
      stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        const found = /open (http:\S+)\/ /.exec(out)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    expect(
      ((await (await fetch(`${url}/api/models`)).json()) as { models: { model: string }[] }).models.map(
        ({ model }) => model,
      ),
    ).toContain('churn');
    expect((await fetch(`${url}/`)).status).toBe(200);
    expect((await fetch(`${url}/api/monitors/churn`, { method: 'DELETE' })).status).toBeGreaterThanOrEqual(404);
    expect((await fetch(`${url}/v1/events`, { method: 'POST', body: '{}' })).status).toBeGreaterThanOrEqual(400);
    expect(await aws.store.list(keys.monitors('churn'))).toHaveLength(1);
    controller.abort();
    expect(await ended).toBe(0);
    expect((await run('serve', '--store', PLATFORM, '--monitors', 'x')).err).toContain(
      '--monitors: has no meaning with --store',
    );
  });
});
