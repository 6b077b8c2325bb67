/** The parts of a page (docs/performance.md unless said otherwise) that benchmarks write: between `<!-- name -->` and `<!-- /name -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

export function readSection(name: string, page = PAGE): string {
  const { text, from, to } = find(name, page);
  return text.slice(from, to).trim();
}

export function writeSection(name: string, content: string, page = PAGE): void {
  const { text, from, to } = find(name, page);
  writeFileSync(page, `${text.slice(0, from)}\n\n${content.trim()}\n\n${text.slice(to)}`);
}

function find(name: string, page: string): { readonly text: string; readonly from: number; readonly to: number } {
  const text = readFileSync(page, 'utf8');
  const opening = `<!-- ${name} -->`;
  const from = text.indexOf(opening) + opening.length;
  const to = text.indexOf(`<!-- /${name} -->`, from);
  if (from < opening.length || to < 0)
    throw new Error(`${page}: has no section ${opening} … <!-- /${name} -->; put both lines back`);
  return { text, from, to };
}
