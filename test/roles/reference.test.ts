/** docs/reference/run.md tells every key of the configuration, with its default, and no other. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ROLES, runConfigSchema } from '../../lib/contracts/roles.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/reference/run.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([A-Za-z0-9.]+)` \|([^|]*)\|/gm)].map(([, path = '', second = '']) => ({
  path,
  shown: second.trim(),
}));

/** Path → default, `undefined` without one. */
function leaves(schema: unknown, path: string, found: Map<string, unknown>, preset?: unknown): void {
  if (schema instanceof z.ZodOptional) leaves(schema.unwrap(), path, found, preset);
  else if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    leaves(schema.unwrap(), path, found, schema.def.defaultValue);
  else if (schema instanceof z.ZodUnion) for (const option of schema.options) leaves(option, path, found);
  else if (schema instanceof z.ZodObject)
    for (const [name, member] of Object.entries(schema.shape))
      leaves(member, path === '' ? name : `${path}.${name}`, found);
  else found.set(path, preset);
}

describe('the reference of roles', () => {
  const known = new Map<string, unknown>();
  leaves(runConfigSchema, '', known);

  it('finds keys', () => {
    expect(known.size).toBeGreaterThan(30);
  });

  it('tells every key and no other', () => {
    const told = rows.map(({ path }) => path).filter((path) => !(ROLES as readonly string[]).includes(path));
    expect(told.sort()).toEqual([...known.keys()].sort());
  });

  it('tells every default', () => {
    for (const { path, shown } of rows) {
      const preset = known.get(path);
      if (!known.has(path) || path === 'schema') continue;
      const expected =
        preset === undefined ? '' : `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``;
      expect([path, shown]).toEqual([path, expected]);
    }
  });

  it('tells every role', () => {
    expect(rows.map(({ path }) => path).filter((path) => (ROLES as readonly string[]).includes(path))).toEqual([
      ...ROLES,
    ]);
  });
});
