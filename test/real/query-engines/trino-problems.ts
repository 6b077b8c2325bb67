/** What Trino's own grammar says about statements. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { CHECKOUT, run } from '../programs.ts';

/** Problems of each statement, and of a wrong one that follows: none would mean that nothing was looked at. `folder`: for its files. */
export async function trinoProblems(folder: string, statements: readonly string[]): Promise<string[][]> {
  const program = join(folder, 'trino-grammar.cjs');
  await build({
    entryPoints: [join(CHECKOUT, 'test/real/query-engines/trino-grammar.mjs')],
    nodePaths: [join(CHECKOUT, '.cache/query-engines/node/node_modules')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: program,
    logLevel: 'error',
  });
  const file = join(folder, 'statements-for-trino.json');
  await writeFile(file, JSON.stringify([...statements, 'SELECT a FROM t QUALIFY 1 = 1']));
  const answer = await run('node', [program, file]);
  return JSON.parse(answer.out) as string[][];
}
