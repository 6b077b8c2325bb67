/** A baseline named in a monitor: a file made by `mlmon profile`, or a data file that one is made of. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DuckDb } from '../adapters/duckdb/load.ts';
import { openTable } from '../adapters/duckdb/table.ts';
import type { Baseline } from '../contracts/baseline.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { ProblemError } from '../contracts/problem.ts';
import { baselineFromTable } from './baseline-from-table.ts';

/** @throws ProblemError when the file cannot be read or is neither */
export async function readBaselineFile(db: DuckDb, file: string, monitor: Monitor): Promise<Baseline> {
  if (!file.endsWith('.json'))
    return baselineFromTable({
      table: await openTable(db, { files: [file], cwd: '/' }),
      monitor,
      version: null,
      name: basename(file),
    });
  let got: string;
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    const { schema, columns } = (content ?? {}) as Partial<Baseline>;
    if (schema === 'mlmon.baseline/v1' && Array.isArray(columns)) return content as Baseline;
    got = 'other JSON';
  } catch (error) {
    got = error instanceof Error ? error.message : String(error);
  }
  throw new ProblemError([
    {
      code: 'not-a-baseline',
      path: file,
      message: 'is not a baseline',
      got,
      expected: 'a file made by `mlmon profile`',
      fix: 'make it, or mend baseline.from in the monitor',
    },
  ]);
}
