/** Renders the catalogue as the runbook, docs/runbook.md. A test compares the two. */
import { ALERTS } from './catalogue.ts';

export function renderRunbook(): string {
  const sections = Object.values(ALERTS).map(
    ({ signal, title, meaning, look, act, recovery }) => `## ${signal}

**${title}.** ${meaning}

### What to look at

${look.map((line) => `- ${line}`).join('\n')}

### What to do

${act.map((line, i) => `${i + 1}. ${line}`).join('\n')}

### When it ends

${recovery}
`,
  );
  return `# Runbook

One section for each signal an alert can be about. Made from the catalogue of alerts by \`mlmon render runbook\`; change the catalogue, not this file.

${sections.join('\n')}`;
}
