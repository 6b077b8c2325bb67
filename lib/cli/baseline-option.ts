/** A baseline made before, named where data could be. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Baseline } from '../contracts/baseline.ts';

/** When the one file named is a baseline; else `null`. */
export async function readBaseline(files: readonly string[], cwd: string): Promise<Baseline | null> {
  const [file] = files;
  if (files.length !== 1 || file === undefined || !file.endsWith('.json')) return null;
  let content: unknown;
  try {
    content = JSON.parse(await readFile(resolve(cwd, file), 'utf8'));
  } catch {
    return null;
  }
  const { schema, columns } = (content ?? {}) as Partial<Baseline>;
  return schema === 'mlmon.baseline/v1' && Array.isArray(columns) ? (content as Baseline) : null;
}
