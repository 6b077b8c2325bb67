import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { html } from '../../lib/cli/html-text.ts';
import { xml } from '../../lib/cli/report-junit.ts';
import type { Report } from '../../lib/local/report.ts';
import { runCommand, type Said } from './run-command.ts';

let folder: string;
let state = 11;
/** Uniform, repeatable. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const HOSTILE = `</script><script>alert(1)</script>"'&\u0007\u202e`;
const CATEGORIES = ['<img src=x onerror=alert(1)>', ']]>', '&amp;', '-->', '\u0000', 'a" onload="x', 'plain'];

function rows(n: number, shift: number): object[] {
  return Array.from({ length: n }, () => {
    const score = random();
    return {
      age: 20 + 40 * random() + shift,
      [HOSTILE]: CATEGORIES[Math.floor(CATEGORIES.length * random() ** (1 + shift / 5))],
      steady: Math.floor(9 * random()),
      score,
      truth: random() < score ? 'yes' : 'no',
      guess: score > 0.5 ? 'yes' : 'no',
    };
  });
}
const write = (file: string, data: readonly object[]): Promise<void> =>
  writeFile(join(folder, file), data.map((row) => JSON.stringify(row)).join('\n'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-formats-'));
  await write('a.ndjson', rows(1500, 0));
  await write('b.ndjson', rows(1200, 6));
  await write('few.ndjson', rows(3, 0));
  await writeFile(
    join(folder, 'm.yaml'),
    'model: "hostile"\ntask: binary-classification\npositive: "yes"\ncolumns: { score: score, prediction: guess, truth: truth }\n',
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function report(format: string, ...more: string[]): Promise<Said> {
  const reference = more.includes('--reference') ? [] : ['--reference', 'a.ndjson'];
  const current = more.includes('--current') ? [] : ['--current', 'b.ndjson'];
  return runCommand(folder, ['report', ...reference, ...current, '--format', format, ...more]);
}

/** Names of elements in order, when the markup nests as it should and every `&` begins an entity. */
function elements(markup: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  let at = 0;
  for (const match of markup.matchAll(/<(\/?)([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const between = markup.slice(at, match.index);
    if (/[<>]/.test(between) || /&(?!(?:amp|lt|gt|quot|#39);)/.test(between + match[3]))
      throw new Error(`not escaped: ${between.slice(0, 200)}${match[3]}`);
    at = match.index + match[0].length;
    const [, closes, element = '', , empty] = match;
    if (closes === '/') {
      if (open.pop() !== element) throw new Error(`</${element}> closes nothing`);
    } else {
      names.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  if (open.length > 0 || /[<>]/.test(markup.slice(at))) throw new Error(`left open: ${open.join(' ')}`);
  return names;
}

describe('report --format junit', () => {
  it('is well-formed, with a case for each column, check and metric', async () => {
    const { code, out } = await report('junit', '--monitor', 'm.yaml');
    const json = JSON.parse((await report('json', '--monitor', 'm.yaml')).out) as Report;
    expect(code).toBe(1);
    const [declaration, ...lines] = out.split('\n');
    expect(declaration).toBe('<?xml version="1.0" encoding="UTF-8"?>');
    const names = elements(lines.join('\n'));
    const cases = json.features.length + json.quality.length + (json.performance?.metrics.length ?? 0);
    expect(json.performance?.metrics.length).toBeGreaterThan(3);
    expect(names.filter((name) => name === 'testcase').length).toBe(cases);
    expect(names.filter((name) => name === 'testsuite').length).toBe(1);
    expect(names.filter((name) => name === 'failure').length).toBe(json.drift.driftedFeatures);
    expect(out).toContain(`tests="${cases}" failures="${json.drift.driftedFeatures}" errors="0" skipped="0"`);
    expect(out).toMatch(/classname="mlmon.drift" name="age"><failure type="drifted" message="mean up by /);
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('skips what has too few rows, and calls a test that is not for its column an error', async () => {
    const few = (await report('junit', '--current', 'few.ndjson')).out;
    expect(few).toMatch(/name="age"><skipped message="3 rows, fewer than /);
    const errors = (await report('junit', '--test', `age=chi2_contingency@scipy`)).out;
    expect(errors).toMatch(/name="age"><error type="failed" message="chi2_contingency@scipy is for categorical/);
  });

  it('escapes whatever text there is', () => {
    expect(xml(`<&>"'\u0000\ud800\uffff😀`)).toBe('&lt;&amp;&gt;&quot;&#39;\\u0000\\ud800\\uffff😀');
  });
});

describe('report --format html', () => {
  it('is one page that asks for nothing and runs only its own script', async () => {
    const { code, out } = await report('html', '--monitor', 'm.yaml');
    expect(code).toBe(1);
    expect(out.startsWith('<!doctype html>')).toBe(true);
    expect(out).not.toMatch(/https?:|\b(?:src|href|action|srcset)=(?!x|"#)|url\(|@import|style="|\son\w+="/);
    expect(out.match(/<script/g)?.length).toBe(1);
    const inline = (tag: string): string => out.split(`<${tag}>`)[1]?.split(`</${tag}>`)[0] ?? '';
    for (const tag of ['script', 'style'])
      expect(out).toContain(`${tag}-src 'sha256-${createHash('sha256').update(inline(tag)).digest('base64')}'`);
    expect(inline('style')).toContain('prefers-color-scheme: dark');
  });

  it('escapes names and categories, and nests', async () => {
    const { out } = await report('html', '--monitor', 'm.yaml');
    expect(out).toContain('&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u0007\\u202e');
    expect(out).toContain('&lt;img src=x onerror=a');
    expect(out).toContain('<title>\\u0000: ');
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    const body = out.slice(out.indexOf('<body>'), out.indexOf('</html>')).replace(/<script>.*<\/script>/s, '');
    const names = elements(body.replace(/<input([^>]*?)>/g, '<input/>').replace(/<(\w+) data-name>/g, '<$1>'));
    expect(names.filter((name) => name === 'article').length).toBe(5);
    expect(names.filter((name) => name === 'svg').length).toBe(5);
    expect(html(`<"&'>\ud800\u2067`)).toBe('&lt;&quot;&amp;&#39;&gt;\ufffd\\u2067');
  });

  it('shows drifted columns first, with both sides, performance and quality', async () => {
    const { out } = await report('html', '--monitor', 'm.yaml');
    const badges = [...out.matchAll(/<article class="([\w-]+)"/g)].map(([, status]) => status);
    expect(badges).toEqual(['drifted', 'drifted', 'ok', 'ok', 'ok']);
    expect(out).toContain('<h1>2 of 5 columns drifted</h1>');
    expect(out).toMatch(/b\.ndjson<\/bdi> \(1,200 rows\) against reference <bdi>a\.ndjson<\/bdi> \(1,500 rows\)/);
    expect(out).toMatch(/<h2 id="quality">Quality<\/h2>.*<h2 id="performance">Performance<\/h2>.*roc-auc/s);
    expect((await report('html', '--current', 'few.ndjson')).out).toContain('<h1>No verdict on any column</h1>');
    expect((await report('html', '--current', 'a.ndjson')).out).toContain('<h1>Nothing found</h1>');
    expect((await report('text', '--current', 'few.ndjson')).out).toMatch(
      /^Drift: no drift of \d columns, \d without a verdict$/m,
    );
  });

  it('has at most 2 MB at 50 columns', async () => {
    const wide = (shift: number): object[] =>
      Array.from({ length: 600 }, () =>
        Object.fromEntries(
          Array.from({ length: 50 }, (_, i) => [
            `column_${i}`,
            i % 5 === 0 ? `category ${'x'.repeat(30)} ${Math.floor(40 * random())}` : random() + shift,
          ]),
        ),
      );
    await write('wide-a.ndjson', wide(0));
    await write('wide-b.ndjson', wide(0.5));
    const { out } = await report('html', '--reference', 'wide-a.ndjson', '--current', 'wide-b.ndjson');
    expect(out.match(/<article/g)?.length).toBeGreaterThanOrEqual(50);
    expect(Buffer.byteLength(out)).toBeLessThan(2_000_000);
  });
});

describe('report -o', () => {
  it('writes every format to a file, as it would to standard output', async () => {
    for (const format of ['text', 'json', 'junit', 'html']) {
      const { out } = await report(format);
      const written = await report(format, '-o', `report.${format}`);
      expect(written).toEqual({ code: 1, out: '', err: '' });
      expect(await readFile(join(folder, `report.${format}`), 'utf8')).toBe(out);
    }
  });
});
