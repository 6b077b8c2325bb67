/** TypeScript of the pages about AWS, as its reader would paste it into a stack: each is synthesised. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS, RECOMMENDED } from './app.ts';

const root = resolve(import.meta.dirname, '../..');

/** What pages take for granted, by the names that they use. */
const AROUND = `
import { App, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Channel, EventRule, EventTarget, Grafana, ModelMonitor, ModelMonitoring, Monitor, Notifications } from 'ml-monitoring-constructs/aws';

const app = new App();
const teamStack = new Stack(app, 'Team');
class Written extends Stack {
  constructor() {
    super(app, 'Written');
    const stack = this;
    const slackSecret = Secret.fromSecretNameV2(this, 'Slack', 'model-monitoring/slack');
    const captured = new Bucket(this, 'Captured', { eventBridgeEnabled: true });
    const role = (id: string) => new Role(this, id, { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
    const [scoringRole, billingRole] = [role('Scoring'), role('Billing')];
    const service = { taskDefinition: { taskRole: role('Task') } };
`;
/** A platform, where a page goes on with one. */
const PLATFORM = `
    const monitoring = new ModelMonitoring(this, 'Platform', {
      grafana: Grafana.none(),
      channels: [Channel.slack(slackSecret), Channel.email('ml-platform@example.com')],
      models: WATCHED,
      metricDetail: 'summary',
      eventBus: {},
    });
`;
const MONITOR = 'model: churn\nowner: team-crm\nfeatures: { tenure: { type: numeric }, plan: { type: categorical } }\n';

function blocks(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code = '']) => code)
    .filter(
      (code) => /ModelMonitor|monitoring\./.test(code) && !code.includes("'ml-monitoring-constructs/kubernetes'"),
    );
}

let folder: string;
beforeAll(() => {
  // Within the checkout, so that packages are found; without a trace in it.
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache/documentation-'));
  mkdirSync(join(folder, 'monitors'));
  writeFileSync(join(folder, 'monitors/churn.yaml'), MONITOR);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function synthesised(name: string, code: string): string {
  const bare = code.replace(/^import .*\n/gm, '');
  // A page that shows a whole stack has it made here.
  const stack = /^export class (\w+)/m.exec(bare)?.[1];
  const body = stack === undefined ? bare : `${bare.replace('export class', 'class')}new ${stack}(app, '${stack}');\n`;
  // A page that brings its own monitor of the model has a platform without one.
  const watched = body.includes('new ModelMonitor(') ? '[]' : "[Monitor.fromFile('monitors/churn.yaml')]";
  const before = body.includes('new ModelMonitoring(') ? '' : PLATFORM.replace('WATCHED', watched);
  writeFileSync(join(folder, `${name}.ts`), `${AROUND}${before}${body}  }\n}\nnew Written();\napp.synth();\n`);
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', `${name}.ts`], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
      CDK_OUTDIR: join(folder, `${name}.out`),
      CDK_VALIDATION: 'false',
      CDK_CONTEXT_JSON: JSON.stringify({ ...RECOMMENDED, ...FUNCTIONS }),
    },
  });
  return status === 0 ? '' : stderr;
}

describe('pages about AWS', () => {
  it.each([
    ['README.md', 1],
    ['docs/how-to/run-on-aws.md', 3],
    ['docs/how-to/act-on-events.md', 2],
    ['docs/how-to/watch-on-aws.md', 2],
  ])('%s is synthesised', (page, count) => {
    const found = blocks(page);
    expect(found.length).toBe(count);
    found.forEach((code, i) => {
      expect(synthesised(`${page.replaceAll(/\W/g, '-')}-${i}`, code)).toBe('');
    });
  });
});
