/** Charts that together use everything: what checks of manifests look at. */
import { ApiObject, Chart, Testing } from 'cdk8s';
import {
  addSidecar,
  Channel,
  Grafana,
  Log,
  type ModelMonitoringChartProps,
  Monitor,
  Peer,
  Scaling,
  Store,
  StrimziKafka,
  Watching,
} from '../../lib/kubernetes/index.ts';
import { CHURN, type K8sObject, MINIMAL, objectsOf } from './objects.ts';

const key = (secret: string, name: string): { secret: string; key: string } => ({ secret, key: name });

/** Everything that can be said, said. */
export const FULL: ModelMonitoringChartProps = {
  name: 'watch',
  namespace: 'models',
  image: `registry.example.com/mlmon@sha256:${'0'.repeat(64)}`,
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: ['registry'],
  log: Log.kafka({
    brokers: ['kafka-0.kafka:9093', 'kafka-1.kafka:9094'],
    topic: 'events',
    group: 'watch',
    partitions: 12,
    tls: { ca: key('kafka', 'ca.crt') },
    sasl: { mechanism: 'scram-sha-512', username: key('kafka', 'user'), password: key('kafka', 'password') },
    peers: [Peer.namespace('kafka')],
  }),
  store: Store.s3({
    bucket: 'models',
    prefix: 'monitoring/',
    region: 'eu-central-1',
    endpoint: 'https://minio.storage.svc:9000',
    ca: key('storage', 'ca.crt'),
    accessKeyId: key('storage', 'id'),
    secretAccessKey: key('storage', 'secret'),
    peers: [Peer.namespace('storage', { podLabels: { app: 'minio' } })],
  }),
  monitors: [CHURN],
  owner: 'platform',
  tokens: key('tokens', 'lines'),
  policyKey: key('policy', 'key'),
  channels: [
    Channel.slack(key('chat', 'slack')),
    Channel.webhook(key('hook', 'url'), {
      name: 'ticketing',
      signingKey: key('hook', 'key'),
      port: 8443,
      peers: [Peer.addresses('10.1.0.0/16')],
    }),
  ],
  routes: [{ match: { severity: 'critical' }, channels: ['slack', 'ticketing'] }],
  mutes: [{ match: { model: 'churn', signal: 'volume' }, until: '2026-12-27T00:00:00Z', reason: 'holidays' }],
  watching: Watching.operator({ labels: { release: 'prometheus' }, by: 'services' }),
  grafana: Grafana.sidecar({ annotations: { folder: 'Models' } }),
  retention: { events: '400d', failed: '7d' },
  links: {
    page: 'https://mlmon.example.com/',
    runbook: 'https://docs.example.com/runbook',
    dashboards: 'https://grafana.example.com/',
  },
  hostNames: ['events.example.com'],
  collectors: Scaling.fixed(3),
  profilers: Scaling.lag({ minimum: 2, lagPerReplica: 5_000 }),
  resources: { labeler: { memory: '2Gi' } },
  limits: 'memory-and-cpu',
  priorityClassName: 'important',
  serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/mlmon' },
  clients: [Peer.namespace('serving')],
  scrapers: [Peer.namespace('observability')],
  dns: [Peer.addresses('169.254.20.10/32')],
};

/** The edges of what charts take: whatever our rules let through an API server must take, without a warning. */
export const EDGES: Readonly<Record<string, Partial<ModelMonitoringChartProps>>> = {
  'the longest names': {
    name: `m${'o'.repeat(39)}`,
    namespace: 'n'.repeat(63),
    monitors: [Monitor.of({ model: 'x'.repeat(63), features: { f: { type: 'numeric' } } })],
    channels: [Channel.slack(key('s'.repeat(63), 'k'.repeat(253)), { name: '-'.repeat(40) })],
  },
  images: { image: 'Registry.example.com:5000/a__b/c-d.e:V1_2', imagePullSecrets: ['a.b', 'c'] },
  'a tag and a digest': { image: `localhost/x:1@sha256:${'a'.repeat(64)}` },
  quantities: {
    limits: 'memory-and-cpu',
    resources: {
      collector: { cpu: '0.3', memory: '1.5Gi', temporary: '1048576' },
      page: { cpu: '1m', memory: '64Mi', temporary: '1Mi' },
      notifier: { cpu: '1.0005', memory: '100000k', temporary: '5M' },
    },
  },
  labels: {
    watching: Watching.operator({ labels: { 'a.b/c': '0', 'x_y.z': 'A-b_c.9', Release: '1' }, by: 'services' }),
    grafana: Grafana.sidecar({ labels: { grafana_dashboard: 'A_b.1' }, annotations: { 'a.b/c': '/tmp/Modèles\n' } }),
    serviceAccountAnnotations: { 'iam.gke.io/gcp-service-account': 'a@b' },
  },
  peers: {
    clients: [
      Peer.addresses('10.0.0.0/8', { except: ['10.1.0.0/16'] }),
      Peer.addresses('fd00::/8', { except: ['fd00:1::/32'] }),
      Peer.addresses('::/0'),
      Peer.cluster({ podLabels: { app: '', 'a.b/c': 'X' } }),
      Peer.namespace('x'.repeat(63), { namespaceLabels: { team: 'a_b' } }),
    ],
    dns: [Peer.addresses('0.0.0.0/0')],
    scrapers: [Peer.anywhere()],
  },
  'a log and a store with credentials': {
    log: Log.kafka({
      brokers: ['[::1]:1', 'k.example:65535'],
      topic: 'A._-b',
      group: 'G.x',
      tls: { ca: key('k8.s', 'ca.crt'), certificate: key('k8.s', 'user.crt'), key: key('k8.s', 'user.key') },
      sasl: { mechanism: 'plain', username: key('k8.s', '.a..b_'), password: key('p', 'P') },
    }),
    profilers: Scaling.lag({ minimum: 9, lagPerReplica: 1 }),
    store: Store.s3({
      bucket: 'a.b-c',
      endpoint: 'https://[::1]:9000',
      ca: key('k8.s', 's3.crt'),
      region: 'RegionOne',
    }),
  },
  'one of everything': {
    collectors: Scaling.cpu({ minimum: 1, maximum: 1, utilisation: 500 }),
    hostNames: ['a.b', '1.2.3.4'],
    channels: [
      Channel.alertmanager(['http://a:9093', 'https://b'], { labels: { _x: 'y' } }),
      Channel.webhook(key('h', 'url'), { port: 65_535 }),
    ],
    retention: { events: '1ms' },
  },
};

/** A model server beside the platform, with the sidecar; KServe's service with it; Kafka by Strimzi. */
export function neighbours(): { readonly served: K8sObject[]; readonly kafka: K8sObject[] } {
  const app = Testing.app();
  const chart = new Chart(app, 'serving', { namespace: 'serving', disableResourceNameHashes: true });
  const container = {
    name: 'model',
    image: 'registry.example.com/model:1',
    imagePullPolicy: 'Always',
    ports: [{ containerPort: 8080, name: 'http' }],
    resources: {
      requests: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' },
      limits: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' },
    },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
    livenessProbe: { httpGet: { path: '/live', port: 'http' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 20_000,
      runAsGroup: 20_000,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
  const deployment = new ApiObject(chart, 'model', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'model' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'model' } },
      template: {
        metadata: { labels: { app: 'model' } },
        spec: { automountServiceAccountToken: false, containers: [container] },
      },
    },
  });
  addSidecar(deployment, {
    collector: 'http://mlmon-collector.ml-monitoring:8080',
    monitors: [CHURN],
    token: key('mlmon-sender', 'token'),
    proxyTo: 8080,
  });
  const service = new ApiObject(chart, 'kserve', {
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name: 'churn' },
    spec: { predictor: { model: { modelFormat: { name: 'sklearn' }, storageUri: 's3://models/churn' } } },
  });
  addSidecar(service, {
    name: 'churn-sidecar',
    collector: 'http://mlmon-collector.ml-monitoring:8080',
    monitors: [CHURN],
    kserveLogger: true,
  });
  const strimzi = new Chart(app, 'kafka', { disableResourceNameHashes: true });
  new StrimziKafka(strimzi, 'kafka');
  return { served: Testing.synth(chart) as K8sObject[], kafka: Testing.synth(strimzi) as K8sObject[] };
}

export const CHARTS: Readonly<Record<string, () => K8sObject[]>> = {
  minimal: () => objectsOf(),
  full: () => objectsOf(FULL),
  'without operators': () => objectsOf({ ...MINIMAL, watching: Watching.files(), createNamespace: true }),
  'routed alerts': () =>
    objectsOf({
      watching: Watching.operator({
        receivers: {
          receivers: [
            { type: 'slack', name: 'room', url: key('chat', 'slack') },
            { type: 'pagerduty', name: 'pager', routingKey: key('chat', 'pagerduty') },
            { type: 'teams', name: 'teams', url: key('chat', 'teams') },
            { type: 'opsgenie', name: 'ops', key: key('chat', 'opsgenie') },
            { type: 'webhook', name: 'hook', url: key('chat', 'hook') },
          ],
        },
      }),
    }),
  'a model server with the sidecar': () => neighbours().served,
};
