/**
 * Finds where values begin and end in JSON text without building them, so that what a sender wrote can travel on as it is.
 * Nothing here validates: every span is parsed by `JSON.parse` afterwards, and text that misleads the scanner yields a span that does not parse.
 * No recursion: the depth of the input costs no stack. Offsets are UTF-16 code units; O(length).
 */
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Deepest nesting of objects and arrays that is parsed. An event needs 3. */
export const MAX_DEPTH = 64;
/** Up to this many characters the depth is not worth checking. */
const SHALLOW = 16_384;

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** Offset of the first character at or after `from` that is no JSON white space. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Offset just after the string whose opening quote is at `from`; -1 when it does not end. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return -1;
}

/** True when objects and arrays nest more than `MAX_DEPTH` deep. Short text is not looked at. */
export function tooDeep(text: string): boolean {
  if (text.length <= SHALLOW) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (end === -1) return false;
      at = end - 1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return false;
}

/**
 * The elements of a JSON array, as text without outer white space. `null` when the text is no array (it does not begin with `[` or not end with `]`).
 * An element that does not end takes the rest of the text with it. A trailing comma gives an empty element, which does not parse.
 */
export function arrayElements(text: string): string[] | null {
  const start = skipSpace(text, 0);
  let stop = text.length;
  while (stop > start && isSpace(text.charCodeAt(stop - 1))) stop--;
  if (text.charCodeAt(start) !== OPEN_BRACKET || text.charCodeAt(stop - 1) !== CLOSE_BRACKET || stop - start < 2)
    return null;
  const elements: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = from; at < stop - 1; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (end === -1 || end > stop - 1) break;
      at = end - 1;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    else if (code === COMMA && depth === 0) {
      elements.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  const last = text.slice(from, stop - 1).trim();
  if (last !== '' || elements.length > 0) elements.push(last);
  return elements;
}

/**
 * Cuts an array of objects where `},{` (or `}, {`) stands: as fast as a search. Where such a cut is wrong, inside a string or a nested array,
 * the piece does not parse; `take` then answers false and the rest from there on is scanned. Pieces that parse are the elements:
 * JSON has one reading. False when the text is no array.
 */
export function eachElement(text: string, take: (element: string, tentative: boolean) => boolean): boolean {
  const start = skipSpace(text, 0);
  let stop = text.length;
  while (stop > start && isSpace(text.charCodeAt(stop - 1))) stop--;
  if (text.charCodeAt(start) !== OPEN_BRACKET || text.charCodeAt(stop - 1) !== CLOSE_BRACKET || stop - start < 2)
    return false;
  let from = start + 1;
  const tight = text.indexOf('},{', from);
  const cut = tight === -1 ? '}, {' : '},{';
  let found = tight === -1 ? text.indexOf(cut, from) : tight;
  while (found !== -1) {
    if (!take(text.slice(from, found + 1).trimStart(), true)) break;
    from = found + cut.length - 1;
    found = text.indexOf(cut, from);
  }
  if (found === -1) {
    const last = text.slice(from, stop - 1).trim();
    if (last === '' || take(last, true)) return true;
  }
  for (const element of arrayElements(`[${text.slice(from, stop)}`) ?? []) take(element, false);
  return true;
}

/** Attributes of a structured CloudEvent that come before its `data`, and where `data` is. */
export interface EnvelopeSpan {
  readonly specversion: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly time: string | null;
  readonly contentType: string | null;
  /** Text of `data`. */
  readonly data: string;
}

/**
 * Reads an envelope whose attributes are plain strings (no escapes) and whose last member is `data`: what every CloudEvents library writes.
 * `null` for anything else, which then takes the long way. If `data` parses as JSON, the whole was valid JSON with exactly these members:
 * a member after `data`, or a second `data`, makes the span unparsable.
 */
export function envelopeSpan(text: string): EnvelopeSpan | null {
  let at = skipSpace(text, 0);
  if (text.charCodeAt(at) !== OPEN_BRACE) return null;
  let specversion: string | null = null;
  let id: string | null = null;
  let type: string | null = null;
  let source: string | null = null;
  let time: string | null = null;
  let contentType: string | null = null;
  at = skipSpace(text, at + 1);
  for (let members = 0; members < 32; members++) {
    if (text.charCodeAt(at) !== QUOTE) return null;
    const nameEnd = text.indexOf('"', at + 1);
    if (nameEnd === -1) return null;
    const name = text.slice(at + 1, nameEnd);
    at = skipSpace(text, nameEnd + 1);
    if (text.charCodeAt(at) !== COLON) return null;
    at = skipSpace(text, at + 1);
    if (name === 'data') {
      let end = text.length - 1;
      while (end > at && isSpace(text.charCodeAt(end))) end--;
      if (text.charCodeAt(end) !== CLOSE_BRACE) return null;
      while (end > at && isSpace(text.charCodeAt(end - 1))) end--;
      if (specversion === null || id === null || type === null || source === null) return null;
      return { specversion, id, type, source, time, contentType, data: text.slice(at, end) };
    }
    if (text.charCodeAt(at) !== QUOTE) return null;
    const end = text.indexOf('"', at + 1);
    if (end === -1) return null;
    const value = text.slice(at + 1, end);
    if (!isPlain(value)) return null;
    // A repeated attribute, or a name that needs decoding, is left to JSON.parse.
    if (name === 'specversion') {
      if (specversion !== null) return null;
      specversion = value;
    } else if (name === 'id') {
      if (id !== null) return null;
      id = value;
    } else if (name === 'type') {
      if (type !== null) return null;
      type = value;
    } else if (name === 'source') {
      if (source !== null) return null;
      source = value;
    } else if (name === 'time') {
      if (time !== null) return null;
      time = value;
    } else if (name === 'datacontenttype') {
      if (contentType !== null) return null;
      contentType = value;
    } else if (name === 'data_base64' || !isPlain(name)) return null;
    at = skipSpace(text, end + 1);
    if (text.charCodeAt(at) !== COMMA) return null;
    at = skipSpace(text, at + 1);
  }
  return null;
}

/** No escape and no control character: the text between the quotes is the string. */
function isPlain(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 32 || code === BACKSLASH) return false;
  }
  return true;
}
