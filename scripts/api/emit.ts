/** Declaration files of what the package exports, of the sources as they are. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * What can be imported, by the last part of its name.
 * @throws Error with what the compiler says
 */
export function emitDeclarations(root: string, folder: string): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'scripts/api/tsconfig.json'), '--outDir', folder],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the compiler found errors; \`npm run types\` shows them too\n${stdout}`);
}
