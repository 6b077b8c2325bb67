/** What becomes of each resource when its stack goes: the table, and every template. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnResource, Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import type { EnvironmentInput } from '../../lib/aws/environment/environment-schema.ts';
import { type Fate, REMOVAL, type Removal } from '../../lib/aws/removal.ts';
import { testApp } from './app.ts';
import { environment } from './environments.ts';
import { light } from './light.ts';
import { everything } from './subjects.ts';
import { WIDE } from './wide.ts';
import './without-validation.ts';

interface Found {
  readonly path: string;
  readonly type: string;
  readonly fate: Fate;
  /** When a change replaces it. */
  readonly replaced: Fate;
}

function resourcesOf(stack: Stack): readonly Found[] {
  const { Resources } = light(stack).template as {
    Resources: Readonly<Record<string, { Type: string; DeletionPolicy?: string; UpdateReplacePolicy?: string }>>;
  };
  const fate = (policy: string | undefined): Fate => (policy?.startsWith('Retain') ? 'keep' : 'delete');
  return stack.node
    .findAll()
    .filter((one) => CfnResource.isCfnResource(one))
    .map((one) => {
      const { Type, DeletionPolicy, UpdateReplacePolicy } = Resources[stack.getLogicalId(one)]!;
      return { path: one.node.path, type: Type, fate: fate(DeletionPolicy), replaced: fate(UpdateReplacePolicy) };
    });
}

const rowOf = ({ path, type }: Found): Removal | undefined =>
  REMOVAL.find(({ types, below }) => types.includes(type) && (below === undefined || path.split('/').includes(below)));

/** Made by the library itself, and gone with the stack. */
const BY_THE_LIBRARY = /\/Custom::S3AutoDeleteObjectsCustomResourceProvider\//;

const STACKS: Readonly<Record<string, EnvironmentInput>> = {
  'service keys': {},
  'a key of its own': { encryption: 'own-key' },
  'shards and a door for keys': {
    stream: { capacity: 'provisioned', shards: 1, maximumShards: 2 },
    collector: { access: 'keys', keysSecret: 'k', kserveSecret: 's' },
  },
  'all that can be made beside': WIDE,
};

describe.each(['keep', 'delete'] as const)('data: %s', (data) => {
  it.each(Object.keys(STACKS))('does with every resource what the table says (%s)', (name) => {
    const found = resourcesOf(environment({ ...STACKS[name], data }).stack);
    expect(found.length).toBeGreaterThan(100);
    expect(
      found
        .filter(({ path }) => !BY_THE_LIBRARY.test(path))
        .filter((one) => one.fate !== rowOf(one)?.[data])
        .map((one) => `${one.path} (${one.type}): ${one.fate}, expected ${rowOf(one)?.[data] ?? 'a row of the table'}`),
    ).toEqual([]);
  });

  it('treats a replacement no worse than a removal', () => {
    for (const { path, fate, replaced } of resourcesOf(environment({ encryption: 'own-key', data }).stack))
      if (fate === 'keep') expect([path, replaced]).toEqual([path, 'keep']);
  });

  it('keeps a key as long as anything that it encrypts', () => {
    const found = resourcesOf(environment({ encryption: 'own-key', data }).stack);
    const kept = (type: string): boolean => found.some((one) => one.type === type && one.fate === 'keep');
    const data_ = ['AWS::S3::Bucket', 'AWS::Kinesis::Stream', 'AWS::SecretsManager::Secret', 'AWS::Logs::LogGroup'];
    expect(kept('AWS::KMS::Key')).toBe(data_.some(kept));
  });
});

describe('the function of the library that empties buckets', () => {
  it('logs where the stack deletes it', () => {
    const { Resources } = light(environment({ data: 'delete' }).stack).template as {
      Resources: Readonly<
        Record<string, { Type: string; DeletionPolicy?: string; Properties: Readonly<Record<string, unknown>> }>
      >;
    };
    const [, handler] = Object.entries(Resources).find(
      ([id, { Type }]) => Type === 'AWS::Lambda::Function' && id.startsWith('CustomS3AutoDeleteObjects'),
    )!;
    const { LogGroup } = handler.Properties['LoggingConfig'] as { LogGroup: { Ref: string } };
    expect(Resources[LogGroup.Ref]).toMatchObject({ Type: 'AWS::Logs::LogGroup', DeletionPolicy: 'Delete' });
  });
});

describe('the table', () => {
  it('has a row for every type that a platform can be made of', () => {
    const stack = new Stack(testApp(), 'Everything');
    everything(stack);
    const types = new Set(resourcesOf(stack).map(({ type }) => type));
    expect([...types].filter((type) => !REMOVAL.some((row) => row.types.includes(type)))).toEqual([]);
  });

  it('says everything once, with a reason', () => {
    const plain = REMOVAL.filter(({ below }) => below === undefined).flatMap(({ types }) => types);
    expect(new Set(plain).size).toBe(plain.length);
    for (const { what, reason } of REMOVAL) expect([what, reason.length > 20]).toEqual([what, true]);
  });

  it('is the one in the how-to', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/how-to/remove-everything.md'), 'utf8');
    const rows = REMOVAL.map((row) => `| ${row.what} | ${row.keep} | ${row.delete} | ${row.reason} |`);
    expect(text.split('\n').filter((line) => / \| (?:keep|delete) \| /.test(line))).toEqual(rows);
  });
});

describe('names of what stays', () => {
  it('are made by CloudFormation, so that a new deployment of the same stack collides with nothing', () => {
    const { stack } = environment({ encryption: 'own-key' });
    const { Resources } = light(stack).template as {
      Resources: Readonly<Record<string, { DeletionPolicy?: string; Properties?: Readonly<Record<string, unknown>> }>>;
    };
    const kept = Object.entries(Resources).filter(([, { DeletionPolicy }]) => DeletionPolicy === 'Retain');
    expect(kept.length).toBeGreaterThan(4);
    for (const [id, { Properties = {} }] of kept)
      expect([id, ...['BucketName', 'Name', 'StreamName', 'AliasName'].map((name) => Properties[name])]).toEqual([
        id,
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
  });
});
