/** Environments as files, and what is made of them. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { addEnvironment } from '../../lib/aws/environment/environment.ts';
import { environmentOf, readEnvironment } from '../../lib/aws/environment/environment-file.ts';
import { type EnvironmentInput, environmentSchema } from '../../lib/aws/environment/environment-schema.ts';
import { FUNCTIONS, RECOMMENDED, testApp } from './app.ts';
import { baselineText, monitorText } from './baseline.ts';
import { config, EVERYTHING, environment, folderOf } from './environments.ts';
import { ofType, resourcesOf } from './template.ts';
import './without-validation.ts';

const FOLDER = resolve(import.meta.dirname, '../../environments');

function messageOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('the files that come with the project', () => {
  it.each(['staging', 'production'])('%s becomes one stack with its tags', (name) => {
    const app = testApp({ context: RECOMMENDED });
    const { stack } = addEnvironment(app, environmentOf(FOLDER, name));
    expect(stack.stackName).toBe(`ModelMonitoring-${name}`);
    expect(stack.terminationProtection).toBe(name === 'production');
    expect(stack.tags.tagValues()).toMatchObject({ environment: name, service: 'model-monitoring' });
    const template = Template.fromStack(stack).toJSON() as { Resources: object };
    expect(Object.keys(template.Resources).length).toBeGreaterThan(100);
    expect(Object.keys(template.Resources).length).toBeLessThan(500);
    // No look-up, no account, no region: it deploys wherever somebody deploys it.
    expect(app.synth().getStackByName(stack.stackName).environment.account).toBe('unknown-account');
    expect(app.synth().manifest.missing).toBeUndefined();
  });
});

describe('the reference', () => {
  it('tells of every key of a file', () => {
    const text = readFileSync(resolve(import.meta.dirname, '../../docs/reference/environments.md'), 'utf8');
    const told = new Set(
      [...text.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key),
      ),
    );
    expect(Object.keys(environmentSchema.shape).filter((key) => !told.has(key))).toEqual([]);
  });
});

describe('the environment that was chosen', () => {
  it('is one of those there are', () => {
    expect(messageOf(() => environmentOf(FOLDER, 'prodution'))).toBe(
      'environment: is none of those under environments/, got "prodution"; expected one of production, staging; did you mean production?',
    );
    expect(messageOf(() => environmentOf(FOLDER, undefined))).toBe(
      'environment: is not said; expected one of production, staging; say -c environment=production',
    );
    expect(messageOf(() => environmentOf('/nowhere', 'x'))).toMatch(/expected a file in \/nowhere/);
  });
});

describe('a file', () => {
  it('is told all that is wrong with it at once, with the nearest key', () => {
    const folder = folderOf({
      'bad.yaml': [
        'acount: "111122223333"',
        'region: mars',
        'stream: { capacity: provisioned, shard: 2 }',
        'alerting: { chanels: [], channels: [{ type: slak, secret: s }, { type: email }] }',
        'capture: { buffer: 5 minutes }',
      ].join('\n'),
    });
    const message = messageOf(() => readEnvironment(join(folder, 'bad.yaml')));
    expect(message.split('\n').length).toBeGreaterThanOrEqual(6);
    expect(message).toMatch(/bad\.yaml: acount: unknown key.*did you mean account\?/);
    expect(message).toMatch(/bad\.yaml: region: is not valid, got "mars"; expected a region/);
    expect(message).toMatch(/stream/);
    expect(message).toMatch(/alerting\.chanels: unknown key.*did you mean channels\?/);
    expect(message).toMatch(/alerting\.channels\.0\.type/);
    expect(message).toMatch(/alerting\.channels\.1\.address: is required/);
    expect(message).toMatch(/capture\.buffer: is not valid, got "5 minutes"/);
  });

  it('that is no YAML says in which line', () => {
    const folder = folderOf({ 'bad.yaml': 'tags: {\n  a: [\n' });
    expect(messageOf(() => readEnvironment(join(folder, 'bad.yaml')))).toMatch(/bad\.yaml: line \d+: /);
  });

  it('tells the problems of all its monitors together', () => {
    const folder = folderOf({
      'e.yaml': 'models: [missing.yaml, a.yml, b.yml]',
      'a.yml': 'model: A',
      'b.yml': monitorText('b', { baseline: { from: 'b.csv' } }),
    });
    const message = messageOf(() => addEnvironment(testApp(), readEnvironment(join(folder, 'e.yaml'))));
    expect(message).toMatch(/models: missing\.yaml: there is no such file or folder/);
    expect(message).toMatch(/a\.yml: model: is not valid/);
    expect(message).toMatch(/b\.yml: baseline\.from: is a data file/);
  });

  it('that is empty is an environment of defaults', () => {
    const folder = folderOf({ 'plain.yaml': '# nothing\n' });
    expect(() => addEnvironment(testApp(), readEnvironment(join(folder, 'plain.yaml')))).not.toThrow();
  });
});

describe('what a file names', () => {
  it('is not taken for another whose name is alike', () => {
    const folder = folderOf({ 'churn.yaml': monitorText('churn'), 'fraud.yaml': monitorText('fraud') });
    const input: EnvironmentInput = {
      alerting: {
        channels: [
          { type: 'slack', name: 'one', secret: 'team/a-b' },
          { type: 'slack', name: 'two', secret: 'team/a/b' },
          { type: 'email', address: 'team@example.com' },
        ],
        modelAlarms: {
          churn: { warning: 'arn:aws:sns:eu-central-1:111122223333:alerts' },
          fraud: { warning: 'arn:aws:sns:eu-central-1:444455556666:alerts' },
        },
      },
      models: ['churn.yaml', 'fraud.yaml'],
    };
    const { stack } = addEnvironment(testApp(), config(input, 'test', folder));
    const text = JSON.stringify(resourcesOf(stack));
    for (const name of ['secret:team/a-b', 'secret:team/a/b', '111122223333:alerts', '444455556666:alerts'])
      expect([name, text.includes(name)]).toEqual([name, true]);
  });
});

describe('inside a stage of a pipeline', () => {
  it('brings its files along', () => {
    const app = testApp();
    const folder = folderOf({
      'm.yaml': monitorText('m', { baseline: { from: 'm.json' } }),
      'm.json': baselineText('m'),
    });
    const stage = new Stage(app, 'Production', { env: { account: '111122223333', region: 'eu-central-1' } });
    const { stack, monitoring } = addEnvironment(stage, config({ models: ['m.yaml'] }, 'production', folder));
    expect(Template.fromStack(stack).toJSON()).toHaveProperty('Resources');
    expect([...monitoring.models]).toEqual(['m']);
    const assembly = app.synth().getNestedAssembly('assembly-Production');
    expect(assembly.getStackByName(stack.stackName).environment.region).toBe('eu-central-1');
    const { files } = JSON.parse(readFileSync(join(assembly.directory, `${stack.artifactId}.assets.json`), 'utf8')) as {
      files: Record<string, { source: { path: string } }>;
    };
    expect(Object.values(files).some(({ source }) => /^monitors\..*\.ndjson$/.test(source.path))).toBe(true);
  });
});

describe('synthesis', () => {
  const bytes = (app: App): string =>
    JSON.stringify(app.synth().stacks.map(({ template, assets }) => [template, assets]));

  it.each([
    ['without flags', {}],
    ['with all flags', RECOMMENDED],
  ])('is the same twice, and of two apps in one process (%s)', (_, context) => {
    const one = testApp({ context });
    const two = testApp({ context });
    environment(EVERYTHING, one);
    environment(EVERYTHING, two);
    expect(bytes(two)).toBe(bytes(one));
  });

  it('does not depend on flags but in what the library itself does', () => {
    const types = (context: Readonly<Record<string, unknown>>): Record<string, number> => {
      const app = new App({ context: { ...FUNCTIONS, ...context } });
      const count: Record<string, number> = {};
      for (const { Type } of resourcesOf(addEnvironment(app, config(EVERYTHING)).stack))
        count[Type] = (count[Type] ?? 0) + 1;
      return count;
    };
    expect(types(RECOMMENDED)).toEqual(types({}));
  });

  it.each<[string, EnvironmentInput]>([
    ['defaults', {}],
    ['everything', EVERYTHING],
    ['deleted data', { data: 'delete' }],
    ['lines', { capture: { format: 'json-lines' }, metrics: { prometheus: 'none', detail: 'none' } }],
  ])('writes no clock, path or host into the template (%s)', (_, input) => {
    const text = JSON.stringify(resourcesOf(environment(input).stack));
    expect(text).not.toMatch(/\/tmp\/|\/root\/|\/home\//);
    expect(text).not.toContain(new Date().toISOString().slice(0, 10));
  });

  it('deletes data only where that was said', () => {
    const kept = (input: EnvironmentInput): (string | undefined)[] =>
      ['AWS::S3::Bucket', 'AWS::Kinesis::Stream'].flatMap((type) =>
        ofType(resourcesOf(environment(input).stack), type).map(({ DeletionPolicy }) => DeletionPolicy),
      );
    expect(new Set(kept({}))).toEqual(new Set(['Retain']));
    expect(new Set(kept({ data: 'delete' }))).toEqual(new Set(['Delete']));
  });
});
