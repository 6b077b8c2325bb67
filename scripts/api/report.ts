/** The API report of an entry: all that its users can name or meet, without words, so that a change of it shows in a review. */
import { relative } from 'node:path';
import { compare, type Entry, publicText } from './entry.ts';

/** @param folder of the declaration files */
export function apiReport(name: string, { exported, reached }: Entry, folder: string): string {
  const first = new Map<string, string>();
  const blocks = [...exported]
    .sort((a, b) => compare(a.name, b.name))
    .map(({ name: own, declaration }) => {
      const key = `${declaration.file} ${declaration.name}`;
      const before = first.get(key);
      first.set(key, before ?? own);
      if (before !== undefined) return `// ${own} is ${before}`;
      const text = publicText(declaration);
      return own === declaration.name ? text : `// as ${own}\n${text}`;
    });
  const met = reached.map((declaration) => `// ${where(folder, declaration.file)}\n${publicText(declaration)}`);
  return `# API of \`${name}\`

Made from the types by \`UPDATE_GOLDEN=1 npx vitest run test/house/api.test.ts\`; a test compares. A line that goes or narrows breaks users, and belongs in the changelog.

## Exported

\`\`\`ts
${blocks.join('\n\n')}
\`\`\`
${met.length === 0 ? '' : `\n## Met in what is exported\n\n\`\`\`ts\n${met.join('\n\n')}\n\`\`\`\n`}`;
}

const where = (folder: string, file: string): string => relative(folder, file).replace(/\.d\.ts$/, '');
