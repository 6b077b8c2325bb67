/** Reading templates: resources by type, and what policies allow. */
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

export interface Resource {
  readonly id: string;
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is any JSON
  readonly Properties: any;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

const read = new WeakMap<Stack, Resource[]>();

/** Synthesises once; what changes afterwards is not seen. */
export function resourcesOf(stack: Stack): Resource[] {
  const known = read.get(stack);
  if (known !== undefined) return known;
  const { Resources = {} } = Template.fromStack(stack).toJSON() as { Resources?: Record<string, Omit<Resource, 'id'>> };
  const resources = Object.entries(Resources).map(([id, resource]) => ({ id, ...resource }));
  read.set(stack, resources);
  return resources;
}

export function ofType(resources: readonly Resource[], type: string): Resource[] {
  return resources.filter(({ Type }) => Type === type);
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Condition?: unknown;
  readonly Principal?: unknown;
}

export function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** Every statement of every policy, of identities, resources and keys. */
export function statementsOf(resources: readonly Resource[]): { readonly id: string; readonly statement: Statement }[] {
  return resources.flatMap(({ id, Type, Properties }) => {
    const documents = [
      Properties?.PolicyDocument,
      Properties?.KeyPolicy,
      ...(Properties?.Policies ?? []).map((policy: { PolicyDocument: unknown }) => policy.PolicyDocument),
      Type === 'AWS::IAM::Role' ? Properties?.AssumeRolePolicyDocument : undefined,
    ].filter((document) => document !== undefined);
    return documents.flatMap((document) => list<Statement>(document.Statement).map((statement) => ({ id, statement })));
  });
}

/** Actions that the roles of a construct allow, by the start of their logical ids. */
export function allowed(resources: readonly Resource[], prefix: string): string[] {
  const actions = statementsOf(ofType(resources, 'AWS::IAM::Policy'))
    .filter(({ id, statement }) => id.startsWith(prefix) && statement.Effect === 'Allow')
    .flatMap(({ statement }) => list(statement.Action));
  return [...new Set(actions)].sort();
}
