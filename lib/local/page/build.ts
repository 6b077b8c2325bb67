/**
 * Makes the page from its sources: one bundle of script and one of style, compressed once, held in memory.
 * It takes about half a second, so nothing is kept on disk and there is no step to forget.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface PageFile {
  /** Content type. */
  readonly type: string;
  readonly body: Uint8Array;
  readonly gzip: Uint8Array;
  /** Quoted, as the header wants it. */
  readonly etag: string;
}

const here = import.meta.dirname;

/** Files by path: `/`, `/page.js`, `/page.css`, `/icon.svg`. Throws when esbuild is not installed or the sources do not compile. */
export async function buildPage(): Promise<Map<string, PageFile>> {
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
    logLevel: 'silent',
  });
  const files = new Map<string, PageFile>();
  files.set('/', pageFile('text/html; charset=utf-8', await readFile(join(here, 'index.html'))));
  files.set('/icon.svg', pageFile('image/svg+xml', await readFile(join(here, 'icon.svg'))));
  for (const { path, contents } of bundle.outputFiles) {
    if (path.endsWith('.js')) files.set('/page.js', pageFile('text/javascript; charset=utf-8', contents));
    if (path.endsWith('.css')) files.set('/page.css', pageFile('text/css; charset=utf-8', contents));
  }
  return files;
}

function pageFile(type: string, body: Uint8Array): PageFile {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { type, body, gzip: gzipSync(body, { level: 9 }), etag: `"${digest}"` };
}
