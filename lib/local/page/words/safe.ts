/** What keeps data from becoming anything but text. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** For the one place that takes markup as a string: the chart library's tooltips. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? character);
}

/** Own property only: names come from data, and `__proto__` or `constructor` are names too. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** A link that only leads to a page: `http`, `https` or a path of this platform. Anything else is no link. */
export function safeLink(link: string | null | undefined): string | null {
  if (typeof link !== 'string' || link === '') return null;
  let url: URL;
  try {
    url = new URL(link, 'http://platform.invalid/');
  } catch {
    return null;
  }
  return url.protocol === 'http:' || url.protocol === 'https:' ? link : null;
}

/**
 * A name for people: characters that are invisible or turn the direction of the text around them are shown as their
 * code point, so that two names which differ look different and no name rearranges the line it stands in.
 */
export function visible(name: string): string {
  const shown = wellFormed(name).replace(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return shown.trim() === '' ? `“${shown}”` : shown;
}

/** Sentences from the platform hold names too: the same, but lines may end. */
export function visibleLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => (line === '' ? '' : visible(line)))
    .join('\n');
}

/** Half of a pair of surrogates cannot be written in an address, and is no character: it becomes the replacement sign. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
