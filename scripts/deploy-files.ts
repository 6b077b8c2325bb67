/** What is generated under deploy/kubernetes, by name of file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import {
  DEFAULT_TOKENS,
  Log,
  type ModelMonitoringChartProps,
  Monitor,
  Store,
  sidecarPatch,
} from '../lib/kubernetes/index.ts';
import { renderChart } from '../lib/kubernetes/render.ts';
import { alertingForms } from './helm-alerting.ts';
import { alertTexts } from './helm-alerts.ts';
import { sidecarValuesSchema, valuesSchema } from './helm-values.ts';

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
    ['helm-sidecar/values.schema.json', sidecarValuesSchema()],
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
    files.push([
      `base/${file}`,
      kept.map((object) => stringify(object, { version: '1.1', lineWidth: 0 })).join('---\n'),
    ]);
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
  return [
    ['helm/files/alerts.json', `${JSON.stringify(alertTexts(), null, 2)}\n`],
    ['helm/files/alerting.json', `${JSON.stringify(alertingForms(), null, 2)}\n`],
    ['helm/files/kafka.json', `${JSON.stringify(defaultKafka(), null, 2)}\n`],
    ...documents(rendered.get('dashboards.yaml')).flatMap(({ data }) =>
      Object.entries(data ?? {}).map(([file, json]): [string, string] => [
        `helm/files/dashboards/${file.replace(/^mlmon-/, '')}`,
        `${json}\n`,
      ]),
    ),
  ];
}

/** What the values say of Kafka where nobody else does, but for its partitions: where Strimzi makes one, anything else is a contradiction. */
function defaultKafka(): Readonly<Record<string, unknown>> {
  const file = join(import.meta.dirname, '../deploy/kubernetes/helm/values.yaml');
  const { log } = parse(readFileSync(file, 'utf8')) as { readonly log: { readonly kafka: Record<string, unknown> } };
  const { partitions: _, ...kafka } = log.kafka;
  return kafka;
}
