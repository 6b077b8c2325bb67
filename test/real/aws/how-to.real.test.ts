/**
 * Pages about AWS as a new user follows them, with the packed package in a folder of their own and an emulated AWS: attach-on-aws.md,
 * bring-your-own.md, permissions-to-deploy.md and own-thresholds.md, by their own lines and blocks.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../../lib/contracts/result.ts';
import { decide, type PolicyDocument } from '../../aws/policy-evaluator.ts';
import { CHECKOUT, endAll, eventually, Program } from '../programs.ts';
import { withBoto3 } from '../python-with-boto3.ts';
import { assumeRole, type Credentials, query } from './caller.ts';
import { Clients, type Outputs, readOutputs } from './deployment.ts';
import { Document } from './document.ts';
import { ACCOUNT, AWS_CLI, Emulator } from './emulator.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const PLATFORM = 'ModelMonitoring-production';
const SCORED = 400;

let folder: string;
let home: string;
let emulator: Emulator;
let clients: Clients;
let attach: Document;
let bring: Document;
let permissions: Document;
let thresholds: Document;
const outputs: Record<string, Outputs> = {};
const out = (stack: string, name: string): string => outputs[stack]?.[name] ?? '';
const bucket = (): string => out(PLATFORM, 'BucketName');

/** Variables of one block are known to the next, as in one terminal. */
function terminal(code: string, env: Readonly<Record<string, string>> = {}): Program {
  const script = `set -euo pipefail; touch ../variables; . ../variables; ${code}\ndeclare -p bucket 2>/dev/null > ../variables || true`;
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

/** Code of a page in a stack that is all of an app. */
function inStack(code: string, props: string): string {
  const imports = code.match(/^import .*\n/gm) ?? [];
  return `import { App, BootstraplessSynthesizer, Stack } from 'aws-cdk-lib';
${imports.join('')}const stack = new Stack(new App(), 'Administrators', { ${props} });
${code.replace(/^import .*\n/gm, '')}`;
}

/** Code of a page as a module: what it imports, and its lines in a function of a stack. */
function asFunction(code: string): string {
  const imports = code.match(/^import .*\n/gm) ?? [];
  const lines = code.replace(/^import .*\n/gm, '');
  return `import type { Stack } from 'aws-cdk-lib';
import type { IModelMonitoring } from 'ml-monitoring-constructs/aws';
${imports.join('')}export function made(this: Stack, monitoring: IModelMonitoring) {\n${lines}}\n`;
}

/** The app of a team whose services they are. */
function servicesOf(modules: readonly string[]): string {
  return `import { App, CfnOutput, DefaultStackSynthesizer, Stack } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import { ModelMonitoring } from 'ml-monitoring-constructs/aws';
${modules.map((name) => `import { made as ${name} } from './${name}';`).join('\n')}
const synthesizer = new DefaultStackSynthesizer({ qualifier: 'acme' });
const stack = new Stack(new App(), 'ModelMonitoring-churn', { synthesizer });
const monitoring = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'production');
for (const made of [${modules.join(', ')}]) made.call(stack, monitoring);
for (const role of stack.node.findAll())
  if (role instanceof Role && role.node.id !== 'ExecutionRole')
    new CfnOutput(stack, \`Of\${role.node.id}\`, { value: role.roleArn }).overrideLogicalId(role.node.id);
`;
}

const environmentOf = ({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: Credentials): Readonly<Record<string, string>> => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
});

/** What goes to the address of a function on AWS goes to the emulator, signed for that address. */
const TO_EMULATOR = `
const { fetch } = globalThis;
globalThis.fetch = async (url, init) => {
  const there = String(url).replace(/^https:\\/\\/([^.]+)\\.lambda-url\\.[^/]+/, process.env.EMULATOR + '/_aws/lambda-url/$1');
  if (there === String(url)) throw new Error('not an address of a function: ' + url);
  const answer = await fetch(there, init);
  console.log(answer.status);
  return answer;
};
// What answers requests keeps a service alive.
setInterval(() => undefined, 60_000);
process.on('newListener', (event) => event === 'SIGTERM' && console.log('listens to SIGTERM'));
`;

const template = async (name: string): Promise<Template> =>
  JSON.parse(await readFile(join(home, 'cdk.out', `${name}.template.json`), 'utf8')) as Template;

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>
  >;
}

const ofType = ({ Resources }: Template, type: string): Record<string, unknown>[] =>
  Object.values(Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties = {} }) => Properties);

/** Actions that policies of roles allow. */
function actionsOf(found: Template): string[] {
  const documents = [
    ...ofType(found, 'AWS::IAM::Policy').map(({ PolicyDocument }) => PolicyDocument),
    ...ofType(found, 'AWS::IAM::Role').flatMap(({ Policies = [] }) =>
      (Policies as { readonly PolicyDocument: unknown }[]).map(({ PolicyDocument }) => PolicyDocument),
    ),
  ] as { readonly Statement: readonly { readonly Effect: string; readonly Action: string | readonly string[] }[] }[];
  const allowed = documents.flatMap(({ Statement }) => Statement).filter(({ Effect }) => Effect === 'Allow');
  return [...new Set(allowed.flatMap(({ Action }) => Action))].sort();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'how-to-'));
  home = join(folder, 'churn-monitoring');
  await mkdir(join(home, 'environments'), { recursive: true });
  const page = (name: string): Promise<Document> => Document.read(`docs/how-to/${name}.md`);
  [attach, bring, permissions, thresholds] = await Promise.all([
    page('attach-on-aws'),
    page('bring-your-own'),
    page('permissions-to-deploy'),
    page('own-thresholds'),
  ]);
  emulator = await Emulator.start();
  clients = new Clients(emulator);
  const packed = new Program('npm', ['pack', '--pack-destination', folder], { cwd: CHECKOUT });
  expect([(await packed.ended).code, packed.err]).toEqual([0, expect.any(String)]);
  await cp(join(CHECKOUT, 'examples/python/make_churn.py'), join(folder, 'make_churn.py'));
  const tutorial = await Document.read('docs/tutorial/deploy-on-aws.md');
  await succeeds(terminal(tutorial.code('sh', 'npm init')));
  await writeFile(join(home, 'app.ts'), tutorial.code('ts'));
  await writeFile(join(home, 'cdk.json'), tutorial.code('json'));
  await succeeds(terminal(tutorial.code('sh', 'mlmon validate')));
});
afterAll(async () => {
  clients?.destroy();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

describe.sequential('how-tos about AWS', () => {
  // One story: what follows a failure would only fail because of it.
  let hasFailed = false;
  beforeEach(({ skip, onTestFailed }) => {
    skip(hasFailed, 'an earlier part of the story failed');
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  it('own thresholds: monitors are valid, and one is tried on history', async () => {
    for (const containing of ['budget:', 'floor:', 'severity: { drift: info']) {
      await writeFile(join(home, 'own.yaml'), thresholds.code('yaml', containing));
      expect(await succeeds(terminal('npx mlmon validate own.yaml'))).toMatch(/valid/);
    }
    const file = join(home, 'monitors/churn.yaml');
    const declared = parse(await readFile(file, 'utf8')) as object;
    const owned = { ...declared, ...(parse(thresholds.code('yaml', 'budget:')) as object) };
    await writeFile(file, stringify({ ...owned, window: { every: '1d', minimumRows: 100 } }));
    for (const [from, to] of [
      ['reference', 'january'],
      ['last-week', 'february'],
    ])
      await succeeds(
        terminal(
          `node -e "require('@duckdb/node-api').DuckDBInstance.create().then((db) => db.connect()).then((one) => one.run(\\"COPY (FROM '${from}.csv') TO '${to}.parquet'\\"))"`,
        ),
      );
    const said = await succeeds(terminal(thresholds.code('sh', 'mlmon backtest').replaceAll('mlmon ', 'npx mlmon ')));
    expect(said).toMatch(/Expected when nothing changes: .* false alarms a month/);
    expect(said).toMatch(/Observed: \d+ alerts? in 7 days/);
  });

  it('permissions: administrators make the policies, and give them to a bootstrap', async () => {
    const ours = join(home, 'environments/production.yaml');
    const brought = ['network:', 'permissionsBoundary:', 'bootstrapQualifier:'].map(
      (key) => parse(bring.code('yaml', key)) as object,
    );
    const { alerting } = parse(thresholds.code('yaml', 'alerting:')) as { readonly alerting: object };
    const channels = [{ type: 'email', address: 'ml-platform@example.com' }];
    await writeFile(
      ours,
      stringify({
        ...{ models: ['../monitors'], data: 'delete', stream: { capacity: 'provisioned', shards: 1 } },
        ...{ alerting: { ...alerting, channels }, metrics: { prometheus: 'none' } },
        ...Object.assign({}, ...brought),
      }),
    );
    // In an account of its own, since names of policies are the same.
    await writeFile(
      join(home, 'administrators.ts'),
      inStack(permissions.code('ts', 'deployPolicies'), `synthesizer: new BootstraplessSynthesizer({})`),
    );
    await succeeds(
      terminal(
        'npx cdk deploy --app "npx tsx administrators.ts" --output administrators.out --require-approval never',
        {
          AWS_ACCESS_KEY_ID: '111122223333',
        },
      ),
    );
    const documents = join(CHECKOUT, 'docs/reference/deploy-policies');
    await succeeds(
      terminal(permissions.code('sh', 'create-policy').replace(/^documents=.*$/m, `documents=${documents}`)),
    );
    const role = await query(emulator, 'iam', {
      ...{ Action: 'ListAttachedRolePolicies', Version: '2010-05-08' },
      RoleName: `cdk-hnb659fds-cfn-exec-role-${ACCOUNT}-us-east-1`,
    });
    const runs = JSON.parse(permissions.code('json', 'sts:AssumeRole')) as PolicyDocument;
    const mayTake = (name: string): string =>
      decide([runs], { action: 'sts:AssumeRole', resource: `arn:aws:iam::${ACCOUNT}:role/${name}`, context: {} });
    const made = [
      ...(await query(emulator, 'iam', { Action: 'ListRoles', Version: '2010-05-08' })).matchAll(/<RoleName>(.*?)</g),
    ];
    const ofBootstrap = made.map(([, name = '']) => name).filter((name) => /^cdk-/.test(name));
    expect(ofBootstrap.length).toBeGreaterThan(3);
    expect(ofBootstrap.map(mayTake).filter((decision) => decision !== 'allowed')).toEqual([]);
    expect(mayTake('administrator')).not.toBe('allowed');
    expect([...role.matchAll(/<PolicyName>(.*?)</g)].map(([, name]) => name).sort()).toEqual([
      'data-of-model-monitoring',
      'functions-of-model-monitoring',
      'watching-of-model-monitoring',
    ]);
  });

  it('bring your own: a bootstrap, a boundary and a network, and alerts of the platform with thresholds of one', async () => {
    const tokens = (await readFile(join(CHECKOUT, 'docs/how-to/bring-your-own.md'), 'utf8'))
      .match(/^It is put on every role.*?Whoever/ms)?.[0]
      .matchAll(/`([^`]+)`/g);
    const allowed = [...(tokens ?? [])].map(([, name = '']) => (name.includes(':') ? name : `${name}:*`));
    expect(allowed).toContain('kinesis:*');
    const boundary = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: allowed, Resource: '*' }] };
    await query(emulator, 'iam', {
      ...{ Action: 'CreatePolicy', Version: '2010-05-08', PolicyName: 'workloads' },
      PolicyDocument: JSON.stringify(boundary),
    });
    await succeeds(terminal(bring.code('sh', 'bootstrap')));
    await succeeds(
      terminal('npx cdk deploy -c environment=production --all --require-approval never --outputs-file outputs.json'),
    );
    Object.assign(outputs, await readOutputs(join(home, 'outputs.json')));
    const found = await template(PLATFORM);
    const roles = ofType(found, 'AWS::IAM::Role').map(({ PermissionsBoundary }) => JSON.stringify(PermissionsBoundary));
    expect(roles.filter((one) => !one.includes(':policy/workloads'))).toEqual([]);
    const isLet = (action: string): boolean =>
      allowed.some((one) => one === action || (one.endsWith(':*') && action.startsWith(one.slice(0, -1))));
    expect(actionsOf(found).filter((action) => !isLet(action))).toEqual([]);
    const placed = ofType(found, 'AWS::Lambda::Function').filter(({ VpcConfig }) => VpcConfig !== undefined);
    expect(placed.length).toBeGreaterThan(8);
    for (const { VpcConfig } of placed)
      expect(VpcConfig).toMatchObject({ SubnetIds: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'] });
    const alarms = new Map(
      ofType(found, 'AWS::CloudWatch::Alarm').map(({ AlarmName, Threshold }) => [AlarmName, Threshold]),
    );
    expect(alarms.get('MlmonNoEvents-production')).toBe(14_400);
    expect(alarms.has('MlmonLabelerSilent-production')).toBe(false);
    expect(alarms.has('MlmonEvaluationSilent-production')).toBe(true);
  });

  it('attach: services are given their rights in a stack of their own', async () => {
    const blocks = {
      ecs: attach.code('ts', 'FargateTaskDefinition'),
      eks: attach.code('ts', 'CfnPodIdentityAssociation'),
      batch: attach.code('ts', 'EcsJobDefinition'),
      own: thresholds.code('ts', 'createAlarm'),
    };
    for (const [name, code] of Object.entries(blocks)) await writeFile(join(home, `${name}.ts`), asFunction(code));
    await writeFile(join(home, 'services.ts'), servicesOf(Object.keys(blocks)));
    await succeeds(
      terminal(
        'npx cdk deploy --app "npx tsx services.ts" --output services.out --require-approval never --outputs-file services.json',
      ),
    );
    Object.assign(outputs, await readOutputs(join(home, 'services.json')));
    expect(Object.keys(outputs['ModelMonitoring-churn'] ?? {}).sort()).toEqual([
      'ChurnPods',
      'NightlyScoring',
      'TaskRole',
    ]);
  });

  it('attach: they send from Python, from TypeScript and onto the stream', async () => {
    const id = /^https:\/\/([^.]+)\./.exec(out(PLATFORM, 'CollectorUrl'))?.[1] ?? '';
    const python = withBoto3(folder);
    await cp(join(CHECKOUT, 'examples/python'), join(folder, 'python'), { recursive: true });
    const inPython = async (code: string, env: Readonly<Record<string, string>>): Promise<string> => {
      await writeFile(join(folder, 'python/service.py'), code);
      // Not in the terminal, where the Python of the AWS command line comes first.
      const options = { cwd: join(folder, 'python'), env: { ...emulator.env, ...env, PYTHONDONTWRITEBYTECODE: '1' } };
      return succeeds(new Program(python, ['service.py'], options));
    };
    const as = async (role: string): Promise<Readonly<Record<string, string>>> =>
      environmentOf(await assumeRole(emulator, out('ModelMonitoring-churn', role)));
    // The name is one of AWS; the emulator listens here.
    const address = `${emulator.endpoint}/_aws/lambda-url/${id}/`;
    const service = attach.code('python', 'authorize=signed()');
    const task = { ...(await as('TaskRole')), MLMON_URL: address };
    const sent = '\nprint(monitor.flush(60), monitor.dropped)\n';
    expect(await inPython(service + sent, task)).toBe('True 0\n');
    const refused = await inPython(service.replace('model="churn"', 'model="other"') + sent, task);
    expect(refused).toMatch(/^mlmon: 403 .*not bound to this model.*\nTrue 1\n$/s);

    await succeeds(terminal(attach.line('npm install @smithy')));
    await writeFile(join(home, 'service.ts'), attach.code('ts', 'new HttpSink('));
    await writeFile(join(home, 'to-emulator.cjs'), TO_EMULATOR);
    const serving = terminal('exec node --require ./to-emulator.cjs --import tsx service.ts', {
      ...(await as('ChurnPods')),
      MLMON_URL: out(PLATFORM, 'CollectorUrl'),
      EMULATOR: emulator.endpoint,
    });
    await serving.says(/listens to SIGTERM/);
    await serving.stop('SIGTERM');
    await succeeds(serving);
    expect(serving.out).toContain('202');

    const rows = `rows = [{"id": f"row-{i}", "tenure": i, "plan": "basic", "score": 0.5} for i in range(${SCORED})]\n`;
    await inPython(`${rows}known_by_now = [("row-1", "stays")]\n${attach.code('python', 'KinesisMonitor')}`, {
      ...(await as('NightlyScoring')),
      MLMON_STREAM: out(PLATFORM, 'StreamName'),
    });
    await emulator.flush();
    const today = Math.floor(Date.now() / DAY) * DAY;
    await emulator.alarms(false);
    for (const minute of [70, 72]) {
      await emulator.clock(today + DAY + minute * MINUTE);
      await emulator.tick();
    }
    const [result] = await eventually(
      () => clients.objects<WindowResult>(bucket(), keys.results('churn', '7', today)),
      ({ length }) => length > 0,
      20_000,
    );
    expect(result?.rows).toBe(2 + SCORED);
  });

  it('attach: what is to be seen afterwards is seen', async () => {
    const program = terminal(attach.code('sh', 'mlmon monitor list'));
    // The command line of AWS ends with 1 where there is nothing to list.
    expect([(await program.ended).code, program.out]).toEqual([1, expect.stringMatching(/^churn +team-crm .*\n$/)]);
  });

  it('did all of it without a function failing', async () => {
    const failed = Object.entries((await emulator.state()).invocations).filter(([, { failed: n }]) => n > 0);
    expect(failed).toEqual([]);
  });
});
