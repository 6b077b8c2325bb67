/** The sidecar in pods of every kind, beside what the pod has already. */
import { ApiObject, Chart, Testing } from 'cdk8s';
import { Deployment, StatefulSet } from 'cdk8s-plus-28';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { runConfigSchema } from '../../lib/contracts/roles.ts';
import {
  addPayloadLogger,
  addSidecar,
  type SidecarProps,
  sidecarPatch,
  withSidecar,
} from '../../lib/kubernetes/index.ts';
import { hardeningViolations, namingViolations, references, restrictedViolations } from './assertions.ts';
import { neighbours } from './charts.ts';
import { CHURN, type Json, type K8sObject, one, templates } from './objects.ts';

const PROPS: SidecarProps = {
  collector: 'http://mlmon-collector.ml-monitoring:8080',
  monitors: [CHURN],
  proxyTo: 8080,
};

function chart(): Chart {
  return new Chart(Testing.app(), 'serving', { namespace: 'serving', disableResourceNameHashes: true });
}

describe('addSidecar', () => {
  it('adds a hardened native sidecar to a workload of cdk8s-plus, and its ConfigMaps to the namespace', () => {
    const serving = chart();
    const deployment = new Deployment(serving, 'model', { containers: [{ image: 'model:1', portNumber: 8080 }] });
    addSidecar(deployment, PROPS);
    // What is added after the call is not lost.
    deployment.addInitContainer({ image: 'fetch:1', name: 'fetch' });
    const objects = Testing.synth(serving) as K8sObject[];
    const { template } = templates(objects)[0]!;
    expect(template.spec.initContainers?.map(({ name }) => name)).toEqual(['mlmon-sidecar', 'fetch']);
    const [sidecar] = template.spec.initContainers!;
    expect(sidecar).toMatchObject({
      restartPolicy: 'Always',
      args: ['run', '--roles', 'sidecar', '--config', '/etc/mlmon/run.yaml'],
    });
    const alone = {
      ...template.spec,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      serviceAccountName: 'model',
      terminationGracePeriodSeconds: 60,
      containers: [sidecar!],
      initContainers: [],
      volumes: template.spec.volumes?.filter(({ name }) => String(name).startsWith('mlmon-')) ?? [],
    };
    expect([...restrictedViolations(alone), ...hardeningViolations(alone)]).toEqual([]);
    expect(template.metadata.labels).toMatchObject({ 'mlmon/sidecar': 'mlmon-sidecar' });
    expect(references(objects).missing.filter((text) => !text.includes('ServiceAccount'))).toEqual([]);
  });

  it('takes StatefulSets, raw objects and services of KServe, and refuses what has no pod', () => {
    const serving = chart();
    const set = new StatefulSet(serving, 'set', { containers: [{ image: 'model:1', portNumber: 8080 }] });
    addSidecar(set, { ...PROPS, native: false });
    const { template } = templates(Testing.synth(serving) as K8sObject[])[0]!;
    expect(template.spec.containers.map(({ name }) => name)).toEqual(['main', 'mlmon-sidecar']);
    expect(template.spec.containers[1]).not.toHaveProperty('restartPolicy');

    const service = one(neighbours().served, 'InferenceService', 'churn').spec as { predictor: Json };
    expect(service.predictor).toMatchObject({
      logger: { mode: 'all', url: 'http://127.0.0.1:8091/v1/kserve' },
      model: { storageUri: 's3://models/churn' },
      labels: { 'mlmon/sidecar': 'churn-sidecar' },
    });
    const map = new ApiObject(serving, 'map', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map' } });
    expect(() => addSidecar(map, PROPS)).toThrow(ProblemError);
  });

  it('makes once what workloads of a chart need alike, and refuses a name with another configuration', () => {
    const serving = chart();
    const deployment = (id: string): Deployment =>
      new Deployment(serving, id, { containers: [{ image: 'model:1', portNumber: 8080 }] });
    addSidecar(deployment('one'), PROPS);
    addSidecar(deployment('two'), PROPS);
    const third = deployment('three');
    expect(() => addSidecar(third, { ...PROPS, proxyTo: 8081 })).toThrow(/ConfigMap\/mlmon-sidecar-run.*three-sidecar/);
    addSidecar(third, { ...PROPS, proxyTo: 8081, name: 'three-sidecar' });
    const objects = Testing.synth(serving) as K8sObject[];
    expect(namingViolations(objects)).toEqual([]);
    expect(objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name)).toEqual([
      'mlmon-sidecar-run',
      'mlmon-sidecar-monitor-churn',
      'three-sidecar-run',
      'three-sidecar-monitor-churn',
    ]);
    const otherChart = new Chart(serving.node.root, 'other', { namespace: 'serving' });
    const fourth = new Deployment(otherChart, 'four', { containers: [{ image: 'model:1', portNumber: 8080 }] });
    // Whoever deletes one chart would take the other's configuration away.
    expect(() => addSidecar(fourth, PROPS)).toThrow(ProblemError);
    const elsewhere = new Chart(serving.node.root, 'elsewhere', { namespace: 'staging' });
    const fifth = new Deployment(elsewhere, 'five', { containers: [{ image: 'model:1', portNumber: 8080 }] });
    expect(() => addSidecar(fifth, { ...PROPS, proxyTo: 8082 })).not.toThrow();
  });

  it('gives it the configuration that the role reads, with its token as a file', () => {
    const { configMaps } = withSidecar({}, { ...PROPS, token: { secret: 'sender', key: 'token' } });
    const run = runConfigSchema.parse(JSON.parse(configMaps[0]?.data['run.yaml'] ?? ''));
    expect(run.http).toMatchObject({ host: '127.0.0.1', port: 8091 });
    expect(run.sidecar).toMatchObject({
      collector: { url: PROPS.collector, tokenFile: '/var/run/secrets/mlmon/sender/token' },
      proxy: { host: '0.0.0.0', port: 8090, upstream: '127.0.0.1:8080' },
      spool: { folder: '/var/lib/mlmon/spool' },
    });
  });

  it('leaves a raw template as it was, and is the same when added twice', () => {
    const template = {
      metadata: { labels: { app: 'model' } },
      spec: { containers: [{ name: 'model' }], volumes: [{ name: 'data' }] },
    };
    const before = structuredClone(template);
    const once = withSidecar(template, PROPS).template;
    expect(template).toEqual(before);
    expect(withSidecar(once, PROPS).template).toEqual(once);
    expect(once).toMatchObject({ metadata: { labels: { app: 'model' } } });
  });

  it('is a patch for those without TypeScript', () => {
    const { patch, configMaps } = sidecarPatch(PROPS, 'StatefulSet');
    expect(parse(patch)).toMatchObject({
      kind: 'StatefulSet',
      spec: { template: { spec: { initContainers: [{ name: 'mlmon-sidecar' }] } } },
    });
    expect((parseAllDocuments(configMaps) as { toJS(): K8sObject }[]).map((one) => one.toJS().metadata.name)).toEqual([
      'mlmon-sidecar-run',
      'mlmon-sidecar-monitor-churn',
    ]);
  });

  it('says all that is wrong at once', () => {
    const wrong: SidecarProps = {
      collector: 'collector',
      monitors: [],
      proxyTo: 8090,
      port: 0,
      spoolBytes: 1,
      name: 'A',
    };
    try {
      withSidecar({}, wrong);
      expect.unreachable();
    } catch (error) {
      expect((error as ProblemError).problems.map(({ path }) => path)).toEqual([
        'collector',
        'monitors',
        'port',
        'proxyTo',
        'spoolBytes',
        'name',
      ]);
    }
  });

  it.each(['http://app:hush@collector:8080', 'http://collector:8080/?token=hush'])(
    'puts no secret of an address into objects: %s',
    (collector) => {
      try {
        withSidecar({}, { ...PROPS, collector });
        expect.unreachable();
      } catch (error) {
        expect((error as ProblemError).problems.map(({ path }) => path)).toEqual(['collector']);
        expect((error as ProblemError).message).not.toContain('hush');
      }
    },
  );

  it('shares no port, runs no image that moves, and reads one monitor a model', () => {
    const wrong: SidecarProps = {
      ...PROPS,
      monitors: [CHURN, CHURN],
      image: 'mlmon:latest',
      resources: { memory: '192' },
      token: { secret: 'A', key: 'token' },
      port: 8090,
      operationsPort: 8080,
    };
    try {
      withSidecar({}, wrong);
      expect.unreachable();
    } catch (error) {
      expect((error as ProblemError).problems.map(({ path }) => path)).toEqual([
        'image',
        'resources.memory',
        'token.secret',
        'monitors',
        'port',
        'proxyTo',
      ]);
    }
  });
});

describe('addPayloadLogger', () => {
  const service = (): ApiObject =>
    new ApiObject(chart(), 'service', {
      apiVersion: 'serving.kserve.io/v1beta1',
      kind: 'InferenceService',
      metadata: { name: 'm' },
    });

  it('points the logger at a collector', () => {
    const object = service();
    addPayloadLogger(object, { url: 'http://127.0.0.1:8091/v1/kserve', metadataHeaders: ['X-User-Id'] });
    expect(object.toJson().spec.predictor.logger).toEqual({
      mode: 'all',
      url: 'http://127.0.0.1:8091/v1/kserve',
      metadataHeaders: ['X-User-Id'],
    });
  });

  it('puts no token into an object, and no header that KServe would send empty', () => {
    expect(() => addPayloadLogger(service(), { url: 'http://c/v1/kserve/abcdefghijklmnop' })).toThrow(
      /v1\/kserve\/….*put no token/,
    );
    expect(() => addPayloadLogger(service(), { url: 'http://c/v1/kserve', metadataHeaders: ['x-user-id'] })).toThrow(
      /canonical case/,
    );
  });
});
