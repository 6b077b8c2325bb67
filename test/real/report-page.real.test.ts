/** The page of a report as people open it: from a file, light, dark and on a phone, with names that would like to run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../lib/stats/random.ts';
import { launchChromium } from './browser.ts';
import { endAll, MLMON, run } from './programs.ts';

const HOSTILE = '</script><script>document.title="taken"</script>"\'&';
const LONG = `a column ${'whose name has no end '.repeat(4)}`;

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-page-'));
  const random = seededRandom(3);
  const rows = (n: number, shift: number): string =>
    Array.from({ length: n }, () => {
      const score = random.next();
      const row: Record<string, unknown> = {
        [HOSTILE]: random.next() < 0.5 + shift / 4 ? '<img src=x onerror="document.title=1">' : 'b'.repeat(300),
        [LONG]: random.next() ** 3 + shift,
        '\u202egnp.exe': 'אב',
        東京: random.next() < 0.5 ? '大阪' : '名古屋',
        score,
        predicted: score > 0.5 ? 'yes' : 'no',
        truth: random.next() < (shift > 0 ? 0.5 : score) ? 'yes' : 'no',
      };
      for (let i = 0; i < 44; i++)
        row[`feature ${i}`] = i % 4 === 0 ? `c${Math.floor(9 * random.next())}` : random.next();
      return JSON.stringify(row);
    }).join('\n');
  await writeFile(join(folder, 'a.ndjson'), rows(1_500, 0));
  await writeFile(join(folder, 'b.ndjson'), rows(1_200, 1));
  await writeFile(
    join(folder, 'm.yaml'),
    'model: m\ntask: binary-classification\npositive: "yes"\ncolumns: { score: score, prediction: predicted, truth: truth }\n',
  );
  const sides = ['--reference', 'a.ndjson', '--current', 'b.ndjson', '--monitor', 'm.yaml'];
  const { code, err } = await run(MLMON, ['report', ...sides, '--format', 'html', '-o', 'page.html'], { cwd: folder });
  expect(code, err).toBe(1);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  endAll();
  await rm(folder, { recursive: true, force: true });
});

async function open(colorScheme: 'light' | 'dark', width: number): Promise<{ page: Page; trouble: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const trouble: string[] = [];
  page.on('console', (message) => trouble.push(message.text()));
  page.on('pageerror', (error) => trouble.push(error.message));
  const url = String(pathToFileURL(join(folder, 'page.html')));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) trouble.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  return { page, trouble };
}

describe('the page of a report', () => {
  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
    ['dark', 360],
  ] as const)('fits and stays itself, %s at %i pixels', async (scheme, width) => {
    const { page, trouble } = await open(scheme, width);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const light = await page.evaluate<number>(
      `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3`,
    );
    if (scheme === 'dark') expect(light).toBeLessThan(60);
    else expect(light).toBeGreaterThan(200);
    expect(await page.title()).toMatch(/^2 of 50 columns drifted; performance is beyond its limit/);
    expect(trouble).toEqual([]);
    await page.close();
  });

  it('is searched, sifted, and leads from what was found to where it is', async () => {
    const { page, trouble } = await open('light', 1280);
    const shown = (): Promise<number> => page.locator('article:visible').count();
    expect(await shown()).toBe(50);
    expect(await page.locator('article svg').count()).toBe(50);
    await page.fill('#search', 'SCRIPT');
    expect(await shown()).toBe(1);
    expect(await page.textContent('article:visible h3')).toBe(HOSTILE);
    await page.fill('#search', '');
    await page.check('#only');
    expect(await shown()).toBe(2);
    await page.uncheck('#only');
    await page.click('a.tile:has-text("Performance")');
    await expect
      .poll(() => page.evaluate('document.getElementById("performance").getBoundingClientRect().top'))
      .toBeLessThan(900);
    expect(await page.locator('h2#performance').isVisible()).toBe(true);
    expect(trouble).toEqual([]);
    await page.close();
  });
});
