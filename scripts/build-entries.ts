/**
 * What programs import besides the compiled ES modules: every entry as CommonJS, for apps and test runners that cannot load those, and the types of
 * everything that can be imported.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

/** Folder of the CommonJS build, below that of the package's build. */
export const COMMON_JS = 'cjs';

/** What can be imported, without the ending of its files. `exports` in package.json names the same. */
export const ENTRIES = [
  'lib/aws/index',
  'lib/contracts/index',
  'lib/kubernetes/index',
  'lib/producer/index',
  'lib/testing/index',
] as const;

/** One file an entry, which loads the library and the schema library from where they are installed. */
export async function bundleCommonJs(root: string, output: string): Promise<void> {
  const folder = join(output, COMMON_JS);
  await build({
    absWorkingDir: root,
    entryPoints: ENTRIES.map((entry) => join(root, `${entry}.ts`)),
    outbase: root,
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    define: { 'import.meta.dirname': '__dirname' },
    legalComments: 'none',
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
}

const SPECIFIER = /((?:from|import\() ?["'])(\.{1,2}\/[^"']+)\.ts(["'])/g;

/**
 * Keeps the types that entries of the package reach, with a copy for the CommonJS build, and drops the others. The compiler leaves `.ts` in their
 * imports.
 * @param entries files without `.d.ts`, seen from the output
 */
export function keepPublicTypes(output: string, entries: readonly string[]): void {
  const kept = new Set<string>();
  const visit = (file: string): void => {
    if (kept.has(file)) return;
    if (!existsSync(file)) throw new Error(`${file}: an entry of the package refers to it, and the compiler made none`);
    kept.add(file);
    for (const [, , specifier] of readFileSync(file, 'utf8').matchAll(SPECIFIER))
      visit(resolve(dirname(file), `${specifier}.d.ts`));
  };
  for (const entry of entries) visit(join(output, `${entry}.d.ts`));
  for (const entry of readdirSync(output, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.name.endsWith('.d.ts')) continue;
    if (kept.has(file)) writeFileSync(file, readFileSync(file, 'utf8').replace(SPECIFIER, '$1$2.js$3'));
    else rmSync(file);
  }
  for (const file of kept) {
    const copy = join(output, COMMON_JS, relative(output, file));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(file, copy);
  }
}
