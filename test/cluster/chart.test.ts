/** The chart in a real control plane: applied strictly, admitted as restricted, rolled out, changed, removed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Log, Scaling, Store, Watching } from '../../lib/kubernetes/index.ts';
import { EDGES, FULL, neighbours } from '../kubernetes/charts.ts';
import { CHURN, type K8sObject, objectsOf } from '../kubernetes/objects.ts';
import { CHECKOUT, eventually } from '../real/programs.ts';
import { type Answer, ControlPlane } from './control-plane.ts';

let plane: ControlPlane;

beforeAll(async () => {
  const { status, stderr } = spawnSync('bash', [join(CHECKOUT, 'scripts/cluster.sh')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`scripts/cluster.sh failed:\n${stderr}`);
  plane = await ControlPlane.start();
}, 3_600_000);
afterAll(() => plane?.stop());

const NAMESPACE = 'ml-monitoring';
const restricted = (name: string): unknown => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' },
  },
});
const said = ({ code, err }: Answer): unknown => [code, err];
const PARTS = ['archiver', 'collector', 'evaluator', 'labeler', 'notifier', 'page', 'profiler'];

async function rolledOut(namespace: string, name: string): Promise<unknown> {
  return said(await plane.kubectl(['-n', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=60s']));
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: { readonly readyReplicas?: number; readonly observedGeneration: number };
}

describe.sequential('the chart', () => {
  const props = {
    createNamespace: true,
    image: 'registry.example.com/mlmon:1',
    log: Log.kafka({ brokers: ['kafka.kafka:9092'] }),
    store: Store.s3({ bucket: 'ml-monitoring' }),
    monitors: [CHURN],
    collectors: Scaling.cpu({ minimum: 2 }),
    profilers: Scaling.fixed(2),
    watching: Watching.operator({ labels: { release: 'prometheus' } }),
  };
  const objects = objectsOf(props);

  it('is applied strictly, without a warning', async () => {
    expect(said(await plane.apply(objects))).toEqual([0, '']);
  });

  it('rolls out in a namespace that enforces "restricted"', async () => {
    for (const part of PARTS) expect([part, await rolledOut(NAMESPACE, `mlmon-${part}`)]).toEqual([part, [0, '']]);
    const { out } = await plane.kubectl(['-n', NAMESPACE, 'get', 'pods', '-o', 'jsonpath={.items[*].status.phase}']);
    // The autoscaler has no metrics here, so that collectors stay at one until somebody sets them.
    expect(new Set(out.split(' '))).toEqual(new Set(['Running']));
    expect((await plane.get<Deployment>('deployment', 'mlmon-profiler', NAMESPACE)).status.readyReplicas).toBe(2);
    const namespace = await plane.kubectl(['get', 'namespace', NAMESPACE, '-o', 'jsonpath={.metadata.labels}']);
    expect(namespace.out).toContain('"pod-security.kubernetes.io/enforce":"restricted"');
  });

  it('has Services with endpoints behind them', async () => {
    for (const [name, least] of [
      ['mlmon-collector', 1],
      ['mlmon-page', 1],
      ['mlmon-operations', 8],
    ] as const) {
      const slices = await eventually(
        () =>
          plane.kubectl([
            '-n',
            NAMESPACE,
            'get',
            'endpointslices',
            '-l',
            `kubernetes.io/service-name=${name}`,
            '-o',
            'jsonpath={.items[*].endpoints[*].targetRef.name}',
          ]),
        ({ out }) => out.split(' ').length >= least,
      );
      expect(slices.out).toMatch(/^mlmon-/);
    }
  });

  it('is a namespace in which a weaker pod is refused', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'weak', namespace: NAMESPACE },
      spec: { containers: [{ name: 'a', image: 'a:1' }] },
    };
    const { code, err } = await plane.apply([pod]);
    expect(code).not.toBe(0);
    expect(err).toContain('violates PodSecurity "restricted');
  });

  it('would be refused with a field that is spelt wrong', async () => {
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as K8sObject;
    const { code, err } = await plane.apply([
      { ...deployment, spec: { ...deployment.spec, revisionHistoryLimitt: 1 } },
    ]);
    expect(code).not.toBe(0);
    expect(err).toContain('revisionHistoryLimitt');
  });

  it('is upgraded in place: a changed configuration rolls out, selectors stay', async () => {
    const before = await plane.get<Deployment>('deployment', 'mlmon-profiler', NAMESPACE);
    const again = await plane.apply(objects);
    expect(said(again)).toEqual([0, '']);
    expect((await plane.get<Deployment>('deployment', 'mlmon-profiler', NAMESPACE)).metadata.generation).toBe(
      before.metadata.generation,
    );
    const upgraded = objectsOf({
      ...props,
      image: 'registry.example.com/mlmon:2',
      store: Store.s3({ bucket: 'another' }),
      profilers: Scaling.fixed(3),
    });
    expect(said(await plane.apply(upgraded))).toEqual([0, '']);
    for (const part of PARTS) expect([part, await rolledOut(NAMESPACE, `mlmon-${part}`)]).toEqual([part, [0, '']]);
    const after = await plane.get<Deployment>('deployment', 'mlmon-profiler', NAMESPACE);
    expect(after.status.readyReplicas).toBe(3);
    const images = await eventually(
      () => plane.kubectl(['-n', NAMESPACE, 'get', 'pods', '-o', 'jsonpath={.items[*].spec.containers[*].image}']),
      ({ out }) => !out.includes('mlmon:1'),
    );
    expect(new Set(images.out.split(' '))).toEqual(new Set(['registry.example.com/mlmon:2']));
  });

  it('is removed whole', async () => {
    const file = join(plane.folder, 'objects.yaml');
    await plane.apply(objects.filter(({ kind }) => kind !== 'Namespace'));
    expect(said(await plane.kubectl(['delete', '-f', file, '--wait=true', '--timeout=90s']))).toEqual([0, '']);
    const left = await eventually(
      () =>
        plane.kubectl([
          '-n',
          NAMESPACE,
          'get',
          'pods,deployments,services,networkpolicies,podmonitors,prometheusrules,poddisruptionbudgets,horizontalpodautoscalers',
          '-o',
          'name',
        ]),
      ({ out }) => out.trim() === '',
    );
    expect(left.out.trim()).toBe('');
  });
});

describe.sequential('a chart with everything said', () => {
  it('is applied with KEDA and Prometheus Operator, and rolls out', async () => {
    expect(
      said(
        await plane.apply([
          restricted('models'),
          { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'important' }, value: 1000 },
        ]),
      ),
    ).toEqual([0, '']);
    expect(said(await plane.apply(objectsOf(FULL)))).toEqual([0, '']);
    for (const part of PARTS) expect([part, await rolledOut('models', `watch-${part}`)]).toEqual([part, [0, '']]);
    const scaled = await plane.get<{ spec: { maxReplicaCount: number } }>('scaledobject', 'watch-profiler', 'models');
    expect(scaled.spec.maxReplicaCount).toBe(12);
  });
});

describe.sequential('the edges of what charts take', () => {
  it.each(
    Object.entries(EDGES).map(([name, props], at) => ({ name, props, namespace: props.namespace ?? `edge-${at}` })),
  )('are taken by the API server without a warning: $name', async ({ props, namespace }) => {
    expect(said(await plane.apply(objectsOf({ ...props, namespace, createNamespace: true })))).toEqual([0, '']);
  });
});

describe.sequential('a model server with the sidecar', () => {
  it('is admitted as restricted and runs with a native sidecar; KServe takes its service', async () => {
    expect(said(await plane.apply([restricted('serving')]))).toEqual([0, '']);
    expect(said(await plane.apply(neighbours().served))).toEqual([0, '']);
    expect(await rolledOut('serving', 'model')).toEqual([0, '']);
    const { out } = await plane.kubectl([
      '-n',
      'serving',
      'get',
      'pods',
      '-o',
      'jsonpath={.items[*].spec.initContainers[*].restartPolicy}',
    ]);
    expect(out).toBe('Always');
    const service = await plane.get<{ spec: { predictor: { logger: { url: string } } } }>(
      'inferenceservice',
      'churn',
      'serving',
    );
    expect(service.spec.predictor.logger.url).toBe('http://127.0.0.1:8091/v1/kserve');
  });
});
