/** Manifests before judges that are not ours: schemas of Kubernetes and its operators, kube-score, the policy code of Pod Security, kustomize. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Grafana, Watching } from '../../lib/kubernetes/index.ts';
import { REFERENCE } from '../../scripts/deploy-files.ts';
import { CHARTS, FULL, neighbours } from '../kubernetes/charts.ts';
import { type K8sObject, MINIMAL, objectsOf, templates } from '../kubernetes/objects.ts';
import { conform, documents, FREE, keyed, yaml } from './kubernetes/manifests.ts';
import { judged, tool } from './kubernetes/tools.ts';
import { CHECKOUT } from './programs.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlmon-kubernetes-'));
  const { status, stderr } = spawnSync('bash', [join(CHECKOUT, 'scripts/kubernetes-tools.sh')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`scripts/kubernetes-tools.sh failed:\n${stderr}`);
}, 1_500_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('kubeconform', () => {
  it.each(Object.entries(CHARTS))('finds every object of %s valid, those of operators too', (_name, objectsOfChart) => {
    const objects = objectsOfChart();
    const { code, out } = conform(objects);
    expect([out.trim(), code]).toEqual([
      `Summary: ${objects.length} resources found parsing stdin - Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`,
      0,
    ]);
  });

  it('would find a field that is spelt wrong, in core objects and in those of operators', () => {
    for (const kind of ['Deployment', 'PrometheusRule', 'ScaledObject']) {
      const object = objectsOf(FULL).find((one) => one.kind === kind);
      const wrong = conform([{ ...object, spec: { ...object?.spec, replicass: 2 } }]);
      expect([kind, wrong.code]).toEqual([kind, 1]);
      expect(wrong.out).toMatch(/replicass/);
    }
  });
});

describe('validators of Strimzi and Grafana Operator', () => {
  const objects = [
    ...neighbours().kafka,
    ...objectsOf({ grafana: Grafana.operator({ instances: { dashboards: 'grafana' }, folder: 'Models' }) }).filter(
      ({ kind }) => kind === 'GrafanaDashboard',
    ),
  ];
  it('have nothing to say of our objects', async () => {
    expect(objects.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['Kafka', 'KafkaNodePool', 'KafkaTopic', 'KafkaUser', 'GrafanaDashboard']),
    );
    for (const object of objects)
      expect([object.kind, await judged(object, FREE)]).toEqual([object.kind, { wrong: [], unknown: [] }]);
  });

  it('would find wrong values and unknown names', async () => {
    const topic = objects.find(({ kind }) => kind === 'KafkaTopic') as K8sObject;
    const { wrong, unknown } = await judged(
      { ...topic, spec: { ...topic.spec, partitions: 'six', partitionss: 6 } },
      FREE,
    );
    expect([wrong.length > 0, unknown]).toEqual([true, ['partitionss']]);
  });
});

describe('kube-score', () => {
  /** What is deliberately otherwise, with the reason. */
  const EXCEPTIONS: Readonly<Record<string, string>> = {
    'deployment-has-host-podantiaffinity':
      'containers are spread by topologySpreadConstraints, which kube-score does not know',
    'deployment-strategy':
      'evaluator, labeler and notifier end before they begin again: two at once would do the same work twice',
    'deployment-replicas':
      'evaluator, labeler, notifier, page and archiver are one by design; cursors make more of them useless',
  };

  it.each([
    ['minimal with limits', () => objectsOf({ ...MINIMAL, limits: 'memory-and-cpu' as const })],
    ['full', () => objectsOf({ ...FULL, imagePullPolicy: 'Always' as const })],
  ] as const)('has nothing to say of %s but named exceptions', (_name, objectsOfChart) => {
    const { out, err } = tool(
      'kube-score',
      ['score', '--output-format', 'json', '--kubernetes-version', 'v1.32', '-'],
      yaml(objectsOfChart()),
    );
    interface Scored {
      readonly object_name: string;
      readonly checks: readonly {
        readonly check: { readonly id: string };
        readonly grade: number;
        readonly skipped: boolean;
        readonly comments: readonly { readonly summary: string; readonly path: string }[] | null;
      }[];
    }
    const scored = JSON.parse(out || `"${err}"`) as readonly Scored[];
    expect(scored.length).toBeGreaterThanOrEqual(20);
    const findings = scored.flatMap(({ object_name, checks }) =>
      checks
        .filter(({ grade, skipped, check }) => !skipped && grade < 10 && !Object.hasOwn(EXCEPTIONS, check.id))
        .map(
          ({ check, comments }) =>
            `${object_name}: ${check.id}: ${(comments ?? []).map(({ summary, path }) => `${path} ${summary}`).join('; ')}`,
        ),
    );
    expect(findings).toEqual([]);
  });
});

describe('the policy code of Pod Security', () => {
  const judge = (objects: readonly K8sObject[]): ReturnType<typeof tool> =>
    tool(
      'pod-security',
      [],
      templates(objects)
        .map(({ object, template }) =>
          JSON.stringify({ name: object.metadata.name, labels: template.metadata.labels, spec: template.spec }),
        )
        .join('\n'),
    );

  it.each(Object.entries(CHARTS))('admits every pod of %s as restricted', (_name, objectsOfChart) => {
    const objects = objectsOfChart();
    const { code, out, err } = judge(objects);
    expect([out, code]).toEqual(['', 0]);
    expect(err).toContain(`${templates(objects).length} read, 0 refused`);
    expect(templates(objects).length).toBeGreaterThan(0);
  });

  it('would refuse one that may be root', () => {
    const [deployment] = objectsOf().filter(({ kind }) => kind === 'Deployment');
    const text = JSON.stringify(deployment).replaceAll('"runAsNonRoot":true', '"runAsNonRoot":false');
    expect(judge([JSON.parse(text)])).toMatchObject({ code: 1, out: expect.stringContaining('runAsNonRoot') });
  });
});

describe('promtool', () => {
  it('takes the files for a Prometheus without operator, and the rules of the operator', () => {
    const data = objectsOf({ watching: Watching.files() }).find(
      ({ metadata }) => metadata.name === 'mlmon-prometheus',
    )?.data;
    const rule = objectsOf().find(({ kind }) => kind === 'PrometheusRule');
    writeFileSync(join(folder, 'alerts.yaml'), data?.['alerts.yaml'] ?? '');
    writeFileSync(join(folder, 'operator.yaml'), stringify(rule?.spec));
    // Debian builds Prometheus without the discovery of pods; the rest of the file is what it can judge.
    const scrapes = parse(data?.['scrape.yaml'] ?? '') as readonly { readonly kubernetes_sd_configs: unknown }[];
    writeFileSync(
      join(folder, 'prometheus.yaml'),
      stringify({
        rule_files: ['alerts.yaml', 'operator.yaml'],
        scrape_configs: scrapes.map(({ kubernetes_sd_configs: _, ...rest }) => rest),
      }),
    );
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', join(folder, 'prometheus.yaml')], {
      encoding: 'utf8',
    });
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout.match(/SUCCESS: \d+ rules found/g)).toHaveLength(2);
  });
});

describe('kustomize', () => {
  const build = (path: string): K8sObject[] => {
    const { code, out, err } = tool('kustomize', ['build', join(CHECKOUT, 'deploy/kubernetes', path)]);
    expect([err, code]).toEqual(['', 0]);
    return documents(out);
  };

  it('gives the objects of the chart from the base, but for the digest in the name of the configuration', () => {
    const text = JSON.stringify(build('base')).replaceAll(/mlmon-run-[a-z0-9]{10}/g, 'mlmon-run');
    const objects = JSON.parse(text) as K8sObject[];
    const sameRun = (all: readonly K8sObject[]): unknown =>
      keyed(
        all.map((object) =>
          object.kind === 'ConfigMap' && object.metadata.name === 'mlmon-run'
            ? { ...object, data: documents(object.data?.['run.yaml'] ?? '') as never }
            : object,
        ),
      );
    expect(sameRun(objects)).toEqual(sameRun(objectsOf(REFERENCE)));
  });

  it('rolls out a changed configuration: the overlay names another one', () => {
    const objects = build('overlays/example');
    const runs = objects.filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('mlmon-run'));
    expect(runs).toHaveLength(1);
    expect(runs[0]?.data?.['run.yaml']).toContain('kafka.example.com:9093');
    const evaluator = objects.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'mlmon-evaluator',
    );
    expect(JSON.stringify(evaluator)).toContain(runs[0]?.metadata.name);
    expect(JSON.stringify(evaluator)).toContain('/etc/mlmon/monitors');
  });

  it('adds the sidecar to a Deployment by the component', () => {
    const { served } = neighbours();
    const expected = templates(served)[0]?.template.spec.initContainers;
    const [deployment] = build('overlays/sidecar-example').filter(({ kind }) => kind === 'Deployment');
    const [container] = templates([deployment!])[0]?.template.spec.initContainers ?? [];
    expect(container).toMatchObject({ name: 'mlmon-sidecar', restartPolicy: 'Always' });
    expect(container?.securityContext).toEqual(expected?.[0]?.securityContext);
  });
});
