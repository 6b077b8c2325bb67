/**
 * Bundles each function of `lambdas/` into one file, so that whoever deploys needs neither a bundler nor its source. The same sources give
 * the same bytes wherever they lie.
 *
 *   node --import tsx scripts/build-functions.ts [folder]        default: dist/lambdas
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
/** Largest bundle, bytes: more would be felt at every cold start. */
const LARGEST = 1_500_000;

/** `only`: these functions alone. */
export async function buildFunctions(
  output = join(root, 'dist/lambdas'),
  only?: readonly string[],
): Promise<readonly string[]> {
  const names = readdirSync(join(root, 'lambdas'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => only?.includes(name) ?? true)
    .sort();
  const bundles = await Promise.all(
    names.map(async (name) => {
      const { outputFiles } = await build({
        entryPoints: [join(root, 'lambdas', name, 'index.ts')],
        absWorkingDir: root,
        bundle: true,
        minify: true,
        // Names in error reports stay readable.
        keepNames: false,
        platform: 'node',
        target: 'node22',
        format: 'esm',
        // Packages that are CommonJS inside ask for it.
        banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
        legalComments: 'none',
        // Loaded only where it is installed, never in a function.
        external: ['@duckdb/node-api'],
        write: false,
        logLevel: 'error',
      });
      const body = outputFiles[0]?.contents ?? new Uint8Array();
      if (body.byteLength > LARGEST)
        throw new Error(
          `lambdas/${name}: ${body.byteLength} bytes bundled; expected at most ${LARGEST}; find what it drags in`,
        );
      return { name, body };
    }),
  );
  mkdirSync(output, { recursive: true });
  for (const name of readdirSync(output)) if (!names.includes(name)) rmSync(join(output, name), { recursive: true });
  for (const { name, body } of bundles) {
    const file = join(output, name, 'index.mjs');
    // What is as it should be is left alone: a synthesis may be reading it.
    if (existsSync(file) && readFileSync(file).equals(body)) continue;
    mkdirSync(join(output, name), { recursive: true });
    writeFileSync(`${file}.new`, body);
    renameSync(`${file}.new`, file);
  }
  return names;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const output = process.argv[2];
  await buildFunctions(output === undefined ? undefined : resolve(output));
}
