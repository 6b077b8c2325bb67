/** The whole platform in a namespace of a cluster. Wires the parts, which can be used alone too. */
import { Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { ProblemError } from '../contracts/problem.ts';
import { Archiver } from './archiver.ts';
import { chartProblems } from './chart-problems.ts';
import type { ModelMonitoringChartProps } from './chart-props.ts';
import { Collector } from './collector.ts';
import {
  type ContainerResources,
  DEFAULT_IMAGE,
  DEFAULT_NAME,
  DEFAULT_NAMESPACE,
  DEFAULT_TOKENS,
  type Part,
} from './defaults.ts';
import { Evaluator } from './evaluator.ts';
import { Grafana } from './grafana.ts';
import { Labeler } from './labeler.ts';
import { instanceLabels } from './names.ts';
import { Notifier } from './notifier.ts';
import { Page } from './page.ts';
import { Peer } from './peer.ts';
import { Platform } from './platform.ts';
import { Profiler } from './profiler.ts';
import { SCRAPER_NAMESPACE, Watching } from './watching.ts';

export class ModelMonitoringChart extends Chart {
  readonly platform: Platform;
  readonly collector: Collector;

  constructor(scope: Construct, id: string, props: ModelMonitoringChartProps) {
    const problems = chartProblems(props);
    if (problems.length > 0) throw new ProblemError(problems);
    const { name = DEFAULT_NAME, namespace = DEFAULT_NAMESPACE, resources = {} } = props;
    super(scope, id, { disableResourceNameHashes: true });

    if (props.createNamespace === true)
      new k8s.KubeNamespace(this, 'Namespace', {
        metadata: {
          name: namespace,
          labels: {
            ...instanceLabels({ name, namespace }),
            ...Object.fromEntries(
              ['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
            ),
          },
        },
      });

    const watching = props.watching ?? Watching.operator();
    this.platform = new Platform(this, 'Platform', {
      name,
      namespace,
      image: props.image ?? DEFAULT_IMAGE,
      imagePullPolicy: props.imagePullPolicy ?? 'Always',
      imagePullSecrets: props.imagePullSecrets ?? [],
      log: props.log,
      store: props.store,
      monitors: props.monitors,
      owner: props.owner ?? 'kubernetes',
      channels: props.channels ?? [],
      routes: props.routes ?? [],
      mutes: props.mutes ?? [],
      tokens: props.tokens ?? DEFAULT_TOKENS,
      ...(props.policyKey === undefined ? {} : { policyKey: props.policyKey }),
      retention: props.retention ?? {},
      links: props.links ?? {},
      hostNames: props.hostNames ?? [],
      limits: props.limits ?? 'memory',
      ...(props.priorityClassName === undefined ? {} : { priorityClassName: props.priorityClassName }),
      serviceAccountAnnotations: props.serviceAccountAnnotations ?? {},
      clients: props.clients ?? [Peer.cluster()],
      scrapers: props.scrapers ?? [Peer.namespace(SCRAPER_NAMESPACE)],
      dns: props.dns ?? [Peer.namespace('kube-system', { podLabels: { 'k8s-app': 'kube-dns' } })],
      scrapeAnnotations: watching.annotations,
    });
    const { platform } = this;
    const partProps = (part: Part): { platform: Platform; resources?: Partial<ContainerResources> } => {
      const own = resources[part];
      return own === undefined ? { platform } : { platform, resources: own };
    };
    this.collector = new Collector(this, 'Collector', {
      ...partProps('collector'),
      ...(props.collectors === undefined ? {} : { scaling: props.collectors }),
    });
    new Profiler(this, 'Profiler', {
      ...partProps('profiler'),
      ...(props.profilers === undefined ? {} : { scaling: props.profilers }),
    });
    new Archiver(this, 'Archiver', partProps('archiver'));
    new Evaluator(this, 'Evaluator', partProps('evaluator'));
    new Labeler(this, 'Labeler', partProps('labeler'));
    new Notifier(this, 'Notifier', partProps('notifier'));
    new Page(this, 'Page', partProps('page'));
    watching.bind(this, { platform });
    (props.grafana ?? Grafana.sidecar()).bind(this, platform);
  }
}
