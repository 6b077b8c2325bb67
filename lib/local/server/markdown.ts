/**
 * Markdown to HTML, the little of it that the runbook uses: headings with anchors, paragraphs, lists, code, emphasis, links.
 * Everything is escaped first, so no text can become markup that is not made here.
 */
export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly anchor: string;
}

export function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}

export function renderMarkdown(source: string): { readonly html: string; readonly headings: readonly Heading[] } {
  const headings: Heading[] = [];
  const used = new Map<string, number>();
  const out: string[] = [];
  let paragraph: string[] = [];
  let list: { readonly tag: 'ul' | 'ol'; readonly items: string[] } | null = null;
  const flush = (): void => {
    if (paragraph.length > 0) out.push(`<p>${inline(paragraph.join(' '))}</p>`);
    paragraph = [];
    if (list !== null)
      out.push(`<${list.tag}>${list.items.map((item) => `<li>${inline(item)}</li>`).join('')}</${list.tag}>`);
    list = null;
  };
  const lines = source.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    const item = /^\s*(?:([-*])|(\d{1,3})[.)])\s+(.*)$/.exec(line);
    if (/^```/.test(line)) {
      flush();
      const code: string[] = [];
      while (++i < lines.length && !/^```/.test(lines[i]!)) code.push(lines[i]!);
      out.push(`<pre><code>${escapeHtml(code.join('\n'))}</code></pre>`);
    } else if (heading !== null) {
      flush();
      const level = heading[1]!.length;
      const text = heading[2]!;
      const base = anchorOf(text);
      const count = used.get(base) ?? 0;
      used.set(base, count + 1);
      const anchor = count === 0 ? base : `${base}-${count}`;
      headings.push({ level, text, anchor });
      out.push(`<h${level} id="${escapeHtml(anchor)}">${inline(text)}</h${level}>`);
    } else if (item !== null) {
      const tag = item[1] === undefined ? 'ol' : 'ul';
      if (paragraph.length > 0 || (list !== null && list.tag !== tag)) flush();
      list ??= { tag, items: [] };
      list.items.push(item[3]!);
    } else if (line.trim() === '') flush();
    else if (list !== null) list.items[list.items.length - 1] += ` ${line.trim()}`;
    else paragraph.push(line.trim());
  }
  flush();
  return { html: out.join('\n'), headings };
}

function anchorOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s+/g, '-');
}

/** Code first, since nothing else holds within it. Links only to http(s), to this server and within the page. */
function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => {
      if (part.length > 2 && part.startsWith('`') && part.endsWith('`'))
        return `<code>${escapeHtml(part.slice(1, -1))}</code>`;
      return escapeHtml(part)
        .replace(/\[([^\]]+)\]\((https?:\/\/[^\s()]+|[#/][^\s()]*)\)/g, '<a href="$2" rel="noreferrer">$1</a>')
        .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
        .replace(/(^|[\s(])_([^_]+)_(?=[\s).,;:]|$)/g, '$1<em>$2</em>');
    })
    .join('');
}
