/** The text format of Prometheus, version 0.0.4: families in order of name, series in order of their labels, escaped as the format says. */
import type { MetricDefinition } from '../../contracts/metric-names.ts';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** `{a="x",b="y"}`, or nothing. Names are ours; values come from anywhere. */
export function labelText(names: readonly string[], labels: Readonly<Record<string, string>>): string {
  const parts: string[] = [];
  for (const name of names) {
    const value = labels[name];
    // An empty label is the same as none.
    if (value !== undefined && value !== '') parts.push(`${name}="${escapeLabel(value)}"`);
  }
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** Backslash, quote and line feed are escaped; a lone surrogate cannot be written as UTF-8 and becomes U+FFFD. */
export function escapeLabel(value: string): string {
  const text = value.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

export function escapeHelp(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** Lines of one family; `series` maps the full series text (name and labels) to its value. */
export function familyText(definition: MetricDefinition, series: Iterable<readonly [string, number]>): string {
  let text = `# HELP ${definition.name} ${escapeHelp(definition.help)}\n# TYPE ${definition.name} ${definition.type}\n`;
  for (const [name, value] of series) text += `${name} ${numberText(value)}\n`;
  return text;
}
