import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildPage } from '../../../lib/local/page/build.ts';
import type { PageFile } from '../../../lib/local/page/page-file.ts';

describe('the built page', () => {
  let files: Map<string, PageFile>;
  beforeAll(async () => {
    files = await buildPage();
  });

  it('has all that index.html asks for', () => {
    const html = Buffer.from(files.get('/')!.body).toString();
    for (const [, path] of html.matchAll(/(?:href|src)="([^"]+)"/g))
      if (!path!.startsWith('api/')) expect([...files.keys()]).toContain(`/${path}`);
    expect(files.size).toBe(4);
  });

  it('stays under 500 kB compressed', () => {
    const total = [...files.values()].reduce((sum, file) => sum + file.gzip.byteLength, 0);
    expect(total).toBeLessThan(500_000);
    expect(total).toBeGreaterThan(50_000);
  });

  it('decompresses to what it is, with a tag that follows its content', async () => {
    for (const file of files.values()) {
      expect(Buffer.compare(gunzipSync(file.gzip), file.body)).toBe(0);
      expect(file.etag).toMatch(/^"[\w-]{22}"$/);
    }
    const again = await buildPage();
    for (const [path, file] of files) expect(again.get(path)!.etag).toBe(file.etag);
  });

  it('asks nobody else for anything, and holds no script in its markup', () => {
    const html = Buffer.from(files.get('/')!.body).toString();
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(html).not.toMatch(/\son\w+=|style=/);
    const css = Buffer.from(files.get('/page.css')!.body).toString();
    expect(css).not.toMatch(/url\(|@import/);
    expect(css).toContain('light-dark(');
  });
});
