/** The library chart that adds the sidecar to workloads of other charts, before helm itself. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, Chart, Testing } from 'cdk8s';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { addSidecar, Monitor, type SidecarProps } from '../../lib/kubernetes/index.ts';
import { CHURN, type K8sObject } from '../kubernetes/objects.ts';
import { buildTools, rendered, same } from './kubernetes/helm.ts';
import { documents } from './kubernetes/manifests.ts';
import { tool } from './kubernetes/tools.ts';
import { CHECKOUT } from './programs.ts';

let folder: string;
beforeAll(buildTools, 1_500_000);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlmon-helm-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the library chart of the sidecar', () => {
  const chart = (): string => join(folder, 'examples/kubernetes/helm-sidecar');
  beforeAll(() => {
    for (const path of ['deploy/kubernetes/helm-sidecar', 'examples/kubernetes/helm-sidecar'])
      cpSync(join(CHECKOUT, path), join(folder, path), { recursive: true });
    expect(tool('helm', ['dependency', 'update', chart()])).toMatchObject({ code: 0, err: '' });
  });

  const render = (values: unknown, workload?: unknown): ReturnType<typeof tool> => {
    if (workload !== undefined)
      writeFileSync(
        join(chart(), 'templates/model.yaml'),
        `{{- define "model.workload" }}\n${stringify(workload)}{{ end }}\n{{ include "mlmon.sidecar" (dict "root" $ "workload" "model.workload") }}\n`,
      );
    return rendered(chart(), { 'ml-monitoring-sidecar': values }, 'serving');
  };

  const added = (workload: K8sObject, props: Partial<SidecarProps>): K8sObject[] => {
    const made = new Chart(Testing.app(), 'serving', { disableResourceNameHashes: true });
    addSidecar(new ApiObject(made, 'model', structuredClone(workload) as never), {
      collector: 'http://mlmon-collector.ml-monitoring:8080',
      monitors: [CHURN],
      ...props,
    });
    return Testing.synth(made) as K8sObject[];
  };
  const container = { name: 'model', image: 'registry.example.com/model:1', ports: [{ containerPort: 8080 }] };

  it('adds it to the workload of the example as addSidecar does', async () => {
    const values = parse(readFileSync(join(chart(), 'values.yaml'), 'utf8'))['ml-monitoring-sidecar'];
    const file = join(folder, 'churn.yaml');
    writeFileSync(file, values.monitors.churn['churn.yaml']);
    const { out, err } = render({});
    expect(err).toBe('');
    const workload = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'model', namespace: 'serving' },
      spec: {
        selector: { matchLabels: { app: 'model' } },
        template: {
          metadata: { labels: { app: 'model' } },
          spec: { containers: [{ ...container, ports: [{ name: 'http', containerPort: 8080 }] }] },
        },
      },
    };
    const { token, proxyTo } = values;
    const image = 'registry.example.com/ml-monitoring:0.1.0';
    await same(documents(out), added(workload, { monitors: [Monitor.fromFile(file)], image, token, proxyTo }));
  });

  it('adds it to every kind of workload, whatever its pod has already, with everything said', async () => {
    const pod = {
      containers: [container],
      initContainers: [{ name: 'fetch', image: 'registry.example.com/fetch:1' }],
      volumes: [{ name: 'cache', emptyDir: {} }],
      securityContext: { fsGroup: 3_000, runAsNonRoot: true },
    };
    const template = { metadata: { labels: { app: 'model' }, annotations: { team: 'growth' } }, spec: pod };
    const selector = { matchLabels: { app: 'model' } };
    const other = Monitor.of({ model: 'ads', features: { clicks: { type: 'numeric' } } });
    const everything = {
      collector: 'https://mlmon.example.com/',
      proxyTo: 9_000,
      name: 'churn-sidecar',
      imagePullPolicy: 'IfNotPresent' as const,
      port: 8_081,
      operationsPort: 9_999,
      spoolBytes: 10_000_001,
      native: false,
      resources: { cpu: '250m', memory: '256Mi' },
      limits: 'memory-and-cpu' as const,
    };
    const { imagePullPolicy, ...said } = everything;
    const digest = `sha256:${'0'.repeat(64)}`;
    const bare = { proxyTo: null, token: null, image: { repository: 'ml-monitoring-constructs' } };
    for (const [workload, values, props] of [
      [
        { kind: 'StatefulSet', apiVersion: 'apps/v1', spec: { serviceName: 'model', selector, template } },
        { ...said, token: null, image: { digest, pullPolicy: imagePullPolicy }, monitors: { ads: other.files } },
        { ...everything, image: `registry.example.com/ml-monitoring@${digest}`, monitors: [other, CHURN] },
      ],
      [{ kind: 'DaemonSet', apiVersion: 'apps/v1', spec: { selector, template } }, bare, {}],
      [{ kind: 'Pod', apiVersion: 'v1', spec: { containers: [container] } }, bare, {}],
      [
        {
          kind: 'CronJob',
          apiVersion: 'batch/v1',
          spec: {
            schedule: '0 3 * * *',
            jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } } },
          },
        },
        bare,
        {},
      ],
      [
        {
          kind: 'InferenceService',
          apiVersion: 'serving.kserve.io/v1beta1',
          spec: { predictor: { model: { modelFormat: { name: 'sklearn' }, storageUri: 's3://models/churn' } } },
        },
        { ...bare, kserveLogger: true },
        { kserveLogger: true },
      ],
    ] as const) {
      const object = { ...workload, metadata: { name: 'model' } } as unknown as K8sObject;
      const { out, err } = render(
        { ...values, monitors: { churn: CHURN.files, ...('monitors' in values ? values.monitors : {}) } },
        object,
      );
      expect([workload.kind, err]).toEqual([workload.kind, '']);
      await same(documents(out), added(object, props));
    }
  });

  it('passes the linter, and refuses what has no pod and wrong values in words', () => {
    for (const path of [join(CHECKOUT, 'deploy/kubernetes/helm-sidecar'), chart()])
      expect(tool('helm', ['lint', '--strict', path])).toMatchObject({ code: 0 });
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' }, spec: { template: { spec: {} } } };
    for (const [values, workload, told] of [
      [
        {},
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } },
        'Service has no pod; expected one of Deployment',
      ],
      [{ proxyTo: 8_090 }, job, 'is the port of the proxy itself'],
      [{ monitors: null }, job, 'expected a monitor for each model'],
      [{ token: 'T0KEN' }, job, "'/token': got string, want object"],
      [{ colector: 'http://a' }, job, "additional properties 'colector' not allowed"],
    ] as const) {
      const { code, err } = render(values, workload);
      expect([code, err]).toEqual([1, expect.stringContaining(told)]);
    }
  });
});
