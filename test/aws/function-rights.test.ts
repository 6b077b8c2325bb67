/** Rights to the bucket: enough for what the code of each function names, and nothing beyond the words of the store. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FUNCTION_RIGHTS } from '../../lib/aws/access/function-rights.ts';
import {
  ATHENA_RESULTS_PREFIX,
  CAPTURE_ERROR_PREFIX,
  CAPTURE_PREFIX,
  CAPTURE_REDRIVEN_PREFIX,
} from '../../lib/contracts/capture.ts';
import { FUNCTION_NAMES, type FunctionName } from '../../lib/contracts/functions.ts';
import { keys, PREFIXES } from '../../lib/contracts/object-keys.ts';

const root = resolve(import.meta.dirname, '../..');
const known = [
  ...Object.values(PREFIXES),
  CAPTURE_PREFIX,
  CAPTURE_ERROR_PREFIX,
  CAPTURE_REDRIVEN_PREFIX,
  ATHENA_RESULTS_PREFIX,
];

/** A key as each maker of keys makes it, whatever its arguments are. */
function sample(name: string): string {
  const make = (keys as unknown as Readonly<Record<string, (...values: unknown[]) => string>>)[name];
  for (const values of [
    [0, 'a', 'b', 'c', 'd'],
    ['a', 'b', 0, 'c', 0],
    ['a', 'b', 'c', 'd', 'e'],
  ]) {
    try {
      if (make !== undefined) return make(...values);
    } catch {
      // Other arguments, then.
    }
  }
  throw new Error(`keys.${name}: no arguments fit`);
}

const IMPORT = /(?:import|export)(?!\s+type)[^'"`;]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Makers of keys in all that a function imports, with the files that use them. */
function keysOf(name: FunctionName): Map<string, string[]> {
  const seen = new Set<string>();
  const used = new Map<string, string[]>();
  const visit = (file: string): void => {
    if (seen.has(file) || !existsSync(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, key = ''] of text.matchAll(/\bkeys\.(\w+)\(/g))
      if (key in keys) used.set(key, [...(used.get(key) ?? []), relative(root, file)]);
    for (const match of text.matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? '';
      if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier));
    }
  };
  visit(join(root, 'lambdas', name, 'index.ts'));
  return used;
}

/** Makers that stand in a file which a function imports for something else. */
const UNUSED: Readonly<Partial<Record<FunctionName, readonly string[]>>> = {
  redrive: ['archive', 'capture'],
  dispatcher: ['quarantine', 'quarantineDay'],
  evaluator: ['quarantine', 'quarantineDay'],
  labeler: ['archive'],
  // It reads what the publisher made of the publications.
  notifier: ['publication', 'publications'],
  publisher: ['pending'],
};

describe('prefixes', () => {
  it('are those of all keys', () => {
    const odd = Object.keys(keys).filter((name) => !known.some((prefix) => sample(name).startsWith(prefix)));
    expect(odd).toEqual([]);
  });
});

describe('rights', () => {
  it.each(FUNCTION_NAMES)(
    'of %s let it see what it wrote: the store looks after a request that was repeated',
    (name) => {
      const { read, write } = FUNCTION_RIGHTS[name];
      // What a batch failed on, Lambda writes.
      const blind = write.filter((prefix) => !read.includes(prefix) && prefix !== PREFIXES.onFailure);
      expect(blind).toEqual([]);
    },
  );

  it.each(FUNCTION_NAMES)('of %s are to prefixes of the store', (name) => {
    const { read, write, remove } = FUNCTION_RIGHTS[name];
    expect([...read, ...write, ...remove].filter((prefix) => !known.includes(prefix))).toEqual([]);
  });

  const built = FUNCTION_NAMES.filter((name) => existsSync(join(root, 'lambdas', name, 'index.ts')));
  it.each(built)('of %s cover what its code names', (name) => {
    const { read, write, remove } = FUNCTION_RIGHTS[name];
    const given = [...read, ...write, ...remove];
    const missing = [...keysOf(name)]
      .filter(([key]) => !UNUSED[name]?.includes(key) && !given.some((prefix) => sample(key).startsWith(prefix)))
      .map(([key, files]) => `${key} in ${files.join(', ')}`);
    expect(missing).toEqual([]);
  });

  it('let nobody but those that must delete anything', () => {
    const deleting = FUNCTION_NAMES.filter((name) => FUNCTION_RIGHTS[name].remove.length > 0);
    expect(deleting).toEqual(['exporter', 'notifier', 'publisher', 'grafana', 'cleaner']);
    for (const name of deleting)
      for (const prefix of FUNCTION_RIGHTS[name].remove)
        expect([CAPTURE_PREFIX, PREFIXES.audit, PREFIXES.monitors, PREFIXES.baselines]).not.toContain(prefix);
    const ofResults = deleting.filter((name) => FUNCTION_RIGHTS[name].remove.includes(PREFIXES.results));
    expect(ofResults).toEqual(['cleaner']);
  });
});
