/** What functions asked of AWS in a run, and whether the policies that they had at the time allow it. */
import {
  covers,
  decide,
  type Grant,
  grantsOf,
  type PolicyDocument,
  type PolicyRequest,
  type PolicyStatement,
} from '../../aws/policy-evaluator.ts';
import { broughtBy, broughtByRunning, type Deployed, keysOf } from './implied-calls.ts';

/** What the emulator tells at /_emulator/calls. */
export interface Recorded {
  readonly calls: readonly (PolicyRequest & {
    /** Name of the function. */
    readonly function: string;
    /** Of the policies of its role when it asked. */
    readonly policies: string;
    readonly count: number;
  })[];
  readonly policies: Readonly<Record<string, readonly PolicyDocument[]>>;
  readonly resources: Deployed;
  /** Functions that ran → the policies that they had when they last did. */
  readonly roles: Readonly<Record<string, string>>;
}

/** The id of the construct that a function belongs to, without what tells it from others of its name. */
export function constructOf(name: string, { resources }: Recorded): string {
  return (resources[name]?.logicalId ?? name).replace(/[0-9A-F]{8}$/, '');
}

/** Calls that no policy of the function's role allowed, of the function itself and of services in its name; each once. */
export function refused(recorded: Recorded): string[] {
  const keys = keysOf(recorded.resources);
  const found = new Set<string>();
  const check = (name: string, policies: string, request: PolicyRequest, how: string): void => {
    const identity = recorded.policies[policies] ?? [];
    const decision = decide([...identity, ...policyOfBucket(name, request, recorded.resources)], request);
    if (decision !== 'allowed')
      found.add(
        `${constructOf(name, recorded)}: ${request.action} on ${request.resource} ${JSON.stringify(request.context)} is ${decision} (${how})`,
      );
  };
  for (const call of recorded.calls) {
    check(call.function, call.policies, call, 'asked');
    for (const brought of broughtBy(call, recorded.resources, keys))
      check(call.function, call.policies, brought, `comes with ${call.action}`);
  }
  for (const [name, policies] of Object.entries(recorded.roles))
    for (const brought of broughtByRunning(name, recorded.resources, keys))
      check(name, policies, brought, 'comes with running');
  return [...found].sort();
}

/** What the policy of a bucket says to the role of a function: in one account it allows as well as the role's own. */
function policyOfBucket(name: string, { resource }: PolicyRequest, deployed: Deployed): PolicyDocument[] {
  const bucket = /^arn:aws:s3:::([^/]+)/.exec(resource)?.[1];
  const role: string | undefined = deployed[name]?.properties.Role;
  const document: { Statement: readonly ResourceStatement[] } | undefined =
    deployed[`policy of ${bucket}`]?.properties.PolicyDocument;
  if (document === undefined || role === undefined) return [];
  const named = document.Statement.filter(({ Principal }) =>
    typeof Principal === 'string'
      ? Principal === '*'
      : [Principal?.AWS ?? []].flat().some((one) => one === role || one === '*'),
  );
  return named.map(({ Principal, ...statement }) => ({ Statement: statement }));
}

type ResourceStatement = PolicyStatement & { readonly Principal?: '*' | { readonly AWS?: string | readonly string[] } };

export interface UnusedGrant {
  /** Id of the construct. */
  readonly who: string;
  readonly action: string;
  /** With logical ids for what has names made up by AWS. */
  readonly resource: string;
}

/** What functions that ran may do, and neither they nor services in their name did. */
export function unused(recorded: Recorded): UnusedGrant[] {
  const keys = keysOf(recorded.resources);
  return Object.entries(recorded.roles)
    .flatMap(([name, policies]) => {
      const asked: PolicyRequest[] = recorded.calls.filter((call) => call.function === name);
      const requests = [
        ...asked.flatMap((call) => [call, ...broughtBy(call, recorded.resources, keys)]),
        ...broughtByRunning(name, recorded.resources, keys),
      ];
      const isUsed = (grant: Grant): boolean => requests.some((request) => covers(grant, request));
      return grantsOf(recorded.policies[policies] ?? [])
        .filter((grant) => !isUsed(grant))
        .map(({ action, resource }) => ({
          who: constructOf(name, recorded),
          action,
          resource: readable(resource, recorded.resources),
        }));
    })
    .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

/** ARNs without what differs from deployment to deployment. */
function readable(resource: string, deployed: Deployed): string {
  let text = resource;
  for (const [id, { logicalId }] of Object.entries(deployed).sort(([a], [b]) => b.length - a.length)) {
    const name = id.slice(Math.max(id.lastIndexOf('/'), id.lastIndexOf(':')) + 1);
    if (name.length > 4) text = text.replaceAll(name, `<${logicalId.replace(/[0-9A-F]{8}$/, '')}>`);
  }
  return text.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>');
}
