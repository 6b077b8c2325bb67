/** Charts as helm renders them, and what is held against them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import type { K8sObject } from '../../kubernetes/objects.ts';
import { CHECKOUT } from '../programs.ts';
import { conform, FREE, keyed } from './manifests.ts';
import { judged, tool } from './tools.ts';

/** What is missing of the tools; minutes, the first time. */
export function buildTools(): void {
  const { status, stderr } = spawnSync('bash', [join(CHECKOUT, 'scripts/kubernetes-tools.sh')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`scripts/kubernetes-tools.sh failed:\n${stderr}`);
}

/** What the chart in `path` gives with these values. */
export function rendered(path: string, values: unknown, namespace = 'ml-monitoring'): ReturnType<typeof tool> {
  const folder = mkdtempSync(join(tmpdir(), 'mlmon-values-'));
  try {
    const file = join(folder, 'values.yaml');
    // JSON is YAML, whatever its version: `on` stays a text.
    writeFileSync(file, JSON.stringify(values));
    return tool('helm', [
      'template',
      'release',
      path,
      '--namespace',
      namespace,
      '--kube-version',
      '1.36.0',
      '-f',
      file,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const CHART = join(CHECKOUT, 'deploy/kubernetes/helm');

/** The same objects, valid for the API server, Strimzi and Grafana Operator. */
export async function same(made: readonly K8sObject[], expected: readonly K8sObject[]): Promise<void> {
  expect(keyed(made)).toEqual(keyed(expected));
  const others = made.filter(({ apiVersion }) => /strimzi|grafana/.test(apiVersion));
  for (const object of others)
    expect([object.kind, await judged(object, FREE)]).toEqual([object.kind, { wrong: [], unknown: [] }]);
  const rest = made.filter((object) => !others.includes(object));
  const { code, out } = conform(rest);
  expect([out.trim(), code]).toEqual([
    `Summary: ${rest.length} resources found parsing stdin - Valid: ${rest.length}, Invalid: 0, Errors: 0, Skipped: 0`,
    0,
  ]);
}

/** Helm writes the file for Alertmanager in its own style of YAML: what it says is compared. */
export function readable(objects: readonly K8sObject[]): K8sObject[] {
  return objects.map((object) => {
    const text = object.data?.['alertmanager.yaml'];
    if (text === undefined) return object;
    const told = stringify(parse(text), { sortMapEntries: true, lineWidth: 0 });
    return { ...object, data: { ...object.data, 'alertmanager.yaml': told } };
  });
}
