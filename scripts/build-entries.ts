/**
 * What a CDK app imports besides the compiled files: the constructs as CommonJS, for test runners that cannot load ES modules, and the types of
 * everything that can be imported.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

/** Folder of the CommonJS build, below that of the package's build. */
export const COMMON_JS = 'cjs';

/** What apps of CDK and of cdk8s and their tests import, without the ending of its files. */
export const CDK_ENTRIES = ['lib/aws/index', 'lib/kubernetes/index', 'lib/testing/index'] as const;

/** One file an entry, which loads the library and the schema library from where they are installed. */
export async function bundleCommonJs(root: string, output: string): Promise<void> {
  const folder = join(output, COMMON_JS);
  await build({
    absWorkingDir: root,
    entryPoints: CDK_ENTRIES.map((entry) => join(root, `${entry}.ts`)),
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
 * Keeps the types that entries of the package reach and drops the others. The compiler leaves `.ts` in their imports.
 * @param entries files without `.d.ts`, seen from the output
 * @param twice entries whose types the CommonJS build needs too
 */
export function keepPublicTypes(output: string, entries: readonly string[], twice: readonly string[]): void {
  const reached = (from: readonly string[]): Set<string> => {
    const found = new Set<string>();
    const visit = (file: string): void => {
      if (found.has(file)) return;
      if (!existsSync(file))
        throw new Error(`${file}: an entry of the package refers to it, and the compiler made none`);
      found.add(file);
      for (const [, , specifier] of readFileSync(file, 'utf8').matchAll(SPECIFIER))
        visit(resolve(dirname(file), `${specifier}.d.ts`));
    };
    for (const entry of from) visit(join(output, `${entry}.d.ts`));
    return found;
  };
  const kept = reached(entries);
  const copied = reached(twice);
  for (const entry of readdirSync(output, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.name.endsWith('.d.ts')) continue;
    if (kept.has(file)) writeFileSync(file, readFileSync(file, 'utf8').replace(SPECIFIER, '$1$2.js$3'));
    else rmSync(file);
  }
  for (const file of copied) {
    const copy = join(output, COMMON_JS, relative(output, file));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(file, copy);
  }
}
