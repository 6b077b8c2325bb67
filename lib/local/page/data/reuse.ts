/**
 * The newer of two answers with every part that did not change taken from the older one, so that what is unchanged is
 * identical and nothing is drawn again for it. Both are plain JSON; the newer one is changed in place and must not be used otherwise.
 */
export function reuse<T>(older: unknown, newer: T): T {
  return shared(older, newer) as T;
}

function shared(older: unknown, newer: unknown): unknown {
  if (older === newer) return older;
  if (typeof older !== 'object' || typeof newer !== 'object' || older === null || newer === null) return newer;
  if (Array.isArray(older) || Array.isArray(newer)) {
    if (!Array.isArray(older) || !Array.isArray(newer)) return newer;
    let same = older.length === newer.length;
    for (let i = 0; i < newer.length; i++) {
      if (i < older.length) newer[i] = shared(older[i], newer[i]);
      if (same && newer[i] !== older[i]) same = false;
    }
    return same ? older : newer;
  }
  const before = older as Record<string, unknown>;
  const after = newer as Record<string, unknown>;
  const keys = Object.keys(after);
  let same = keys.length === Object.keys(before).length;
  for (const key of keys) {
    if (!Object.hasOwn(before, key)) {
      same = false;
      continue;
    }
    const value = shared(before[key], after[key]);
    // Defined, not assigned: `__proto__` is a name like any other here.
    if (value !== after[key]) Object.defineProperty(after, key, { value, enumerable: true, writable: true });
    if (value !== before[key]) same = false;
  }
  return same ? older : newer;
}
