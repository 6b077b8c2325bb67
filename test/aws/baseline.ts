/** Monitors and baselines as text. */
import { stringify } from 'yaml';

export function monitorText(model: string, more: Readonly<Record<string, unknown>> = {}): string {
  return stringify({ model, features: { distance: { type: 'numeric' }, origin: { type: 'categorical' } }, ...more });
}

export function baselineText(model: string): string {
  return JSON.stringify({
    schema: 'mlmon.baseline/v1',
    model,
    version: null,
    source: { kind: 'file', name: 'reference.csv', from: null, to: null },
    rows: 1_000,
    window: null,
    columns: [],
    volume: null,
    performance: null,
    findings: [],
  });
}
