/** The page of a replay in a real browser: it draws what it says, needs nothing else, and fits. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../lib/stats/random.ts';
import { launchChromium } from './browser.ts';
import { endAll, MLMON, run } from './programs.ts';

const HOUR = 3_600_000;
const START = Date.parse('2024-01-01T00:00:00Z');
const NAME = '<b onclick=alert(1)>"\u202e';

let folder: string;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replay-page-'));
  browser = await launchChromium();
  await traffic('usual.csv', 0, 21, Number.POSITIVE_INFINITY);
  await traffic('changed.csv', 21, 5, START + 23 * 24 * HOUR);
  const argv = ['--reference', 'usual.csv', '--data', 'changed.csv', '--time', 'when', '--window', '1h'];
  await run(MLMON, ['backtest', ...argv, '--format', 'html', '-o', 'replay.html'], { cwd: folder });
});
afterAll(async () => {
  await browser?.close();
  endAll();
  await rm(folder, { recursive: true, force: true });
});

async function traffic(file: string, fromDay: number, days: number, changedFrom: number): Promise<void> {
  const random = seededRandom(fromDay + 1);
  const lines = [`when,"${NAME.replaceAll('"', '""')}",plan`];
  for (let at = START + fromDay * 24 * HOUR; at < START + (fromDay + days) * 24 * HOUR; at += HOUR / 60) {
    const value = random.normal() + (at >= changedFrom ? 2 : 0);
    lines.push(`${new Date(at).toISOString()},${value},${random.next() < 0.5 ? 'basic' : 'plus'}`);
  }
  await writeFile(join(folder, file), `${lines.join('\n')}\n`);
}

const colourOf = (selector: string): string =>
  `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).backgroundColor`;

describe.each(['light', 'dark'] as const)('the page of a replay, %s', (colorScheme) => {
  it.each([1280, 390])('draws the calendar and the features at %d pixels', async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const trouble: string[] = [];
    page.on('console', (message) => trouble.push(message.text()));
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) trouble.push(request.url());
    });
    await page.goto(pathToFileURL(join(folder, 'replay.html')).href);
    const calendar = page.locator('.scroll').first();
    expect(await calendar.locator('.line').count()).toBe(6);
    expect(await calendar.locator('i').count()).toBe(120);
    expect(await calendar.locator('i.opens').count()).toBe(1);
    expect(await calendar.locator('i.opens').getAttribute('title')).toMatch(/^2024-01-24T\d\d:00Z: 60 rows, drifted: /);
    const box = await calendar.locator('i.opens').boundingBox();
    expect([box?.width, box?.height]).toEqual([15, 15]);
    const colours = await Promise.all(['i.ok', 'i.held', 'i.opens', 'body'].map((of) => page.evaluate(colourOf(of))));
    expect(new Set(colours).size).toBe(4);
    // The changed feature comes first, by its own name.
    expect(await page.locator('.line.small b').first().textContent()).toContain('<b onclick=alert(1)>"');
    const wide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate<number>(wide)).toBeLessThanOrEqual(0);
    expect(trouble).toEqual([]);
    await page.close();
  });
});
