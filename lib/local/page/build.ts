/**
 * Makes the page from its sources: one bundle of script and one of style, in memory. It takes about half a second, so a
 * checkout keeps nothing on disk and has no step to forget; `npm run build` writes the same bytes into the package.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PAGE_FILES, type PageFile, pageFile } from './page-file.ts';

const here = import.meta.dirname;

/** Files by path: `/`, `/page.js`, `/page.css`, `/icon.svg`. Throws when esbuild is not installed or the sources do not compile. */
export async function buildPage(): Promise<Map<string, PageFile>> {
  return (await bundlePage()).files;
}

/** The same, with the folders of the packages that the bundle holds code of, sorted: who passes it on must pass on their licences. */
export async function bundlePage(): Promise<{ readonly files: Map<string, PageFile>; readonly packages: string[] }> {
  const esbuild = await import('esbuild').catch((error: unknown) => {
    throw new Error(
      'the page cannot be built: esbuild is not installed; install the development dependencies with `npm ci`',
      { cause: error },
    );
  });
  const bundle = await esbuild.build({
    absWorkingDir: here,
    entryPoints: { page: 'main.tsx' },
    outdir: 'dist',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    charset: 'utf8',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    logLevel: 'silent',
  });
  const files = new Map<string, PageFile>();
  for (const { path, name, type } of PAGE_FILES) {
    const output = bundle.outputFiles.find((file) => file.path === join(here, 'dist', name));
    files.set(path, pageFile(type, output === undefined ? await readFile(join(here, name)) : output.contents));
  }
  const packages = new Set<string>();
  for (const { inputs } of Object.values(bundle.metafile.outputs))
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const [folder] = /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
      if (folder !== undefined && bytesInOutput > 0) packages.add(resolve(here, folder));
    }
  return { files, packages: [...packages].sort() };
}
