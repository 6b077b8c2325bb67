/** docs/tutorial/deploy-on-aws.md as a new user follows it: its commands as they are written, in an empty folder, on an emulated AWS. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { CHECKOUT, endAll, eventually, Program, run } from '../programs.ts';
import { withBoto3 } from '../python-with-boto3.ts';
import { assumeNewRole, type Credentials } from './caller.ts';
import { Clients } from './deployment.ts';
import { Document } from './document.ts';
import { ACCOUNT, AWS_CLI, Emulator } from './emulator.ts';
import { Receivers } from './receivers.ts';

const DAY = 86_400_000;
/** Events of Python: onto the stream, and to the collector. */
const ON_STREAM = 300;
const SIGNED = 40;
const WEBHOOK = 'https://hooks.slack.com/services/T000/B000/XXXX';

let folder: string;
let home: string;
let emulator: Emulator;
let receivers: Receivers;
let clients: Clients;
let role: Credentials;
let tutorial: Document;

const commands = (containing: string): string =>
  tutorial.code('sh', containing).replaceAll(WEBHOOK, `${receivers.url}/slack`);

/** Variables of one block are known to the next, as in one terminal. */
function terminal(code: string, env: Readonly<Record<string, string>> = {}): Program {
  const script = `set -euo pipefail; touch ../variables; . ../variables; ${code}\ndeclare -p bucket url 2>/dev/null > ../variables || true`;
  return new Program('bash', ['-c', script], {
    cwd: home,
    env: { ...emulator.env, PATH: `${AWS_CLI}:${process.env['PATH'] ?? ''}`, AWS_PAGER: '', ...env },
  });
}

async function succeeds(program: Program): Promise<string> {
  const { code } = await program.ended;
  expect([code, code === 0 ? '' : program.out + program.err]).toEqual([0, '']);
  return program.out;
}

/** The recipes of examples/python: records onto the stream, and signed requests to the collector. */
async function sendsFromPython(stream: string, url: string): Promise<void> {
  const python = withBoto3(folder);
  const options = {
    cwd: join(CHECKOUT, 'examples/python'),
    env: {
      ...emulator.env,
      AWS_ACCESS_KEY_ID: role.accessKeyId,
      AWS_SECRET_ACCESS_KEY: role.secretAccessKey,
      AWS_SESSION_TOKEN: role.sessionToken,
      PYTHONDONTWRITEBYTECODE: '1',
    },
  };
  const streamed = await run(python, ['stream_churn.py', stream, `${ON_STREAM}`], options);
  expect([streamed.code, streamed.out.trim()]).toEqual([0, 'sent - dropped: 0 failed: 0']);
  const code = `
from mlmon_aws import signed
from mlmon_client import Monitor

monitor = Monitor("${url}", model="churn", version="1", authorize=signed())
for i in range(${SIGNED}):
    monitor.prediction(id=f"signed-{i}", numeric={"tenure": i}, categorical={"plan": "basic"}, score=0.5, predicted="stays")
print(monitor.flush(60), monitor.dropped)
`;
  const signed = await run(python, ['-c', code], options);
  expect([signed.code, signed.out.trim()]).toEqual([0, 'True 0']);
}

const outputs = async (): Promise<Record<string, string>> =>
  Object.values(
    JSON.parse(await readFile(join(home, 'outputs.json'), 'utf8')) as Record<string, Record<string, string>>,
  )[0] ?? {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutorial-'));
  home = join(folder, 'churn-monitoring');
  await mkdir(join(home, 'environments'), { recursive: true });
  tutorial = await Document.read('docs/tutorial/deploy-on-aws.md');
  [emulator, receivers] = await Promise.all([Emulator.start(), Receivers.start()]);
  clients = new Clients(emulator);
  role = await assumeNewRole(emulator, 'churn-service');
  const packed = await run('npm', ['pack', '--pack-destination', folder], { cwd: CHECKOUT });
  expect([packed.code, packed.code === 0 ? '' : packed.err]).toEqual([0, '']);
  await copyFile(join(CHECKOUT, 'examples/python/make_churn.py'), join(folder, 'make_churn.py'));
});
afterAll(async () => {
  clients?.destroy();
  await receivers?.stop();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('the tutorial of a deployment on AWS', () => {
  // What follows a failure would only fail because of it.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'an earlier part of the tutorial failed');
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  it('makes a project, a monitor and an environment', async () => {
    await succeeds(terminal(commands('npm init')));
    await writeFile(join(home, 'app.ts'), tutorial.code('ts'));
    await writeFile(join(home, 'cdk.json'), tutorial.code('json'));
    await writeFile(join(home, 'environments/trial.yaml'), tutorial.code('yaml').replaceAll('111122223333', ACCOUNT));
    expect(await succeeds(terminal(commands('mlmon validate')))).toMatch(/valid, monitors churn/);
    await succeeds(terminal(commands('create-secret')));
  });

  it('deploys, and a test alert arrives', async () => {
    await succeeds(terminal(commands('cdk bootstrap')));
    const told = await outputs();
    expect(Object.keys(told).sort()).toEqual(['BucketName', 'CaptureTable', 'CollectorUrl', 'StreamName', 'Workgroup']);
    const program = terminal(commands('mlmon alert test'));
    // Time passes here only when it is told to.
    while (program.running) {
      await emulator.tick('');
      await new Promise((again) => setTimeout(again, 500));
    }
    expect(await succeeds(program)).toMatch(/churn/);
    expect(
      receivers
        .at('/slack')
        .map(({ text }) => String(text))
        .join('\n'),
    ).toMatch(/test/i);
  });

  it('takes an event, and judges its day when it is over', async () => {
    const told = await outputs();
    const id = /^https:\/\/([^.]+)\./.exec(told['CollectorUrl'] ?? '')?.[1] ?? '';
    // The name is one of AWS; the emulator listens here.
    const code = commands('curl').replaceAll(/\$\{url\}/g, `${emulator.endpoint}/_aws/lambda-url/${id}/`);
    const answer = await succeeds(
      terminal(code, {
        AWS_ACCESS_KEY_ID: role.accessKeyId,
        AWS_SECRET_ACCESS_KEY: role.secretAccessKey,
        AWS_SESSION_TOKEN: role.sessionToken,
      }),
    );
    expect(JSON.parse(answer)).toMatchObject({ accepted: 1, quarantined: 0 });
    await sendsFromPython(told['StreamName'] ?? '', `${emulator.endpoint}/_aws/lambda-url/${id}/`);
    await emulator.flush();
    const today = Math.floor(Date.now() / DAY) * DAY;
    await emulator.alarms(false);
    await emulator.clock(today + DAY + 70 * 60_000);
    await emulator.tick();
    await emulator.clock(today + DAY + 72 * 60_000);
    await emulator.tick();
    const [result] = await eventually(
      () => clients.objects<{ readonly rows: number }>(told['BucketName'] ?? '', keys.results('churn', '1', today)),
      ({ length }) => length > 0,
      20_000,
    );
    expect(result?.rows).toBe(1 + ON_STREAM + SIGNED);
  });

  it('changes the monitor, and goes without a trace', async () => {
    const { BucketName = '' } = await outputs();
    await succeeds(terminal(commands('team-crm')));
    expect(await clients.keys(BucketName, keys.monitors('churn'))).toEqual([
      keys.monitor('churn', 1),
      keys.monitor('churn', 2),
    ]);
    await succeeds(terminal(commands('cdk destroy')));
    await expect(clients.keys(BucketName, '')).rejects.toThrow(/NoSuchBucket|does not exist/);
  });
});
