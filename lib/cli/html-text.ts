/** Text within HTML: names and categories come from data, and data are hostile. */
import { plain } from './plain.ts';

/** Characters that turn the direction of the text after them: a name could read as another. */
const DIRECTIONS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** For content and for attributes in double quotes. */
export function html(text: string): string {
  return plain(text.replace(/\p{Cs}/gu, '\ufffd'))
    .replace(DIRECTIONS, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
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
