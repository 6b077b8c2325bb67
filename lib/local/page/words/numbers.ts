/** Numbers as people read them. `null` and what is not finite is an en dash: unknown is not zero. */

export const UNKNOWN = '–';
/** Keeps a number and its unit on one line. */
const THIN = '\u202f';

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

function known(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** 12345 → `12,345`. */
export function count(value: number | null | undefined): string {
  return known(value) ? COUNT.format(value) : UNKNOWN;
}

/** 12345 → `12.3K`: for axes and tiles. */
export function compact(value: number | null | undefined): string {
  return known(value) ? COMPACT.format(value) : UNKNOWN;
}

/** Significant digits, never more than wanted: 0.81234 → `0.812`, 1234.5 → `1,235`, 0.00001234 → `1.23e-5`. */
export function number(value: number | null | undefined, digits = 3): string {
  if (!known(value)) return UNKNOWN;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-4) return value.toExponential(digits - 1).replace('e+', 'e');
  if (size >= 10 ** digits) return COUNT.format(value);
  let format = significant.get(digits);
  if (format === undefined) {
    format = new Intl.NumberFormat('en', { maximumSignificantDigits: digits });
    significant.set(digits, format);
  }
  return format.format(value);
}

const significant = new Map<number, Intl.NumberFormat>();

/**
 * The effect w on two decimals, the way it is spoken of: 0.004 → `0`, 0.123 → `0.12`. Beyond 1, twice what is called large, it
 * says how rare something was before rather than how large it is now, and is not told: 51.8 → `>1`.
 */
export function effectText(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  return value > 1 ? '>1' : String(Number(value.toFixed(2)));
}

/** A share 0..1: 0.9512 → `95.1 %`; what is not zero never reads as zero, and what is not all never as all. */
export function share(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  if (value > 0 && value < 0.0005) return `<${THIN}0.1${THIN}%`;
  if (value > 0.9995 && value < 1) return `>${THIN}99.9${THIN}%`;
  const percent = value * 100;
  return `${Number(percent.toFixed(Math.abs(percent) >= 10 ? 1 : 2))}${THIN}%`;
}

/** The share of rows without a value, from how many have one and how many do not; unknown of no rows. */
export function missingShare(present: number, missing: number): number | null {
  return present + missing > 0 ? missing / (present + missing) : null;
}

/** A difference of shares in percentage points, with its sign: 0.05 → `+5 pp`. */
export function points(value: number): string {
  const text = String(Math.abs(Number((value * 100).toFixed(1))));
  return `${value < 0 ? '−' : '+'}${text}${THIN}pp`;
}

/** Milliseconds of a latency: 12.5 → `12.5 ms`, 1234 → `1.23 s`. */
export function latency(ms: number | null | undefined): string {
  if (!known(ms)) return UNKNOWN;
  return ms >= 1000 ? `${number(ms / 1000)}${THIN}s` : `${number(ms)}${THIN}ms`;
}

export function bytes(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  if (value < 1024) return `${value}${THIN}B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let size = value;
  let unit = -1;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${number(size)}${THIN}${units[unit]}`;
}

/** 0.00002 → `< 0.0001`. */
export function pValue(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  return value < 0.0001 ? '< 0.0001' : number(value, 2);
}

/** `1 alert`, `2 alerts`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** Cut in the middle by code points, so that names which differ at their ends stay different. */
export function shortened(text: string, most: number): string {
  const points = Array.from(text);
  if (points.length <= most) return text;
  const tail = Math.floor((most - 1) / 3);
  return `${points.slice(0, most - 1 - tail).join('')}…${points.slice(points.length - tail).join('')}`;
}
