/**
 * Findings of cdk-nag over a tree of constructs. Acknowledgements are read as the framework reads them, at synthesis: by the id of the finding with
 * the name of its pack, on the construct or above it.
 */
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';

export interface Finding {
  /** `AwsSolutions-IAM5[Resource::*]` */
  readonly rule: string;
  /** Path of the construct. */
  readonly where: string;
}

export interface NagReport {
  /** That nobody acknowledged. */
  readonly findings: readonly Finding[];
  readonly acknowledged: readonly (Finding & { readonly reason: string })[];
  /** Acknowledgements without a finding: what they were about has gone. `rule @ path`. */
  readonly idle: readonly string[];
}

export function nag(scope: IConstruct): NagReport {
  const acknowledgements = new Map<string, { readonly reason: string; used: boolean }>();
  for (const construct of scope.node.findAll())
    for (const { type, data } of construct.node.metadata)
      if (type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
        for (const [id, reason] of Object.entries(data as Readonly<Record<string, unknown>>))
          if (/^(AwsSolutions|Serverless)::/.test(id))
            acknowledgements.set(`${id} @ ${construct.node.path}`, { reason: reasonOf(reason), used: false });
  const findings: Finding[] = [];
  const acknowledged: (Finding & { reason: string })[] = [];
  for (const [pack, checks] of [
    ['AwsSolutions', new AwsSolutionsChecks()],
    ['Serverless', new ServerlessChecks()],
  ] as const)
    for (const { ruleName, violatingResources } of checks.validateScope(scope).violations as readonly Violation[])
      for (const { constructPath: where } of violatingResources) {
        const found = parents(where)
          .map((path) => acknowledgements.get(`${pack}::${ruleName} @ ${path}`))
          .filter((one) => one !== undefined);
        for (const one of found) one.used = true;
        if (found[0] === undefined) findings.push({ rule: ruleName, where });
        else acknowledged.push({ rule: ruleName, where, reason: found[0].reason });
      }
  const idle = [...acknowledgements].filter(([, { used }]) => !used).map(([id]) => id.replace(/^\w+::/, ''));
  return { findings, acknowledged, idle };
}

interface Violation {
  readonly ruleName: string;
  readonly violatingResources: readonly { readonly constructPath: string }[];
}

function reasonOf(data: unknown): string {
  return typeof data === 'string' ? data : JSON.stringify(data);
}

/** The path itself and those of all constructs around it. */
function parents(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
}
