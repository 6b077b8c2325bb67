import { describe, expect, it } from 'vitest';
import { ALERTS } from '../../../lib/alerts/catalogue.ts';
import { renderRunbook } from '../../../lib/alerts/runbook.ts';
import { renderMarkdown } from '../../../lib/local/server/markdown.ts';

describe('renderMarkdown', () => {
  it('has a heading to link to for every signal', () => {
    const anchors = renderMarkdown(renderRunbook()).headings.map(({ anchor }) => anchor);
    expect(anchors).toEqual(expect.arrayContaining(Object.keys(ALERTS)));
    expect(new Set(anchors).size).toBe(anchors.length);
  });

  it('renders the little it knows', () => {
    const { html } = renderMarkdown(
      '# A b!\n\none **two** `<x>` [y](https://e.org)\nmore\n\n- a\n- b\n  c\n\n1. d\n\n```\n<pre>\n```\n',
    );
    expect(html).toBe(
      '<h1 id="a-b">A b!</h1>\n<p>one <strong>two</strong> <code>&lt;x&gt;</code> <a href="https://e.org" rel="noreferrer">y</a> more</p>\n<ul><li>a</li><li>b c</li></ul>\n<ol><li>d</li></ol>\n<pre><code>&lt;pre&gt;</code></pre>',
    );
  });

  it('makes no markup out of text', () => {
    const { html } = renderMarkdown(
      '# <img src=x onerror=alert(1)>\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](https://e.org/"onmouseover="alert(1)) `</code><b>`\n',
    );
    expect(html.replace(/<\/?(?:h1|p|code|a)(?: (?:id|href|rel)="[^"<>]*")*>/g, '')).not.toMatch(/[<>]/);
    expect(html).not.toMatch(/javascript:[^)]*"/);
  });
});
