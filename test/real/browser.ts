/** Chromium on a page, with everything written down that must not happen. */
import { type Browser, chromium, type Page } from 'playwright-core';

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
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
}

/** A page on `url`; `trouble` gets what the console complains of, refusals of the security policy included, errors, failed answers and requests to anybody else. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; trouble: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  const trouble: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') trouble.push(message.text());
  });
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) trouble.push(`asked ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) trouble.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${url}/`);
  return { page, trouble };
}

/** True when every chart on the page has something drawn. */
export async function chartsDrawn(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(
    `document.querySelectorAll('canvas').length > 0 && [...document.querySelectorAll('canvas')].every((canvas) => {
      const copy = document.createElement('canvas');
      [copy.width, copy.height] = [canvas.width, canvas.height];
      const context = copy.getContext('2d', { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      return context.getImageData(0, 0, copy.width, copy.height).data.some((value) => value !== 0);
    })`,
  );
}
