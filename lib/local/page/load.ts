/** The page as a platform serves it: prebuilt in an installed package, made from its sources in a checkout. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PAGE_FILES, type PageFile, pageFile } from './page-file.ts';

/** Where `npm run build` puts the prebuilt page, beside the compiled form of this file; a checkout has no such folder here. */
const prebuilt = join(import.meta.dirname, 'files');

/** Files by path: `/`, `/page.js`, `/page.css`, `/icon.svg`. Throws as `buildPage` does, or when a prebuilt file is missing. */
export async function loadPage(): Promise<Map<string, PageFile>> {
  // The builder needs development dependencies, so it is loaded only where it is used.
  if (!existsSync(prebuilt)) return (await import('./build.ts')).buildPage();
  const files = PAGE_FILES.map(
    async ({ path, name, type }) => [path, pageFile(type, await readFile(join(prebuilt, name)))] as const,
  );
  return new Map(await Promise.all(files));
}
