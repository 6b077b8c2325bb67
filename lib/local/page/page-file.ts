/** One file of the page as it is served, and which files there are. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface PageFile {
  /** Content type. */
  readonly type: string;
  readonly body: Uint8Array;
  readonly gzip: Uint8Array;
  /** Quoted, as the header wants it. */
  readonly etag: string;
}

/** Files of the page: the path they are served at, their name in a prebuilt page, their content type. */
export const PAGE_FILES = [
  { path: '/', name: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/icon.svg', name: 'icon.svg', type: 'image/svg+xml' },
  { path: '/page.js', name: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/page.css', name: 'page.css', type: 'text/css; charset=utf-8' },
] as const;

/** Compressed once, with a tag that follows from the content. */
export function pageFile(type: string, body: Uint8Array): PageFile {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { type, body, gzip: gzipSync(body, { level: 9 }), etag: `"${digest}"` };
}
