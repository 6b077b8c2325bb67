/**
 * What every object store here agrees on: which keys are legal and how they are ordered.
 */

/**
 * Throws a RangeError that names the fault of a key. Legal: 1 to 1,024 bytes of UTF-8 in segments parted by `/`, none of
 * them empty, `.`, `..` or longer than 255 bytes, without NUL, backslash and lone surrogates.
 */
export function checkKey(key: string): void {
  const fault = keyFault(key);
  if (fault !== null) {
    throw new RangeError(
      `key ${JSON.stringify(key.slice(0, 200))}: ${fault}; expected segments like "packs/2001-02-01/p0.pack"`,
    );
  }
}

function keyFault(key: string): string | null {
  if (key.length === 0) return 'empty';
  if (key.includes('\0')) return 'contains NUL';
  if (key.includes('\\')) return 'contains a backslash';
  if (/\p{Surrogate}/u.test(key)) return 'contains a lone surrogate';
  if (Buffer.byteLength(key) > 1024) return 'longer than 1024 bytes';
  for (const part of key.split('/')) {
    if (part === '') return 'begins or ends with a slash, or has two in a row';
    if (part === '.' || part === '..') return `has the segment "${part}"`;
    if (part.length > 85 && Buffer.byteLength(part) > 255) return 'has a segment longer than 255 bytes';
  }
  return null;
}

/** Ascending code points (the order of UTF-8 bytes), which differs from UTF-16 order above U+D7FF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Code units ranked so that surrogates, which stand for U+10000 and above, come after U+E000 to U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Throws a RangeError unless 0 ≤ start ≤ end, both integers. */
export function checkRange(key: string, start: number, end: number): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RangeError(`${key}: wrong byte range, got [${start}, ${end}); expected integers with 0 <= start <= end`);
  }
}
