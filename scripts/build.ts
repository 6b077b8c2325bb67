/**
 * Makes what the npm package holds: the compiled command line, the contracts and the constructs with their types, the functions, and
 * the page with the licences of what it contains. A checkout needs none of it (docs/decisions/0001-run-from-source.md). The same sources
 * give the same bytes, wherever they lie.
 *
 *   node --import tsx scripts/build.ts [folder]        default: dist
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { bundlePage } from '../lib/local/page/build.ts';
import { PAGE_FILES } from '../lib/local/page/page-file.ts';
import { bundleCommonJs, ENTRIES, keepPublicTypes } from './build-entries.ts';
import { buildFunctions } from './build-functions.ts';

const root = resolve(import.meta.dirname, '..');
const output = resolve(process.argv[2] ?? join(root, 'dist'));

rmSync(output, { recursive: true, force: true });
compile();
keepPublicTypes(output, ENTRIES);
await bundleCommonJs(root, output);
await writePage();
await buildFunctions(join(output, 'lambdas'));

function compile(): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const { status } = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', output],
    // Standard output belongs to what called: `npm pack --json` writes its answer there.
    { stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) {
    process.stderr.write('the compiler found errors: see the lines above; `npm run types` shows them too\n');
    process.exit(1);
  }
}

async function writePage(): Promise<void> {
  const folder = join(output, 'lib/local/page/files');
  mkdirSync(folder, { recursive: true });
  const { files, packages } = await bundlePage();
  for (const { path, name } of PAGE_FILES) {
    const file = files.get(path);
    if (file === undefined) throw new Error(`the page has no ${path}`);
    writeFileSync(join(folder, name), file.body);
  }
  writeFileSync(join(folder, 'licences.txt'), packages.map(licenceOf).join('\n'));
}

/** What must be passed on with the code of a package: its licence and its notice. */
function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license: string;
  };
  // Parts that a package took from others have their licences in a folder of their own.
  const texts = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(
      (entry) =>
        entry.isFile() &&
        /^(?:licen[cs]e|copying|notice)(?:[.-]\w+)?$/i.test(entry.name) &&
        (entry.parentPath === folder || /^licen[cs]es$/i.test(basename(entry.parentPath))),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => readFileSync(file, 'utf8').trim());
  if (texts.length === 0) throw new Error(`${name}: no file with its licence; the page cannot be passed on without it`);
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n${'='.repeat(80)}\n\n${texts.join('\n\n')}\n`;
}
