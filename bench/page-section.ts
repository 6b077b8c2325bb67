/** The parts of docs/performance.md that benchmarks write: between `<!-- name -->` and `<!-- /name -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

export function readSection(name: string): string {
  const { text, from, to } = find(name);
  return text.slice(from, to).trim();
}

export function writeSection(name: string, content: string): void {
  const { text, from, to } = find(name);
  writeFileSync(PAGE, `${text.slice(0, from)}\n\n${content.trim()}\n\n${text.slice(to)}`);
}

function find(name: string): { readonly text: string; readonly from: number; readonly to: number } {
  const text = readFileSync(PAGE, 'utf8');
  const opening = `<!-- ${name} -->`;
  const from = text.indexOf(opening) + opening.length;
  const to = text.indexOf(`<!-- /${name} -->`, from);
  if (from < opening.length || to < 0)
    throw new Error(`docs/performance.md: has no section ${opening} … <!-- /${name} -->; put both lines back`);
  return { text, from, to };
}
