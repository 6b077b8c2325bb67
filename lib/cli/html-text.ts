/** Text within HTML: names and categories come from data, and data are hostile. */
import { plain } from './plain.ts';

/** For content and for attributes in double quotes. */
export function html(text: string): string {
  return plain(text.replace(/\p{Cs}/gu, '\ufffd'))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A name from data on the page: it cannot turn the text around it. */
export function name(text: string): string {
  return `<bdi>${html(text)}</bdi>`;
}
