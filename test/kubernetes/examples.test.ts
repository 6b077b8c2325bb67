/** The examples, as a user runs them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const objectsIn = (folder: string): K8sObject[] =>
  readdirSync(folder).flatMap((name) =>
    (parseAllDocuments(readFileSync(join(folder, name), 'utf8')) as { toJS(): K8sObject }[]).map((one) => one.toJS()),
  );

describe('pages', () => {
  it.each([
    ['README.md', 'churn'],
    ['docs/how-to/deploy-on-kubernetes.md', 'flight-delay'],
  ])('%s has an app that runs as it is written, with the Secrets that it makes', (page, model) => {
    const text = readFileSync(join(root, page), 'utf8');
    const code = [...text.matchAll(/```ts\n([\s\S]*?)```/g)]
      .map(([, block = '']) => block)
      .find((block) => block.includes('new ModelMonitoringChart'));
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-page-'));
    try {
      mkdirSync(join(folder, 'monitors'));
      const monitor = `model: ${model}\nfeatures: { distance: { type: numeric } }\n`;
      writeFileSync(join(folder, 'monitors', `${model}.yaml`), monitor);
      const app = (code ?? '')
        .replace("'ml-monitoring-constructs/kubernetes'", `'${join(root, 'lib/kubernetes/index.ts')}'`)
        .replace("'cdk8s'", `'${join(root, 'node_modules/cdk8s/lib/index.js')}'`);
      writeFileSync(join(folder, 'app.ts'), app);
      const tsx = join(root, 'node_modules/tsx/dist/loader.mjs');
      const { status, stderr } = spawnSync(process.execPath, ['--import', tsx, 'app.ts'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
      const { missing, secrets } = references(objectsIn(join(folder, 'dist')));
      expect(missing).toEqual([]);
      const made = [...text.matchAll(/create secret generic (\S+)/g)].map(([, name]) => name);
      expect(secrets).toEqual(made.length === 0 ? ['mlmon-tokens'] : made.sort());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('examples', () => {
  it.each(Object.entries(APPS))('%s makes whole manifests', (file, kinds) => {
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-example-'));
    try {
      const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file, folder], {
        cwd: root,
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
      const objects = objectsIn(folder);
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
