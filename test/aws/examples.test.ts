/** Examples as their readers run them: each in a process of its own, from the name of the package. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FUNCTIONS, RECOMMENDED } from './app.ts';

const root = resolve(import.meta.dirname, '../..');

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>
  >;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: string }>>;
}

function synthesised(app: string, context: Readonly<Record<string, unknown>> = {}) {
  const outdir = mkdtempSync(join(tmpdir(), 'mlmon-example-'));
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', app], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: outdir,
      // The rules of CloudFormation are a matter of whole-stack.test.ts.
      CDK_VALIDATION: 'false',
      CDK_CONTEXT_JSON: JSON.stringify({ ...RECOMMENDED, ...FUNCTIONS, ...context }),
    },
  });
  const templates = new Map(
    readdirSync(outdir)
      .filter((name) => name.endsWith('.template.json'))
      .map((name) => [
        name.replace('.template.json', ''),
        JSON.parse(readFileSync(join(outdir, name), 'utf8')) as Template,
      ]),
  );
  const types = (stack: string): string[] =>
    Object.values(templates.get(stack)?.Resources ?? {}).map(({ Type }) => Type);
  return { status, stderr, stacks: [...templates.keys()].sort(), types, templates };
}

describe('examples', () => {
  it('the smallest platform is one stack', () => {
    const { status, stderr, stacks, types } = synthesised('examples/aws/minimal/app.ts');
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stacks).toEqual(['ModelMonitoringMinimal']);
    expect(types('ModelMonitoringMinimal')).toContain('AWS::Kinesis::Stream');
  });

  it('an endpoint and what watches it are two, and the endpoint knows nothing of it', () => {
    const { status, stderr, stacks, types } = synthesised('examples/aws/sagemaker-endpoint/app.ts');
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stacks).toEqual(['ChurnEndpoint', 'ChurnMonitoring']);
    expect(types('ChurnEndpoint')).toContain('AWS::SageMaker::Endpoint');
  });

  it('a stack that acts on events needs the platform only when it is deployed', () => {
    const { status, stderr, stacks, types } = synthesised('examples/aws/retraining/app.ts');
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stacks).toEqual(['Retraining']);
    expect(types('Retraining').filter((type) => type === 'AWS::Events::Rule')).toHaveLength(2);
  });
});

describe('examples of teams', () => {
  it('are apps of their own that find the platform by the parameters which it makes', () => {
    const apps = ['platform', 'payments', 'logistics'].map((name) => synthesised(`examples/aws/teams/${name}.ts`));
    for (const { status, stderr } of apps) expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    const [platform, ...teams] = apps;
    expect(apps.map(({ stacks }) => stacks)).toEqual([['SharedMonitoring'], ['Payments'], ['Logistics']]);
    const made = Object.values(platform!.templates.get('SharedMonitoring')!.Resources)
      .filter(({ Type }) => Type === 'AWS::SSM::Parameter')
      .map(({ Properties }) => Properties?.['Name']);
    for (const { templates } of teams)
      for (const { Parameters = {} } of templates.values()) {
        const taken = Object.values(Parameters).flatMap(({ Default = '' }) =>
          Default.startsWith('/model-monitoring/') ? [Default] : [],
        );
        expect(taken.length).toBeGreaterThan(0);
        expect(made).toEqual(expect.arrayContaining(taken));
      }
  });
});

describe('the app of the project', () => {
  it('makes an environment', () => {
    const environment = 'production';
    const { status, stderr, stacks } = synthesised('bin/aws.ts', { environment });
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stacks).toEqual([`ModelMonitoring-${environment}`]);
  });

  it('says which environments there are, and nothing of itself', () => {
    const { status, stderr } = synthesised('bin/aws.ts', { environment: 'stagin' });
    expect(status).toBe(2);
    expect(stderr.trim()).toBe(
      'environment: is none of those under environments/, got "stagin"; expected one of production, staging; did you mean staging?',
    );
  });

  it('has the flags that the library recommends', () => {
    const { context, app, build } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as {
      readonly context: unknown;
      readonly app: string;
      readonly build: string;
    };
    expect(context).toEqual(RECOMMENDED);
    expect(app).toBe('node --import tsx bin/aws.ts');
    expect(build).toMatch(/build:functions/);
  });
});
