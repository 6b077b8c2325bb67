/** TypeScript of the pages about AWS, as its reader would paste it into a stack: each is synthesised. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS, RECOMMENDED } from './app.ts';

const root = resolve(import.meta.dirname, '../..');
const COMPILER = join(root, 'node_modules/typescript/bin/tsc');

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
      (code) =>
        /ModelMonitor|monitoring\./.test(code) &&
        !code.includes("'ml-monitoring-constructs/kubernetes'") &&
        // Lines of a test run under jest: test/real/consumer.real.test.ts.
        !/^(?:test|expect)\(/m.test(code),
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

/** What the page imports and nothing around it does. */
function ownImports(code: string): string {
  const known = new Set(namesImported(AROUND));
  return [...code.matchAll(/^import \{ (.*) \} from ('.*');$/gm)]
    .map(([, names = '', from]) => [names.split(', ').filter((name) => !known.has(name)), from] as const)
    .filter(([names]) => names.length > 0)
    .map(([names, from]) => `import { ${names.join(', ')} } from ${from};\n`)
    .join('');
}

const namesImported = (code: string): string[] =>
  [...code.matchAll(/^import \{ (.*) \} from/gm)].flatMap(([, names = '']) => names.split(', '));

/** A program that synthesises the code of a page. */
function program(code: string): string {
  const bare = code.replace(/^import .*\n/gm, '');
  // A page that shows a whole stack has it made here.
  const stack = /^export class (\w+)/m.exec(bare)?.[1];
  const body = stack === undefined ? bare : `${bare.replace('export class', 'class')}new ${stack}(app, '${stack}');\n`;
  // A page that brings its own monitor of the model has a platform without one.
  const watched = body.includes('new ModelMonitor(') ? '[]' : "[Monitor.fromFile('monitors/churn.yaml')]";
  const before = /new ModelMonitoring\(|const monitoring =/.test(body) ? '' : PLATFORM.replace('WATCHED', watched);
  return `${ownImports(code)}${AROUND}${before}${body}  }\n}\nnew Written();\napp.synth();\n`;
}

/** All in one process, since the library takes seconds to load: what went wrong, by name. */
const RUNNER = `
const wrong = {};
for (const name of process.argv.slice(2)) {
  process.env.CDK_OUTDIR = \`\${name}.out\`;
  try {
    await import(\`./\${name}.ts\`);
  } catch (error) {
    wrong[name] = String(error.stack);
  }
}
process.stdout.write(JSON.stringify(wrong));
`;

/** Pages with the number of their blocks. */
const PAGES: readonly (readonly [page: string, count: number])[] = [
  ['README.md', 1],
  ['docs/how-to/a-teams-own-stack.md', 2],
  ['docs/how-to/add-a-channel.md', 1],
  ['docs/how-to/attach-on-aws.md', 3],
  ['docs/how-to/bring-your-own.md', 2],
  ['docs/how-to/erase-a-prediction.md', 1],
  ['docs/how-to/own-thresholds.md', 2],
  ['docs/how-to/permissions-to-deploy.md', 1],
  ['docs/how-to/run-on-aws.md', 3],
  ['docs/how-to/act-on-events.md', 2],
  ['docs/how-to/watch-on-aws.md', 3],
  ['docs/how-to/look-in-grafana.md', 1],
];
const nameOf = (page: string, i: number): string => `${page.replaceAll(/\W/g, '-')}-${i}`;

describe('pages about AWS', () => {
  let wrong: Readonly<Record<string, string>>;
  beforeAll(() => {
    const names = PAGES.flatMap(([page]) =>
      blocks(page).map((code, i) => {
        writeFileSync(join(folder, `${nameOf(page, i)}.ts`), program(code));
        return nameOf(page, i);
      }),
    );
    writeFileSync(join(folder, 'run.ts'), RUNNER);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'run.ts', ...names], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
        CDK_VALIDATION: 'false',
        CDK_CONTEXT_JSON: JSON.stringify({ ...RECOMMENDED, ...FUNCTIONS }),
      },
    });
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    wrong = JSON.parse(stdout) as typeof wrong;
  }, 180_000);

  it('are all that have such code', () => {
    const found = ['docs/how-to', 'docs/explanation'].flatMap((where) =>
      readdirSync(join(root, where)).map((name) => `${where}/${name}`),
    );
    const missing = ['README.md', ...found].filter((page) => page.endsWith('.md') && blocks(page).length > 0);
    expect(missing.sort()).toEqual(PAGES.map(([page]) => page).sort());
  });

  it.each(PAGES)('%s is synthesised', (page, count) => {
    const found = blocks(page);
    expect(found.length).toBe(count);
    found.forEach((_, i) => {
      expect(wrong[nameOf(page, i)] ?? '').toBe('');
    });
  });
});

describe('services', () => {
  it.each(['docs/how-to/attach-on-aws.md', 'docs/how-to/send-events.md'])('of %s compile', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const found = [...text.matchAll(/```ts\n([\s\S]*?)```/g)]
      .map(([, code = '']) => code)
      .filter((code) => code.includes("'ml-monitoring-constructs/producer'"));
    expect(found).toHaveLength(1);
    const file = `service-${page.replaceAll(/\W/g, '-')}`;
    // What a page does not say: which monitor and stream.
    const around =
      'declare const [monitor, policyKey, stream]: [{ model: string }, { version: string; key: string }, string];';
    writeFileSync(join(folder, `${file}.ts`), `${found[0]}\n${around}\n`);
    writeFileSync(
      join(folder, `${file}.json`),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          noUnusedLocals: false,
          typeRoots: [join(root, 'node_modules/@types')],
          paths: { 'ml-monitoring-constructs/producer': [join(root, 'lib/producer/index.ts')] },
        },
        files: [`${file}.ts`],
        include: [],
      }),
    );
    const { stdout } = spawnSync(process.execPath, [COMPILER, '-p', `${file}.json`], { cwd: folder, encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});
