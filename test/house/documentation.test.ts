/** Pages of the documentation: all are found from the index, links lead somewhere, and monitors on them are valid. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RULES } from '../../lib/alerts/rules.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';

const root = resolve(import.meta.dirname, '../..');
const FOLDERS = ['docs', 'examples', 'lib', 'lambdas', 'deploy', 'compose', 'container', 'bench'];
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
      .map((name) => join(folder, name)),
  ),
].sort();
const text = (page: string): string => readFileSync(join(root, page), 'utf8');

interface Link {
  readonly page: string;
  readonly target: string;
}

/** Links of a page that stay in the checkout; not those in blocks of code. */
function linksOf(page: string): Link[] {
  const prose = text(page)
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => ({ page, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** As GitHub makes them of headings: lower case, without punctuation, hyphens for spaces. */
function anchorsOf(page: string): Set<string> {
  return new Set(
    [
      ...text(page)
        .replace(/^```[\s\S]*?^```/gm, '')
        .matchAll(/^#{1,6} (.+)$/gm),
    ].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}

describe('pages', () => {
  it('are found', () => {
    expect(pages.length).toBeGreaterThan(50);
  });

  it('have links that lead somewhere', () => {
    const broken = pages.flatMap(linksOf).filter(({ page, target }) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : relative(root, resolve(root, dirname(page), path));
      if (!existsSync(join(root, file))) return true;
      if (anchor === undefined || !file.endsWith('.md') || statSync(join(root, file)).isDirectory()) return false;
      return !anchorsOf(file).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('of tasks, reference and explanation are in the index', () => {
    const named = new Set(
      linksOf('docs/README.md').map(({ target }) => relative(root, resolve(root, 'docs', target.split('#')[0] ?? ''))),
    );
    const missing = pages.filter(
      (page) => /^docs\/(?:tutorial|how-to|reference|explanation)\/[^/]+\.md$/.test(page) && !named.has(page),
    );
    expect(missing).toEqual([]);
  });

  it('show monitors that are valid', () => {
    const shown = pages.flatMap((page) =>
      [...text(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].flatMap(([, code = '']) => {
        if (!/^model: /m.test(code)) return [];
        const { problems } = parseMonitor(parse(code));
        return [{ page, problems }];
      }),
    );
    expect(shown.length).toBeGreaterThan(4);
    expect(shown.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });
});

describe('the runbook', () => {
  it('is linked from what tells of every alert, by headings that there are', () => {
    const headings = anchorsOf('docs/runbook.md');
    expect(RULES.map(({ key }) => key).filter((key) => !headings.has(key))).toEqual([]);
    for (const [file, link] of [
      ['dashboards/prometheus/alerts.yaml', /runbook_url: "?\S+#([a-z-]+)/g],
      ['dashboards/cloudwatch/alarms.json', /#([a-z-]+)"/g],
    ] as const) {
      const linked = [...text(file).matchAll(link)].map(([, key = '']) => key);
      expect(linked.length).toBeGreaterThan(10);
      expect([file, linked.filter((key) => !headings.has(key))]).toEqual([file, []]);
    }
  });
});
