/** What people open in a browser: the page with its files, the runbook, the description of the interface. */

import { HttpProblem } from '../../contracts/http-problem.ts';
import { escapeHtml, renderMarkdown } from './markdown.ts';
import type { Body } from './respond.ts';
import type { Route } from './router.ts';

export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array;
  readonly gzip: Uint8Array;
  readonly etag: string;
}

export interface PageOptions {
  /** Files by path; `/` is the page. `null`: this server has none. */
  readonly page: ReadonlyMap<string, PageFile> | null;
  /** Markdown. */
  readonly runbook: string | null;
  readonly openApi: Readonly<Record<string, unknown>>;
}

/** Open to everybody who reaches the server: none of it holds data. */
export function pageRoutes({ page, runbook, openApi }: PageOptions): Route[] {
  const open = (path: string, body: () => Body): Route => ({
    method: 'GET',
    path,
    scope: null,
    handle: (context) => context.send(body()),
  });
  const files = [...(page ?? [])].map(([path, file]) => open(path, () => file));
  if (page === null || !page.has('/'))
    files.push(
      open('/', () => {
        throw new HttpProblem(404, 'no-page', 'this server has no page; GET /openapi.json lists what it has');
      }),
    );
  const description = Buffer.from(`${JSON.stringify(openApi, null, 2)}\n`);
  const routes = [...files, open('/openapi.json', () => ({ type: 'application/json', body: description }))];
  if (runbook !== null) {
    const rendered: Body = { type: 'text/html; charset=utf-8', body: Buffer.from(runbookPage(runbook)) };
    routes.push(open('/runbook', () => rendered));
  }
  return routes;
}

const STYLE = `:root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}body{max-width:46rem;margin:0 auto;padding:1.5rem}
a{color:LinkText}h2{margin-top:2.5rem;border-top:1px solid color-mix(in srgb,CanvasText 20%,Canvas);padding-top:1rem}
code{background:color-mix(in srgb,CanvasText 8%,Canvas);padding:.1em .3em;border-radius:3px}:target{background:color-mix(in srgb,Highlight 25%,Canvas)}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1rem}`;

function runbookPage(markdown: string): string {
  const { html, headings } = renderMarkdown(markdown);
  const contents = headings
    .filter(({ level }) => level === 2)
    .map(({ text, anchor }) => `<li><a href="#${escapeHtml(anchor)}">${escapeHtml(text)}</a></li>`)
    .join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Runbook</title><link rel="icon" type="image/svg+xml" href="icon.svg"><style>${STYLE}</style></head>
<body><nav aria-label="Contents"><a href="./">Monitoring</a><ul>${contents}</ul></nav><main>${html}</main></body></html>
`;
}
