/**
 * What policies of an identity say to a request, as IAM evaluates them: an explicit denial wins, then any statement that allows, and else no.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
 *
 * Knows what our policies have in them. Anything else (other operators, variables) raises, so that nothing is passed over.
 */

type OneOrMany<T> = T | readonly T[];

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: OneOrMany<string>;
  readonly Resource: OneOrMany<string>;
  /** Operator → key → values. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany<string | boolean>>>>>;
}

export interface PolicyDocument {
  readonly Statement: OneOrMany<PolicyStatement>;
}

export interface PolicyRequest {
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN, or `*` for an action that has no resource. */
  readonly resource: string;
  /** Keys of conditions, e.g. `s3:prefix`. */
  readonly context: Readonly<Record<string, string>>;
}

export type Decision = 'allowed' | 'explicitly denied' | 'not allowed';

const KNOWN = new Set(['Sid', 'Effect', 'Action', 'Resource', 'Condition']);

const list = <T>(value: OneOrMany<T>): readonly T[] => (Array.isArray(value) ? value : [value]) as readonly T[];

const patterns = new Map<string, RegExp>();
/** `*` is any text and `?` any character, across slashes and colons. */
function like(text: string, pattern: string, flags = ''): boolean {
  if (pattern.includes('${')) throw new Error(`variables in policies are not evaluated: ${pattern}`);
  const name = `${flags}/${pattern}`;
  let expression = patterns.get(name);
  if (expression === undefined) {
    const source = pattern
      .replace(/[.+^$(){}|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    expression = new RegExp(`^${source}$`, `s${flags}`);
    patterns.set(name, expression);
  }
  return expression.test(text);
}

const OPERATORS: Readonly<Record<string, (actual: string, expected: string) => boolean>> = {
  StringEquals: (actual, expected) => actual === expected,
  StringLike: (actual, expected) => like(actual, expected),
  ArnEquals: (actual, expected) => like(actual, expected),
  ArnLike: (actual, expected) => like(actual, expected),
  NumericLessThan: (actual, expected) => Number(actual) < Number(expected),
  Bool: (actual, expected) => actual.toLowerCase() === expected.toLowerCase(),
};

/** All keys of all operators must hold; of a key's values one. A key that the request does not have fails. */
function holds(condition: NonNullable<PolicyStatement['Condition']>, context: PolicyRequest['context']): boolean {
  return Object.entries(condition).every(([operator, keys]) => {
    const test = OPERATORS[operator];
    if (test === undefined) throw new Error(`the operator ${operator} of conditions is not evaluated`);
    return Object.entries(keys).every(([key, expected]) => {
      const actual = context[key];
      return actual !== undefined && list(expected).some((value) => test(actual, String(value)));
    });
  });
}

/** Whether the statement speaks of the request, whatever it says to it. */
export function speaksOf(statement: PolicyStatement, { action, resource, context }: PolicyRequest): boolean {
  const unknown = Object.keys(statement).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) throw new Error(`${unknown.join(', ')} of statements is not evaluated`);
  return (
    list(statement.Action).some((pattern) => like(action, pattern, 'i')) &&
    list(statement.Resource).some((pattern) => like(resource, pattern)) &&
    (statement.Condition === undefined || holds(statement.Condition, context))
  );
}

export function decide(documents: readonly PolicyDocument[], request: PolicyRequest): Decision {
  const speaking = documents.flatMap(({ Statement }) => list(Statement)).filter((one) => speaksOf(one, request));
  if (speaking.some(({ Effect }) => Effect === 'Deny')) return 'explicitly denied';
  return speaking.length > 0 ? 'allowed' : 'not allowed';
}

/** A single thing that is allowed: one action on one resource. */
export interface Grant {
  readonly action: string;
  readonly resource: string;
  readonly condition: PolicyStatement['Condition'];
}

export function grantsOf(documents: readonly PolicyDocument[]): Grant[] {
  return documents
    .flatMap(({ Statement }) => list(Statement))
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource, Condition }) =>
      list(Action).flatMap((action) => list(Resource).map((resource) => ({ action, resource, condition: Condition }))),
    );
}

export function covers({ action, resource, condition }: Grant, request: PolicyRequest): boolean {
  return speaksOf(
    {
      Effect: 'Allow',
      Action: action,
      Resource: resource,
      ...(condition === undefined ? {} : { Condition: condition }),
    },
    request,
  );
}
