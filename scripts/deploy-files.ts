/** What is generated under deploy/kubernetes, by name of file. */
import { parse, parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import {
  DEFAULT_TOKENS,
  Log,
  type ModelMonitoringChartProps,
  Monitor,
  PARTS,
  Store,
  sidecarPatch,
  Watching,
} from '../lib/kubernetes/index.ts';
import { chartObjects, renderChart } from '../lib/kubernetes/render.ts';

/** What the kustomize base and the default values of the Helm chart stand for. */
export const REFERENCE: ModelMonitoringChartProps = {
  log: Log.kafka({ brokers: ['kafka-bootstrap.kafka.svc:9092'], partitions: 6 }),
  store: Store.s3({ bucket: 'ml-monitoring' }),
  monitors: [],
  tokens: DEFAULT_TOKENS,
};

export function deployFiles(): ReadonlyMap<string, string> {
  const rendered = renderChart(REFERENCE);
  return new Map([
    ...baseFiles(rendered),
    ...helmFiles(rendered),
    ['helm/values.schema.json', valuesSchema()],
    ...sidecarFiles(),
  ]);
}

interface Described {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

function documents(text: string | undefined): Described[] {
  const all = parseAllDocuments(text ?? '');
  if (!Array.isArray(all)) throw new Error('no documents');
  return all.map((document) => document.toJS() as Described);
}

function baseFiles(rendered: ReadonlyMap<string, string>): [string, string][] {
  const files: [string, string][] = [];
  const resources: string[] = [];
  let run: Described | undefined;
  for (const [file, text] of rendered) {
    const kept = documents(text).filter((object) => {
      const isRun = object.kind === 'ConfigMap' && object.metadata.name === 'mlmon-run';
      if (isRun) run = object;
      return !isRun;
    });
    if (kept.length === 0) continue;
    resources.push(file);
    files.push([`base/${file}`, kept.map((object) => stringify(object, { lineWidth: 0 })).join('---\n')]);
  }
  if (run === undefined) throw new Error('the chart has no configuration of runs');
  files.push(['base/run.yaml', stringify(parse(run.data?.['run.yaml'] ?? ''), { lineWidth: 0 })]);
  files.push([
    'base/kustomization.yaml',
    `# Made by \`node --import tsx scripts/build-deploy.ts\`; overlays change it, see ../overlays/example.\n${stringify(
      {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        namespace: 'ml-monitoring',
        resources,
        // Its name ends with a digest, so that a change of it is a rollout.
        configMapGenerator: [{ name: 'mlmon-run', files: ['run.yaml'], options: { labels: run.metadata.labels } }],
      },
      { lineWidth: 0 },
    )}`,
  ]);
  return files;
}

/** A component for Kustomize: the sidecar in every Deployment with the label `mlmon/add-sidecar`. */
function sidecarFiles(): [string, string][] {
  const { patch, configMaps } = sidecarPatch({
    collector: 'http://mlmon-collector.ml-monitoring:8080',
    // An example; overlays bring their own under the same name.
    monitors: [
      Monitor.of({ model: 'churn', features: { tenure: { type: 'numeric' }, plan: { type: 'categorical' } } }),
    ],
    token: { secret: 'mlmon-sender', key: 'token' },
    proxyTo: 8080,
  });
  return [
    ['components/sidecar/patch.yaml', patch],
    ['components/sidecar/config.yaml', configMaps],
    [
      'components/sidecar/kustomization.yaml',
      `# Made by \`node --import tsx scripts/build-deploy.ts\`.\n${stringify({
        apiVersion: 'kustomize.config.k8s.io/v1alpha1',
        kind: 'Component',
        resources: ['config.yaml'],
        patches: [{ path: 'patch.yaml', target: { kind: 'Deployment', labelSelector: 'mlmon/add-sidecar=true' } }],
      })}`,
    ],
  ];
}

function helmFiles(rendered: ReadonlyMap<string, string>): [string, string][] {
  const files = chartObjects({ ...REFERENCE, watching: Watching.files() }).find(
    ({ metadata }) => metadata.name === 'mlmon-prometheus',
  ) as Described | undefined;
  return [
    ['helm/files/alerts.yaml', files?.data?.['alerts.yaml'] ?? ''],
    ...documents(rendered.get('dashboards.yaml')).flatMap(({ data }) =>
      Object.entries(data ?? {}).map(([file, json]): [string, string] => [
        `helm/files/dashboards/${file.replace(/^mlmon-/, '')}`,
        `${json}\n`,
      ]),
    ),
  ];
}

/** What the values of the Helm chart may be. */
function valuesSchema(): string {
  const text = z.string().min(1);
  const labels = z.record(z.string(), z.string());
  const key = z.strictObject({ secret: text.max(63), key: text.max(253) });
  const peers = z.array(z.record(z.string(), z.unknown()));
  const whole = z.number().int().min(1);
  const quantity = z.string().regex(/^[0-9]+(m|[kMGTPE]i?)?$/);
  const cpu = z.strictObject({
    minimum: whole.optional(),
    maximum: whole.optional(),
    utilisation: whole.max(100).optional(),
  });
  const lag = z.strictObject({ minimum: whole.optional(), maximum: whole.optional(), lagPerReplica: whole.optional() });
  const schema = z.strictObject({
    name: z.string().regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
    image: z.strictObject({
      repository: text,
      tag: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/),
      digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
      pullPolicy: z.enum(['Always', 'IfNotPresent']),
      pullSecrets: z.array(text),
    }),
    log: z.strictObject({
      kafka: z.strictObject({
        brokers: z.array(z.string().regex(/^([^\s:]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$/)).min(1),
        topic: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
        group: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
        partitions: whole.max(10_000),
        tls: z.strictObject({ ca: key.optional(), certificate: key.optional(), key: key.optional() }).nullable(),
        sasl: z
          .strictObject({
            mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
            username: key,
            password: key,
          })
          .nullable(),
        peers,
      }),
    }),
    store: z.strictObject({
      s3: z.strictObject({
        bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
        prefix: text.nullable(),
        region: text,
        endpoint: z
          .string()
          .regex(/^https?:\/\//)
          .nullable(),
        ca: key.nullable(),
        accessKeyId: key.nullable(),
        secretAccessKey: key.nullable(),
        peers,
      }),
    }),
    monitors: z.record(z.string().regex(/^[a-z0-9-]{1,63}$/), z.record(z.string(), z.string())),
    owner: z.string().regex(/^[a-z0-9-]{1,63}$/),
    tokens: key,
    policyKey: key.nullable(),
    channels: z.array(
      z.strictObject({
        config: z.looseObject({ type: z.enum(['slack', 'teams', 'pagerduty', 'opsgenie', 'webhook', 'alertmanager']) }),
        secrets: z.array(key),
        port: whole.max(65_535).optional(),
        peers: peers.optional(),
      }),
    ),
    retention: z.strictObject({ events: text.optional(), failed: text.optional() }),
    links: z.strictObject({ page: text.optional(), runbook: text.optional(), dashboards: text.optional() }),
    hostNames: z.array(text),
    collectors: z.strictObject({ fixed: whole.nullable(), cpu: cpu.nullable() }),
    profilers: z.strictObject({ fixed: whole.nullable(), cpu: cpu.nullable(), lag: lag.nullable() }),
    resources: z.strictObject(
      Object.fromEntries(
        PARTS.map((part) => [part, z.strictObject({ cpu: quantity, memory: quantity, temporary: quantity })]),
      ),
    ),
    limits: z.enum(['memory', 'memory-and-cpu']),
    priorityClassName: text.nullable(),
    serviceAccountAnnotations: labels,
    clients: peers,
    scrapers: peers,
    dns: peers,
    watching: z.strictObject({ mode: z.enum(['operator', 'files', 'none']), labels, by: z.enum(['pods', 'services']) }),
    grafana: z.strictObject({ mode: z.enum(['sidecar', 'none']), labels, annotations: labels }),
    // What Helm itself passes to charts that others include.
    global: z.record(z.string(), z.unknown()).optional(),
  });
  // Nothing is required: Helm leaves out what is null before it checks, and has the defaults for the rest.
  const optional = (key: string, value: unknown): unknown =>
    key === 'required' && Array.isArray(value) ? undefined : value;
  return `${JSON.stringify(z.toJSONSchema(schema, { target: 'draft-7' }), optional, 2)}\n`;
}
