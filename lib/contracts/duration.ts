/** Durations as users write them: a whole number and a unit. */
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PATTERN = /^([1-9]\d{0,8})(ms|s|m|h|d)$/;

export function isDuration(text: string): boolean {
  return PATTERN.test(text);
}

/** Milliseconds. Throws on anything but a duration: check with `isDuration` first. */
export function durationMs(text: string): number {
  const match = PATTERN.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * UNITS[match[2]!]!;
}

/** The shortest way to write it: 86400000 → `1d`, 90000 → `90s`. */
export function durationText(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) if (ms % UNITS[unit]! === 0) return `${ms / UNITS[unit]!}${unit}`;
  return `${ms}ms`;
}
