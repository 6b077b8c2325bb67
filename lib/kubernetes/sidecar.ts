/**
 * The sidecar beside a model server: into any pod of cdk8s or cdk8s-plus, into a raw pod template, or as a patch for Kustomize. It runs as a
 * native sidecar (an init container that stays), so that it outlives the model while both end.
 */
import { ApiObject, Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { stringify } from 'yaml';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { ROLE_PORTS } from '../contracts/roles.ts';
import { type ContainerResources, DEFAULT_IMAGE, DEFAULT_RESOURCES, PATHS, USER } from './defaults.ts';
import { hardenedContainer, type Limits, secretVolumes } from './hardened-pod.ts';
import type { Monitor } from './monitor.ts';
import { imageProblems, isWebAddress, sizeProblems } from './object-rules.ts';
import { canonicalJson, digest } from './platform.ts';
import { type SecretKey, secretFile, secretProblems } from './secret-key.ts';

export interface SidecarProps {
  /** Address of the collector: `chart.collector.url`. */
  readonly collector: string;
  /** Monitors of the models that the pod serves. */
  readonly monitors: readonly Monitor[];
  /** A token with the scopes events:write and labels:write, alone; in the namespace of the pod. @default none: the collector takes events without */
  readonly token?: SecretKey;
  /** Port of the model server in the pod, where requests go through the sidecar. @default nothing is proxied: the app or KServe's logger posts */
  readonly proxyTo?: number;
  /** What names of its objects begin with. @default 'mlmon-sidecar' */
  readonly name?: string;
  /** With a tag or a digest. @default 'ml-monitoring-constructs:<version of this package>' */
  readonly image?: string;
  /** @default 'Always' */
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent';
  /** Where the app posts, on the address of the pod itself. @default 8091: model servers like to have 8080 */
  readonly port?: number;
  /** Of `/metrics`. @default 9464 */
  readonly operationsPort?: number;
  /** Room for events that the collector cannot take now, in bytes; what comes beyond is counted and left out. @default 1 GiB */
  readonly spoolBytes?: number;
  /** Kubernetes 1.29 or newer ends the sidecar after the model. `false`: an ordinary container. @default true */
  readonly native?: boolean;
  /** @default those of `DEFAULT_RESOURCES.sidecar` */
  readonly resources?: Partial<ContainerResources>;
  /** @default 'memory' */
  readonly limits?: Limits;
  /** Where KServe serves: its logger posts to the sidecar. For an InferenceService alone. @default false */
  readonly kserveLogger?: boolean;
}

/** Where the app posts to it. */
export const SIDECAR_PORT = 8_091;
/** What its pods carry, so that they are scraped. */
export const SIDECAR_LABEL = 'mlmon/sidecar';
const SPOOL_BYTES = 1_073_741_824;

/**
 * Adds the sidecar to a workload: a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod or InferenceService, made by cdk8s, by any
 * cdk8s-plus, or as a raw ApiObject. Its ConfigMaps are made in the chart and the namespace of the workload; what several workloads of a chart need
 * alike is made once.
 * @throws ProblemError where the object has no pod, the props are wrong, or another sidecar of this name has another configuration
 */
export function addSidecar(workload: IConstruct, props: SidecarProps): void {
  const object = ApiObject.isApiObject(workload) ? workload : ApiObject.of(workload);
  const path = podPath(object.kind);
  if (path === undefined)
    throw new ProblemError([
      {
        code: 'sidecar',
        path: object.kind,
        message: 'has no pod',
        expected: `one of ${Object.keys(POD_PATHS).join(', ')}`,
      },
    ]);
  const parts = sidecarParts(props);
  const namespace = object.metadata.namespace ?? Chart.of(object).namespace;
  const scope = object.node.scope ?? Chart.of(object);
  for (const { name, data } of newMaps(object, namespace, parts.configMaps))
    new k8s.KubeConfigMap(scope, `${object.node.id}-${name}`, {
      metadata: {
        name,
        labels: { 'app.kubernetes.io/part-of': 'ml-monitoring' },
        ...(namespace === undefined ? {} : { namespace }),
      },
      data: { ...data },
    });
  // Whatever is added to the workload after this call must not be lost, and a patch of JSON cannot say "append, or begin a list".
  const before = object.toJson.bind(object);
  object.toJson = () => merged(before() as Json, path, parts);
}

/** Those that the chart does not have yet. Two of one name would be one in the cluster: the last one, for all pods. */
function newMaps(
  object: ApiObject,
  namespace: string | undefined,
  configMaps: SidecarResult['configMaps'],
): SidecarResult['configMaps'] {
  const chart = Chart.of(object);
  const others = object.node.root.node
    .findAll()
    .filter((one) => ApiObject.isApiObject(one))
    .filter(({ kind, chart: its, metadata }) => {
      const there = metadata.namespace ?? its.namespace;
      // Where nobody names a namespace, two charts may go to two of them.
      return kind === 'ConfigMap' && there === namespace && (its === chart || there !== undefined);
    });
  return configMaps.filter(({ name, data }) => {
    const same = others.find((one) => one.name === name);
    if (same === undefined) return true;
    if (same.chart === chart && canonicalJson(same.toJson().data ?? {}) === canonicalJson(data)) return false;
    throw new ProblemError([
      {
        code: 'sidecar',
        path: 'name',
        message: `two objects would be called ConfigMap/${name}`,
        got: shown(namespace ?? 'the namespace of the chart'),
        expected: 'a name of its own for each sidecar of a namespace whose configuration differs',
        fix: `give this one a \`name\`, for example ${object.name}-sidecar`,
      },
    ]);
  });
}

/** The same for a raw pod template (`metadata` and `spec`), with the ConfigMaps to be made beside it. The template is not changed. */
export function withSidecar(template: Readonly<Record<string, unknown>>, props: SidecarProps): SidecarResult {
  const parts = sidecarParts(props);
  return {
    template: merged(structuredClone(template) as Json, { pod: ['spec'], metadata: ['metadata'] }, parts),
    configMaps: parts.configMaps,
  };
}

export interface SidecarResult {
  readonly template: Readonly<Record<string, unknown>>;
  readonly configMaps: readonly { readonly name: string; readonly data: Readonly<Record<string, string>> }[];
}

/** A patch for Kustomize and the ConfigMaps that it refers to, as YAML, for those who write no TypeScript. */
export function sidecarPatch(
  props: SidecarProps,
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' = 'Deployment',
): { readonly patch: string; readonly configMaps: string } {
  const { template, configMaps } = withSidecar({}, props);
  return {
    patch: stringify(
      // The name is that of the target: Kustomize puts it in.
      { apiVersion: 'apps/v1', kind, metadata: { name: 'any' }, spec: { template } },
      // As Kustomize reads it.
      { version: '1.1', lineWidth: 0 },
    ),
    configMaps: configMaps
      .map(({ name, data }) =>
        stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }, { version: '1.1', lineWidth: 0 }),
      )
      .join('---\n'),
  };
}

type Json = Record<string, unknown>;

interface PodPath {
  readonly pod: readonly string[];
  /** Where labels and annotations of the pods stand. */
  readonly metadata: readonly string[];
}

const TEMPLATE: PodPath = { pod: ['spec', 'template', 'spec'], metadata: ['spec', 'template', 'metadata'] };
const POD_PATHS: Readonly<Record<string, PodPath>> = {
  Deployment: TEMPLATE,
  StatefulSet: TEMPLATE,
  DaemonSet: TEMPLATE,
  ReplicaSet: TEMPLATE,
  Job: TEMPLATE,
  CronJob: {
    pod: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
    metadata: ['spec', 'jobTemplate', 'spec', 'template', 'metadata'],
  },
  Pod: { pod: ['spec'], metadata: ['metadata'] },
  InferenceService: { pod: ['spec', 'predictor'], metadata: ['spec', 'predictor'] },
};

function podPath(kind: string): PodPath | undefined {
  return Object.hasOwn(POD_PATHS, kind) ? POD_PATHS[kind] : undefined;
}

interface SidecarParts {
  readonly container: Json;
  readonly volumes: readonly Json[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly configMaps: SidecarResult['configMaps'];
  readonly native: boolean;
  readonly logger: string | null;
}

function sidecarParts(props: SidecarProps): SidecarParts {
  const problems = sidecarProblems(props);
  if (problems.length > 0) throw new ProblemError(problems);
  const {
    name = 'mlmon-sidecar',
    monitors,
    native = true,
    port = SIDECAR_PORT,
    operationsPort = ROLE_PORTS.operations,
    spoolBytes = SPOOL_BYTES,
  } = props;
  const resources = { ...DEFAULT_RESOURCES.sidecar, ...props.resources };
  const run = canonicalJson({
    schema: 'mlmon.run/v1',
    http: { host: '127.0.0.1', port },
    operations: { host: '0.0.0.0', port: operationsPort },
    monitors: { folder: PATHS.monitors },
    sidecar: {
      collector: {
        url: props.collector,
        ...(props.token === undefined ? {} : { tokenFile: secretFile(props.token) }),
      },
      ...(props.proxyTo === undefined
        ? {}
        : { proxy: { host: '0.0.0.0', port: ROLE_PORTS.proxy, upstream: `127.0.0.1:${props.proxyTo}` } }),
      spool: { folder: PATHS.spool, diskBytes: spoolBytes },
    },
  });
  const secrets = secretVolumes(props.token === undefined ? [] : [props.token]);
  const configMaps = [
    { name: `${name}-run`, data: { 'run.yaml': run } },
    ...monitors.map(({ model, files }) => ({ name: `${name}-monitor-${model}`, data: files })),
  ];
  // Names of volumes and mounts of its own: those of the pod stay as they are.
  const prefixed = (volume: string): string => `mlmon-${volume}`;
  const container = hardenedContainer({
    name: 'mlmon-sidecar',
    image: props.image ?? DEFAULT_IMAGE,
    imagePullPolicy: props.imagePullPolicy ?? 'Always',
    args: ['run', '--roles', 'sidecar', '--config', PATHS.run],
    ports: { operations: operationsPort, ...(props.proxyTo === undefined ? {} : { 'mlmon-proxy': ROLE_PORTS.proxy }) },
    resources,
    limits: props.limits ?? 'memory',
    mounts: [
      { name: 'run', mountPath: PATHS.run, subPath: 'run.yaml', readOnly: true },
      { name: 'monitors', mountPath: PATHS.monitors, readOnly: true },
      { name: 'spool', mountPath: PATHS.spool },
      ...secrets.mounts,
    ],
  });
  const volumes: k8s.Volume[] = [
    { name: 'tmp', emptyDir: { sizeLimit: k8s.Quantity.fromString(resources.temporary) } },
    { name: 'run', configMap: { name: `${name}-run` } },
    {
      name: 'monitors',
      projected: {
        sources: monitors.map(({ model, files }) => ({
          configMap: { name: `${name}-monitor-${model}`, items: Object.keys(files).map((key) => ({ key, path: key })) },
        })),
      },
    },
    // Beyond the events a little room for the segment that is being written.
    { name: 'spool', emptyDir: { sizeLimit: k8s.Quantity.fromString(`${Math.ceil(spoolBytes / 1_048_576) + 64}Mi`) } },
    ...secrets.volumes,
  ];
  const plain = k8s.KubePod.manifest({
    spec: {
      containers: [
        {
          ...container,
          ...(native ? { restartPolicy: 'Always' } : {}),
          volumeMounts: (container.volumeMounts ?? []).map((mount) => ({ ...mount, name: prefixed(mount.name) })),
        },
      ],
      volumes: volumes.map((volume) => ({ ...volume, name: prefixed(volume.name) })),
    },
  }) as { readonly spec: { readonly containers: readonly Json[]; readonly volumes: readonly Json[] } };
  return {
    container: plain.spec.containers[0] as Json,
    volumes: plain.spec.volumes,
    labels: { [SIDECAR_LABEL]: name },
    annotations: { 'mlmon/sidecar-run': digestOf(run, monitors) },
    configMaps,
    native,
    logger: props.kserveLogger === true ? `http://127.0.0.1:${port}/v1/kserve` : null,
  };
}

/** Of what it reads when it starts; the Helm chart makes the same. */
function digestOf(run: string, monitors: readonly Monitor[]): string {
  const byModel = [...monitors].sort((a, b) => (a.model < b.model ? -1 : 1));
  const files = byModel.flatMap(({ files: all }) =>
    Object.keys(all)
      .sort()
      .map((name) => digest(all[name] ?? '')),
  );
  return digest([digest(run), ...files].join(''));
}

function merged(manifest: Json, path: PodPath, parts: SidecarParts): Json {
  const pod = at(manifest, path.pod);
  const list = parts.native ? 'initContainers' : 'containers';
  const others = (pod[list] ?? []) as readonly Json[];
  // First, so that init containers after it already have it; twice is once.
  pod[list] = parts.native
    ? [parts.container, ...others.filter(({ name }) => name !== 'mlmon-sidecar')]
    : [...others.filter(({ name }) => name !== 'mlmon-sidecar'), parts.container];
  const ours = new Set(parts.volumes.map(({ name }) => name));
  pod['volumes'] = [
    ...((pod['volumes'] ?? []) as readonly Json[]).filter(({ name }) => !ours.has(name)),
    ...parts.volumes,
  ];
  // Its files belong to a group, where the pod has not chosen one.
  const context = (pod['securityContext'] ?? {}) as Json;
  pod['securityContext'] = { fsGroup: USER, ...context };
  const metadata = at(manifest, path.metadata);
  metadata['labels'] = { ...(metadata['labels'] as object | undefined), ...parts.labels };
  metadata['annotations'] = { ...(metadata['annotations'] as object | undefined), ...parts.annotations };
  if (parts.logger !== null) pod['logger'] = { mode: 'all', url: parts.logger };
  return manifest;
}

function at(manifest: Json, path: readonly string[]): Json {
  return path.reduce<Json>((inner, key) => {
    inner[key] ??= {};
    return inner[key] as Json;
  }, manifest);
}

function sidecarProblems(props: SidecarProps): Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, message: string, got: unknown, expected: string): void => {
    problems.push({ code: 'sidecar', path, message, got: shown(got), expected });
  };
  if (!isWebAddress(props.collector) || /[?#]/.test(props.collector))
    // A token may stand where none belongs.
    refuse(
      'collector',
      'is no address',
      props.collector.replace(/\/\/[^/@]*@/, '//…@').replace(/[?#].*/s, '…'),
      'http://mlmon-collector.<namespace>:8080',
    );
  if (props.monitors.length === 0) refuse('monitors', 'has none', [], 'a monitor for each model that the pod serves');
  if (props.image !== undefined) problems.push(...imageProblems(props.image));
  problems.push(...sizeProblems('resources', props.resources ?? {}));
  if (props.token !== undefined) problems.push(...secretProblems('token', props.token));
  const models = props.monitors.map(({ model }) => model);
  for (const model of new Set(models.filter((one, at) => models.indexOf(one) !== at)))
    refuse('monitors', 'has two monitors of one model', model, 'one monitor a model');
  const ports = { port: props.port, operationsPort: props.operationsPort, proxyTo: props.proxyTo };
  for (const [path, port] of Object.entries(ports))
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
      refuse(path, 'is no port', port, 'a whole number from 1 to 65535');
  if (props.proxyTo === ROLE_PORTS.proxy)
    refuse('proxyTo', 'is the port of the proxy itself', props.proxyTo, 'the port of the model server');
  // A pod has one address: each port of it is one listener's.
  const listeners = Object.entries({
    port: props.port ?? SIDECAR_PORT,
    operationsPort: props.operationsPort ?? ROLE_PORTS.operations,
    ...(props.proxyTo === undefined ? {} : { proxyTo: props.proxyTo }),
  });
  for (const [at, [path, port]] of listeners.entries()) {
    const [first] = listeners.slice(0, at).filter(([, other]) => other === port);
    if (first !== undefined) refuse(path, `is the port of ${first[0]} too`, port, 'a port of its own');
    if (props.proxyTo !== undefined && path !== 'proxyTo' && port === ROLE_PORTS.proxy)
      refuse(path, 'is the port of the proxy', port, 'a port of its own');
  }
  if (props.spoolBytes !== undefined && !(Number.isInteger(props.spoolBytes) && props.spoolBytes >= 8_388_608))
    refuse('spoolBytes', 'is no size of a spool', props.spoolBytes, 'at least 8388608 bytes');
  if (props.name !== undefined && !/^[a-z]([-a-z0-9]{0,39}[a-z0-9])?$/.test(props.name))
    refuse('name', 'cannot begin names of objects', props.name, 'lower-case letters, digits and hyphens, at most 41');
  return problems;
}
