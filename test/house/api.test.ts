/** What the package exports, as it was last reviewed: the API reports, and the reference made of the same types and their comments. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitDeclarations } from '../../scripts/api/emit.ts';
import { apiPages, ENTRY_NAMES } from '../../scripts/api/pages.ts';
import { ENTRIES } from '../../scripts/build-entries.ts';

const root = resolve(import.meta.dirname, '../..');
const HOW = 'UPDATE_GOLDEN=1 npx vitest run test/house/api.test.ts, and read what it changed';

let folder: string;
let pages: ReadonlyMap<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'api-'));
  emitDeclarations(root, folder);
  pages = apiPages(folder);
  if (process.env['UPDATE_GOLDEN'] !== '1') return;
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what the package exports', () => {
  it('is every entry of package.json', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly exports: object };
    const named = ENTRY_NAMES.map((name) => `./${name}`);
    expect(Object.keys(exports).sort()).toEqual(named);
    expect(ENTRIES.map((entry) => entry.replace(/^lib\/(.*)\/index$/, './$1'))).toEqual(named);
    const reports = readdirSync(join(root, 'docs/reference/api'));
    expect(reports.sort()).toEqual(ENTRY_NAMES.map((name) => `${name}.md`));
  });

  it('is as it was reviewed', () => {
    const differs = [...pages].filter(([path, text]) => committed(path) !== text).map(([path]) => path);
    expect({ differs, change: HOW }).toEqual({ differs: [], change: HOW });
  });

  it('has a description in the reference of constructs', () => {
    const silent = [...(pages.get('docs/reference/constructs.md') ?? '').matchAll(/^### (\w+)\n\n(?:```|`|\|)/gm)];
    expect(silent.map(([, name]) => name)).toEqual([]);
  });
});

function committed(path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return '';
  }
}
