/** The examples, as a user runs them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { danglingSelectors, namingViolations, references, restrictedViolations } from './assertions.ts';
import { type K8sObject, templates } from './objects.ts';

const root = resolve(import.meta.dirname, '../..');
const APPS = {
  'examples/kubernetes/kube-prometheus-stack/app.ts': [
    'PodMonitor',
    'PrometheusRule',
    'ScaledObject',
    'KafkaTopic',
    'KafkaUser',
  ],
  'examples/kubernetes/without-operators/app.ts': [],
};

describe('examples', () => {
  it.each(Object.entries(APPS))('%s makes whole manifests', (file, kinds) => {
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-example-'));
    try {
      const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file, folder], {
        cwd: root,
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
      const objects = readdirSync(folder).flatMap((name) =>
        (parseAllDocuments(readFileSync(join(folder, name), 'utf8')) as { toJS(): K8sObject }[]).map((one) =>
          one.toJS(),
        ),
      );
      const found = objects.map(({ kind }) => kind);
      expect(found).toEqual(expect.arrayContaining(['Namespace', 'Deployment', 'NetworkPolicy', ...kinds]));
      const operated = objects.filter(({ apiVersion }) => /coreos|keda|strimzi/.test(apiVersion));
      expect(operated.length > 0).toBe(kinds.length > 0);
      expect(references(objects).missing).toEqual([]);
      expect(danglingSelectors(objects)).toEqual([]);
      expect(namingViolations(objects)).toEqual([]);
      for (const { object, template } of templates(objects))
        if (object.metadata.namespace === 'ml-monitoring') expect(restrictedViolations(template.spec)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
