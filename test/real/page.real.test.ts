/** The page in a real browser, against a platform that only pretends. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { wellFormed } from '../../lib/local/page/words/safe.ts';
import { NASTY } from '../local/page/mock-data.ts';
import { type MockServer, type Scenario, startMockServer } from '../local/page/mock-server.ts';

const MODEL = '#/models/flight-delay';
let browser: Browser;
const toClose: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});
afterAll(async () => {
  await browser?.close();
});

interface Opened {
  readonly server: MockServer;
  readonly page: Page;
  /** Console errors, uncaught errors, dialogs and requests to anybody else. */
  readonly trouble: string[];
}

async function open(scenario: Scenario, hash: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const server = await startMockServer(scenario);
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  toClose.push(async () => {
    await context.close();
    await server.close();
  });
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') trouble.push(message.text());
  });
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) trouble.push(`asked ${request.url()}`);
  });
  await page.goto(server.url + hash);
  return { server, page, trouble };
}

/** Evaluated in the page; as text, because these tests are typed without a browser. */
const inPage = <T>(page: Page, expression: string): Promise<T> => page.evaluate<T>(expression);

/** Pixels by which the page is wider than its window. */
const overflow = (page: Page): Promise<number> =>
  inPage(page, 'document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** True when something was drawn on every chart. */
const drawn = (page: Page): Promise<boolean> =>
  inPage(
    page,
    `[...document.querySelectorAll('canvas')].every((canvas) =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0))`,
  );

describe('every view', () => {
  const views: [Scenario, string, string][] = [
    ['incident', '#/', 'alerts are open'],
    ['demo', MODEL, 'Features over time'],
    ['demo', `${MODEL}?length=7d`, 'Features over time'],
    ['demo', `${MODEL}/features/distance?start=2001-03-03T00%3A00%3A00.000Z`, 'What it means'],
    ['demo', '#/alerts', 'recovered'],
    ['degraded', '#/health', 'The platform is degraded'],
    ['empty', '#/', 'No model is watched yet'],
    ['empty', '#/alerts', 'There are no alerts'],
    ['many', '#/', 'model-0010'],
    ['wide', MODEL, 'Show all 300 features'],
    ['hourly', MODEL, '200 windows'],
    ['learning', MODEL, 'None is judged yet.'],
    ['learning', '#/', 'learning'],
    ['demo', '#/models/unknown', 'This model cannot be shown'],
    ['demo', '#/nowhere', 'There is nothing at this address'],
  ];
  it.each(views)('%s %s shows itself, draws its charts and fits a narrow screen', async (scenario, hash, words) => {
    const { page, trouble } = await open(scenario, hash);
    await page.getByText(words).first().waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    await page.waitForTimeout(300);
    expect(await drawn(page)).toBe(true);
    expect(await overflow(page)).toBe(0);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.waitForTimeout(200);
    expect(await overflow(page)).toBe(0);
    // What is not there answers 404, and the browser says so.
    expect(trouble.filter((line) => !line.includes('404'))).toEqual([]);
  });
});

describe('a baseline that is learned', () => {
  it('is told how far it is and what holds it, and nothing is called not ok for it', async () => {
    const { page } = await open('learning', MODEL);
    const card = page.getByRole('region', { name: 'Learning the baseline' });
    await card.waitFor();
    expect(await card.getByRole('progressbar').getAttribute('value')).toBe('1');
    const words = (await card.allInnerTexts()).join().replace(/\s+/g, ' ');
    expect(words).toMatch(
      /^Learning the baseline 100\s%\sFrom the windows between .* and .*, less those that stand out\./,
    );
    expect(words).toContain('2 of 10 windows have 200 rows; at least 4 are needed');
    const newest = (await page.getByRole('region', { name: /^Newest window/ }).allInnerTexts()).join();
    expect(newest.match(/learning/g)).toHaveLength(1);
    expect(await page.getByText('It is being learned.').count()).toBe(1);
  });
});

describe('names from data', () => {
  const model = `#/models/${encodeURIComponent(NASTY[0]!)}`;
  const addresses = [
    '#/',
    model,
    '#/alerts',
    ...NASTY.map((name) => `${model}/features/${encodeURIComponent(wellFormed(name))}`),
  ];
  it('are text everywhere and run nowhere', async () => {
    const { page, server, trouble } = await open('nasty', '#/');
    for (const address of addresses) {
      await page.goto(server.url + address);
      await page.locator('main h1').first().waitFor();
      await page.waitForTimeout(150);
      for (const canvas of await page.locator('.chart canvas').all()) {
        await canvas.scrollIntoViewIfNeeded();
        const box = await canvas.boundingBox();
        if (box !== null) await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.5);
      }
    }
    expect(await inPage<boolean>(page, '"hacked" in window')).toBe(false);
    expect(await page.locator('img, iframe, object, main script').count()).toBe(0);
    // A lone surrogate is no address; its page says that nothing is known of it.
    expect(trouble.filter((line) => !line.includes('404'))).toEqual([]);
  });
});

describe('with the keyboard alone', () => {
  it('leads from the first view into a cell of the heatmap', async () => {
    const { page } = await open('incident', '#/');
    await page.getByText('alerts are open').waitFor();
    const focused = (): Promise<string> =>
      inPage(page, 'document.activeElement.textContent.trim() || document.activeElement.tagName');
    const reach = async (words: string, most = 60): Promise<void> => {
      for (let i = 0; i < most; i++) {
        await page.keyboard.press('Tab');
        if ((await focused()) === words) return;
      }
      throw new Error(`tabbing never reached ${words}`);
    };
    await reach('Skip to the content', 1);
    await reach('flight-delay');
    await page.keyboard.press('Enter');
    await page.getByText('Features over time').waitFor();
    await page.locator('.heatmap canvas').waitFor();
    await reach('CANVAS');
    for (const key of ['ArrowLeft', 'ArrowUp', 'ArrowDown']) await page.keyboard.press(key);
    await expect.poll(() => page.locator('.heatmap [aria-live]').textContent()).toContain('distance');
    await page.keyboard.press('Enter');
    await page.getByText('What it means').waitFor();
    expect(page.url()).toContain('/features/distance?');
    expect(page.url()).toContain('start=2001-03-03');
  });

  it('has a table of the same cells', async () => {
    const { page } = await open('demo', MODEL);
    await page.getByRole('button', { name: 'Table' }).click();
    const cell = page.getByRole('link', { name: /drifted, effect/ }).first();
    await cell.focus();
    await page.keyboard.press('Enter');
    await page.getByText('What it means').waitFor();
    expect(page.url()).toContain('/features/hour');
  });
});

describe('changes', () => {
  it('acknowledges an alert', async () => {
    const { page, server, trouble } = await open('demo', MODEL);
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByLabel('Your name').fill('Ada');
    await page.getByLabel('Note').fill('looking into it');
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('acknowledged', { exact: true }).waitFor();
    expect(server.changes).toEqual([
      { method: 'POST', path: '/api/alerts/e-drift-2/acknowledge', body: { by: 'Ada', note: 'looking into it' } },
    ]);
    expect(await page.getByRole('button', { name: 'Acknowledge' }).count()).toBe(0);
    expect(trouble).toEqual([]);
  });

  it('silences for a time', async () => {
    const { page, server } = await open('demo', '#/alerts');
    await page.getByRole('button', { name: 'Silence' }).first().click();
    await page.getByRole('dialog').getByLabel('For').selectOption('1d');
    await page.getByLabel('Reason').fill('planned work');
    await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click();
    await page.getByText('1 silence is in force').waitFor();
    expect(server.changes[0]?.body).toEqual({
      model: 'flight-delay',
      signal: 'drift',
      for: '1d',
      reason: 'planned work',
    });
  });

  it('makes a baseline of the new normal and approves it', async () => {
    const { page, server } = await open('demo', MODEL);
    await page.getByRole('button', { name: 'This is the new normal' }).click();
    await page.getByRole('button', { name: 'Make the baseline' }).click();
    await page.getByText('waits for approval').waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await expect.poll(() => page.getByText('in force', { exact: true }).count()).toBe(1);
    await page.getByRole('button', { name: 'Go back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click();
    await expect.poll(() => server.changes.length).toBe(3);
    expect(server.changes.map(({ path, body }) => [path, body])).toEqual([
      ['/api/models/flight-delay/baselines', { from: '2001-06-21T00:00:00.000Z', to: '2001-06-30T00:00:00.000Z' }],
      ['/api/models/flight-delay/baselines/2/approve', { version: '3' }],
      ['/api/models/flight-delay/baselines/3/rollback', { version: '3' }],
    ]);
  });

  it('says what the platform said against a change, and closes by Escape', async () => {
    const { page, server } = await open('demo', MODEL);
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    server.fail(true);
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByRole('dialog').getByText('the store cannot be read').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

describe('following', () => {
  it('shows new windows by itself, without drawing the page anew', async () => {
    const { page, server } = await open('incident', MODEL);
    await page.getByText('32 windows').waitFor();
    await page.locator('.chart canvas').first().waitFor();
    await inPage(
      page,
      "for (const one of ['.heatmap canvas', '.chart canvas']) document.querySelector(one).setAttribute('data-kept', 'yes')",
    );
    server.setNow(Date.UTC(2001, 2, 9));
    await page.getByText('36 windows').waitFor();
    expect(await page.locator('canvas[data-kept]').count()).toBe(2);
  });

  it('says when it is no longer connected, and when it is again', async () => {
    const { page, server } = await open('demo', '#/');
    await page.getByText('1 alert is open').waitFor();
    server.fail(true);
    await page.getByText('The platform answers with an error.').waitFor();
    expect(await page.getByText('1 alert is open').count()).toBe(1);
    server.fail(false);
    await page.getByRole('button', { name: 'Try now' }).click();
    await expect.poll(() => page.getByText('The platform answers with an error.').count()).toBe(0);
    await server.close();
    await page.getByText('No longer connected to the platform.').waitFor();
    expect(await page.getByText('1 alert is open').count()).toBe(1);
  });

  it('asks for a token once, and keeps it for the tab', async () => {
    const { page } = await open('token', '#/');
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('The token was refused').waitFor();
    await page.getByLabel('Token').fill('open-sesame');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('1 alert is open').waitFor();
    await page.reload();
    await page.getByText('1 alert is open').waitFor();
    expect(await page.getByLabel('Token').count()).toBe(0);
  });
});

describe('dark and light', () => {
  it('follows the computer, and the button over it', async () => {
    const { page } = await open('demo', '#/', { colorScheme: 'dark', reducedMotion: 'reduce' });
    await page.getByText('1 alert is open').waitFor();
    const background = (): Promise<string> => inPage(page, 'getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    await page.getByRole('button', { name: /Colours/ }).click();
    expect(await background()).not.toBe(dark);
    await page.reload();
    await page.getByText('1 alert is open').waitFor();
    expect(await background()).not.toBe(dark);
  });
});
