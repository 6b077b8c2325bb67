/** What a schema refuses, in the words of problems: where, what was found, what is expected, and for an unknown key the nearest known one. */
import { z } from 'zod';
import { expectedBy } from './expected.ts';
import { nearest, type Problem, shown } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** Every problem of an input that `schema` refused with these issues. */
export function schemaProblems(schema: z.ZodType, input: unknown, issues: readonly Issue[]): Problem[] {
  return issues.flatMap((issue) => described(schema, input, issue));
}

function described(schema: z.ZodType, input: unknown, issue: Issue): Problem[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const inner = innerIssues(issue.errors);
    if (inner !== null)
      return inner.flatMap((one) => described(schema, input, { ...one, path: [...issue.path, ...one.path] } as Issue));
    const known = knownKeys(schema, issue.path);
    const got = shown(valueAt(input, issue.path));
    if (known.length > 0)
      return [{ code: 'invalid-union', path, message: 'is not valid', got, expected: `one of ${known.join(', ')}` }];
  }
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      return {
        code: 'unknown-key',
        path: path === '' ? key : `${path}.${key}`,
        message: 'unknown key',
        expected: known.length > 0 ? `one of ${known.join(', ')}` : undefined,
        fix: near === undefined ? 'remove it' : `did you mean ${near}?`,
      };
    });
  }
  const found = valueAt(input, issue.path);
  return [
    {
      code: found === undefined ? 'missing' : issue.code.replaceAll('_', '-'),
      path,
      message: found === undefined ? 'is required' : 'is not valid',
      got: found === undefined ? undefined : shown(found),
      expected: expectedBy(issue),
    },
  ];
}

/**
 * What is wrong in a union of objects: with the one whose key was given, or keys that none of them knows; `null` when it cannot be told which
 * was meant.
 */
function innerIssues(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const unknown = (issues: readonly Issue[]): string[] =>
    issues.flatMap((issue) => (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : []));
  const meant = branches.filter(
    (issues) => unknown(issues).length === 0 && issues.every(({ path }) => path.length > 0),
  );
  if (meant.length === 1) return meant[0] ?? null;
  const [first = [], ...others] = branches.map(unknown);
  const keys = first.filter((key) => others.every((other) => other.includes(key)));
  return keys.length === 0 ? null : [{ code: 'unrecognized_keys', keys, path: [], message: '', input: undefined }];
}

/** Of the objects that may stand at a path, all keys. */
function knownKeys(root: z.ZodType, path: readonly PropertyKey[]): string[] {
  let schemas: unknown[] = [root];
  for (const part of path)
    schemas = schemas.flatMap(unwrapped).flatMap((schema) => {
      if (schema instanceof z.ZodObject) {
        const member: unknown = schema.shape[String(part)];
        return member === undefined ? [] : [member];
      }
      if (schema instanceof z.ZodRecord) return [schema.valueType];
      return schema instanceof z.ZodArray ? [schema.element] : [];
    });
  const keys = schemas
    .flatMap(unwrapped)
    .flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []));
  return [...new Set(keys)];
}

function unwrapped(schema: unknown): unknown[] {
  let inner = schema;
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional)
    inner = inner.unwrap();
  return inner instanceof z.ZodUnion ? inner.options.flatMap(unwrapped) : [inner];
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
