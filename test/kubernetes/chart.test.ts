/** The chart: what is made, what it is called, what may talk to what, and what is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Chart, Testing } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { runConfigSchema } from '../../lib/contracts/roles.ts';
import { version } from '../../lib/contracts/version.ts';
import {
  type AlertmanagerOptions,
  Channel,
  DEFAULT_IMAGE,
  DEFAULT_NAME,
  DEFAULT_NAMESPACE,
  DEFAULT_PARTITIONS,
  DEFAULT_TOKENS,
  Grafana,
  Log,
  ModelMonitoringChart,
  type ModelMonitoringChartProps,
  Monitor,
  Peer,
  Scaling,
  Store,
  StrimziKafka,
  Watching,
} from '../../lib/kubernetes/index.ts';
import {
  danglingSelectors,
  hardeningViolations,
  namingViolations,
  references,
  restrictedViolations,
} from './assertions.ts';
import { FULL } from './charts.ts';
import { CHURN, chartOf, type Json, type K8sObject, MINIMAL, objectsOf, one, templates } from './objects.ts';

const KEY = { secret: 'keys', key: 'one' };

describe('the smallest chart', () => {
  const objects = objectsOf();

  it('has the objects and labels that an upgrade relies on', () => {
    const names = objects.map(({ kind, metadata, spec }) => ({
      object: `${kind}/${metadata.name}`,
      ...(kind === 'Deployment' || kind === 'Service' ? { selector: spec?.['selector'] } : {}),
    }));
    // A rename is a new major version: selectors of Deployments cannot be changed in a cluster.
    const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'names.golden.json'), 'utf8'));
    expect(names).toEqual(golden);
  });

  it('is the same twice, in one process', () => {
    expect(objectsOf()).toEqual(objects);
  });

  it('passes Pod Security "restricted", and is harder than that', () => {
    expect(templates(objects)).toHaveLength(7);
    for (const { template } of templates(objects))
      expect([...restrictedViolations(template.spec), ...hardeningViolations(template.spec)]).toEqual([]);
  });

  it('refers to what there is, and to one Secret that somebody else makes', () => {
    expect(references(objects)).toEqual({ missing: [], secrets: ['mlmon-tokens'] });
    expect(danglingSelectors(objects)).toEqual([]);
    expect(namingViolations(objects)).toEqual([]);
  });

  it('runs each part by its role, with the configuration that `mlmon run` reads', () => {
    const roles = templates(objects).map(({ template }) => template.spec.containers[0]?.args?.slice(0, 3));
    expect(roles).toEqual(
      ['collector', 'profiler', 'archiver', 'evaluator', 'labeler', 'notifier', 'page'].map((role) => [
        'run',
        '--roles',
        role,
      ]),
    );
    const run = runConfigSchema.parse(JSON.parse(one(objects, 'ConfigMap', 'mlmon-run').data?.['run.yaml'] ?? ''));
    expect(run).toMatchObject({
      log: { kafka: { brokers: ['kafka:9092'], topic: 'mlmon-events', group: 'mlmon' } },
      store: { s3: { bucket: 'ml-monitoring', region: 'us-east-1' } },
      http: { host: '0.0.0.0', port: 8080, tokenFile: '/var/run/secrets/mlmon/mlmon-tokens/tokens' },
      operations: { host: '0.0.0.0', port: 9464 },
      monitors: { folder: '/etc/mlmon/monitors', owner: 'kubernetes' },
    });
    expect(run.http.names).toEqual(expect.arrayContaining(['mlmon-collector', 'mlmon-page.ml-monitoring.svc']));
  });

  it('keeps one evaluator at a time, and two collectors at least', () => {
    expect(one(objects, 'Deployment', 'mlmon-evaluator').spec).toMatchObject({
      replicas: 1,
      strategy: { type: 'Recreate' },
    });
    expect(one(objects, 'HorizontalPodAutoscaler', 'mlmon-collector').spec).toMatchObject({
      minReplicas: 2,
      maxReplicas: 10,
    });
    expect(one(objects, 'Deployment', 'mlmon-collector').spec).not.toHaveProperty('replicas');
    const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets.map(({ metadata }) => metadata.name)).toEqual(['mlmon-collector', 'mlmon-profiler']);
    for (const { spec } of budgets)
      expect(spec).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
  });

  it('gives secrets to those alone who need them', () => {
    const withTokens = templates(objects)
      .filter(({ template }) => (template.spec.volumes ?? []).some((volume) => volume['secret'] !== undefined))
      .map(({ object }) => object.metadata.name);
    expect(withTokens).toEqual(['mlmon-collector', 'mlmon-page']);
  });
});

describe('every core object', () => {
  it('keeps all its fields through the API of Kubernetes', () => {
    const kinds = k8s as unknown as Record<string, { manifest?(props: Json): Json }>;
    const checked = objectsOf({ channels: [Channel.slack(KEY)], createNamespace: true }).filter((object) => {
      const { manifest } =
        (object.apiVersion.endsWith('/v2') ? kinds[`Kube${object.kind}V2`] : kinds[`Kube${object.kind}`]) ?? {};
      if (manifest === undefined) return false;
      expect(JSON.parse(JSON.stringify(manifest(revived(object) as Json)))).toEqual(object);
      return true;
    });
    expect(new Set(checked.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(8);
  });

  it('would lose a field that is spelt wrong', () => {
    const manifest = k8s.KubeDeployment.manifest({ spec: { replica: 2 } } as unknown as k8s.KubeDeploymentProps);
    expect(JSON.stringify(manifest)).not.toContain('replica');
  });
});

/** Quantities and ports as the typed objects take them. */
function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (['requests', 'limits'].includes(key))
        return [
          key,
          Object.fromEntries(
            Object.entries(inner as Record<string, string>).map(([k, v]) => [k, k8s.Quantity.fromString(v)]),
          ),
        ];
      if (key === 'sizeLimit') return [key, k8s.Quantity.fromString(inner as string)];
      if (key === 'clusterIP') return ['clusterIp', inner];
      if (
        ['port', 'targetPort', 'maxUnavailable', 'maxSurge'].includes(key) &&
        ['string', 'number'].includes(typeof inner)
      ) {
        // Ports of Services and containers are numbers alone.
        if (key === 'port' && 'targetPort' in value) return [key, inner];
        return [
          key,
          typeof inner === 'number' ? k8s.IntOrString.fromNumber(inner) : k8s.IntOrString.fromString(inner as string),
        ];
      }
      return [key, revived(inner)];
    }),
  );
}

describe('the network', () => {
  const policyOf = (objects: readonly K8sObject[], name: string): Json =>
    one(objects, 'NetworkPolicy', name).spec ?? {};

  it('is closed both ways but for names and metrics', () => {
    const spec = policyOf(objectsOf(), 'mlmon-default-deny');
    expect(spec['policyTypes']).toEqual(['Ingress', 'Egress']);
    expect(spec['ingress']).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ port: 9464, protocol: 'TCP' }],
      },
    ]);
    expect(spec['egress']).toEqual([
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
        ],
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    ]);
  });

  it('opens the log, the store and the channels, where they are said to be', () => {
    const objects = objectsOf({
      log: Log.kafka({ brokers: ['kafka.kafka:9093', 'kafka2.kafka:9093'], peers: [Peer.namespace('kafka')] }),
      store: Store.s3({ bucket: 'b-1', endpoint: 'http://minio.storage:9000', peers: [Peer.addresses('10.0.0.0/8')] }),
      channels: [Channel.webhook(KEY, { port: 8443 })],
    });
    expect(policyOf(objects, 'mlmon-profiler')['egress']).toEqual([
      { to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 9000, protocol: 'TCP' }] },
      {
        to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kafka' } } }],
        ports: [{ port: 9093, protocol: 'TCP' }],
      },
    ]);
    const notifier = policyOf(objects, 'mlmon-notifier');
    expect(notifier['policyTypes']).toEqual(['Egress']);
    expect(JSON.stringify(notifier)).not.toContain('9093');
    expect((notifier['egress'] as Json[]).at(-1)).toEqual({ ports: [{ port: 8443, protocol: 'TCP' }] });
  });

  it('opens the ports of all addresses of a channel', () => {
    const objects = objectsOf({
      channels: [Channel.alertmanager(['http://a:9093', 'https://b', 'http://c:9093'])],
    });
    expect((policyOf(objects, 'mlmon-notifier')['egress'] as Json[]).at(-1)).toEqual({
      ports: [
        { port: 9093, protocol: 'TCP' },
        { port: 443, protocol: 'TCP' },
      ],
    });
    const moved = objectsOf({ channels: [Channel.pagerDuty(KEY, { url: 'https://relay.example.com:8443/v2' })] });
    expect((policyOf(moved, 'mlmon-notifier')['egress'] as Json[]).at(-1)).toEqual({
      ports: [{ port: 8443, protocol: 'TCP' }],
    });
  });

  it('lets in those alone who may send', () => {
    const objects = objectsOf({ clients: [Peer.namespace('serving', { podLabels: { app: 'gateway' } })] });
    const [rule] = policyOf(objects, 'mlmon-collector')['ingress'] as Json[];
    expect(rule).toEqual({
      from: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'serving' } },
          podSelector: { matchLabels: { app: 'gateway' } },
        },
      ],
      ports: [{ port: 8080, protocol: 'TCP' }],
    });
    expect(policyOf(objects, 'mlmon-profiler')).not.toHaveProperty('ingress');
  });
});

describe('scaling by what waits in the log', () => {
  const secured = Log.kafka({
    brokers: ['kafka:9093'],
    partitions: 4,
    tls: { ca: { secret: 'kafka', key: 'ca.crt' } },
    sasl: {
      mechanism: 'scram-sha-512',
      username: { secret: 'kafka', key: 'user' },
      password: { secret: 'kafka', key: 'password' },
    },
  });

  it('asks KEDA, with the credentials of the log, up to the number of partitions', () => {
    const objects = objectsOf({ log: secured, profilers: Scaling.lag({ maximum: 50 }) });
    expect(one(objects, 'Deployment', 'mlmon-profiler').spec).not.toHaveProperty('replicas');
    expect(one(objects, 'ScaledObject', 'mlmon-profiler').spec).toMatchObject({
      minReplicaCount: 1,
      maxReplicaCount: 4,
      triggers: [
        {
          type: 'kafka',
          metadata: {
            bootstrapServers: 'kafka:9093',
            consumerGroup: 'mlmon-profiler',
            tls: 'enable',
            sasl: 'scram_sha512',
          },
          authenticationRef: { name: 'mlmon-profiler' },
        },
      ],
    });
    expect(one(objects, 'TriggerAuthentication', 'mlmon-profiler').spec).toEqual({
      secretTargetRef: [
        { parameter: 'username', name: 'kafka', key: 'user' },
        { parameter: 'password', name: 'kafka', key: 'password' },
        { parameter: 'ca', name: 'kafka', key: 'ca.crt' },
      ],
    });
  });

  it('brings the secrets of the log as files to those who read it', () => {
    const objects = objectsOf({ log: secured });
    const { volumes } = templates(objects).find(({ object }) => object.metadata.name === 'mlmon-profiler')!.template
      .spec;
    expect(volumes).toContainEqual({
      name: 'secret-0',
      secret: {
        secretName: 'kafka',
        defaultMode: 0o440,
        items: ['ca.crt', 'password', 'user'].map((key) => ({ key, path: key })),
      },
    });
    const run = JSON.parse(one(objects, 'ConfigMap', 'mlmon-run').data?.['run.yaml'] ?? '');
    expect(run.log.kafka.sasl.passwordFile).toBe('/var/run/secrets/mlmon/kafka/password');
    expect(references(objects).secrets).toEqual(['kafka', 'mlmon-tokens']);
  });
});

describe('a change of the configuration', () => {
  const annotationsOf = (objects: readonly K8sObject[], name: string): unknown =>
    templates(objects).find(({ object }) => object.metadata.name === name)?.template.metadata.annotations;

  it('rolls out all parts, and a change of a monitor the evaluator alone', () => {
    const before = objectsOf();
    const moved = objectsOf({ store: Store.s3({ bucket: 'another' }) });
    const watched = objectsOf({
      monitors: [Monitor.of({ model: 'churn', features: { plan: { type: 'categorical' } } })],
    });
    for (const name of ['mlmon-collector', 'mlmon-profiler', 'mlmon-page'])
      expect([annotationsOf(before, name), name]).not.toEqual([annotationsOf(moved, name), name]);
    expect(annotationsOf(watched, 'mlmon-evaluator')).not.toEqual(annotationsOf(before, 'mlmon-evaluator'));
    expect(annotationsOf(watched, 'mlmon-profiler')).toEqual(annotationsOf(before, 'mlmon-profiler'));
  });
});

describe('watching', () => {
  it('gives the operator its labels, on monitor and rules', () => {
    const objects = objectsOf({ watching: Watching.operator({ labels: { release: 'prometheus' }, by: 'services' }) });
    for (const [kind, name] of [
      ['ServiceMonitor', 'mlmon-operations'],
      ['PrometheusRule', 'mlmon-alerts'],
    ] as const)
      expect(one(objects, kind, name).metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(danglingSelectors(objects)).toEqual([]);
  });

  it('routes alerts by an AlertmanagerConfig, or by a file', () => {
    const slack = { type: 'slack', name: 'room' } as const;
    const operated = objectsOf({
      watching: Watching.operator({ receivers: { receivers: [{ ...slack, url: { secret: 'chat', key: 'slack' } }] } }),
    });
    const routed = JSON.stringify(one(operated, 'AlertmanagerConfig', 'mlmon-alerts').spec);
    expect(routed).toContain('"apiURL":{"key":"slack","name":"chat"}');
    const rules = JSON.stringify(one(operated, 'PrometheusRule', 'mlmon-alerts').spec);
    expect(rules).toContain('"namespace":"ml-monitoring"');
    const files = objectsOf({
      watching: Watching.files({ receivers: { receivers: [{ ...slack, url: '/etc/slack' }] } }),
    });
    expect(one(files, 'ConfigMap', 'mlmon-prometheus').data?.['alertmanager.yaml']).toContain(
      'api_url_file: /etc/slack',
    );
  });

  it('has files for a Prometheus without operator', () => {
    const objects = objectsOf({ watching: Watching.files() });
    expect(objects.filter(({ apiVersion }) => apiVersion.startsWith('monitoring.coreos.com'))).toEqual([]);
    expect(Object.keys(one(objects, 'ConfigMap', 'mlmon-prometheus').data ?? {})).toEqual([
      'alerts.yaml',
      'scrape.yaml',
    ]);
    for (const { template } of templates(objects))
      expect(template.metadata.annotations).toMatchObject({ 'prometheus.io/port': '9464' });
  });

  it('puts each dashboard where Grafana finds it, small enough for any way of applying', () => {
    const found = objectsOf().filter(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1');
    expect(found).toHaveLength(6);
    for (const { data } of found) expect(JSON.stringify(data).length).toBeLessThan(262_144);
    const operated = objectsOf({ grafana: Grafana.operator({ instances: { dashboards: 'grafana' } }) });
    expect(operated.filter(({ kind }) => kind === 'GrafanaDashboard')).toHaveLength(6);
    expect(
      objectsOf({ grafana: Grafana.none() }).filter(({ metadata }) => metadata.name.includes('dashboard')),
    ).toEqual([]);
  });
});

describe('every prop', () => {
  it('changes what is made', () => {
    const made = (props: Partial<ModelMonitoringChartProps>): string => JSON.stringify(objectsOf(props));
    const all: Partial<ModelMonitoringChartProps> = { ...FULL, createNamespace: true, monitors: [] };
    const declared = readFileSync(join(import.meta.dirname, '../../lib/kubernetes/chart-props.ts'), 'utf8');
    const names = [...declared.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(25);
    for (const name of names) {
      const value = all[name as keyof ModelMonitoringChartProps];
      expect([name, value !== undefined]).toEqual([name, true]);
      // They say of channels who hears what.
      const beside = name === 'routes' || name === 'mutes' ? { channels: all.channels ?? [] } : {};
      expect([name, made({ ...beside, [name]: value }) !== made(beside)]).toEqual([name, true]);
    }
  });
});

describe('defaults', () => {
  it('are what the comments of the props say', () => {
    const source = (file: string): string =>
      readFileSync(join(import.meta.dirname, '../../lib/kubernetes', file), 'utf8');
    /** What stands after `@default` above a member. */
    const said = (file: string, member: string): string =>
      new RegExp(`@default ([^*]*?) \\*/\\s+readonly ${member}\\?:`).exec(source(file))?.[1] ?? `nothing of ${member}`;
    const props = 'chart-props.ts';
    expect(said(props, 'name')).toBe(`'${DEFAULT_NAME}'`);
    expect(said(props, 'namespace')).toBe(`'${DEFAULT_NAMESPACE}'`);
    expect(said(props, 'tokens')).toBe(`{ secret: '${DEFAULT_TOKENS.secret}', key: '${DEFAULT_TOKENS.key}' }`);
    expect(said(props, 'image').replace('<version of this package>', version)).toBe(`'${DEFAULT_IMAGE}'`);
    expect(said('log.ts', 'partitions')).toBe(String(DEFAULT_PARTITIONS));
    expect(said('log.ts', 'topic')).toBe(`'${Log.kafka({ brokers: [] }).topic}'`);
    expect(said('log.ts', 'group')).toBe(`'${Log.kafka({ brokers: [] }).group}'`);
    expect(said('store.ts', 'region')).toBe(`'${Store.s3({ bucket: '' }).region}'`);
    const { minimum, maximum, utilisation } = Scaling.cpu().spec as Readonly<Record<string, unknown>>;
    expect(said(props, 'collectors')).toBe(
      `Scaling.cpu({ minimum: ${minimum}, maximum: ${maximum}, utilisation: ${utilisation} })`,
    );
    expect(one(objectsOf(), 'Deployment', 'mlmon-profiler').spec?.['replicas']).toBe(
      Number(/\d+/.exec(said(props, 'profilers'))?.[0]),
    );
  });
});

describe('what is wrong', () => {
  const problemsOf = (props: Partial<ModelMonitoringChartProps>): string[] => {
    try {
      chartOf(props);
    } catch (error) {
      if (error instanceof ProblemError) return error.problems.map(({ path }) => path);
      throw error;
    }
    return [];
  };

  it('is told all at once', () => {
    expect(
      problemsOf({
        name: 'My Monitoring',
        namespace: 'Ml',
        image: 'registry.example.com/mlmon:latest',
        log: Log.kafka({ brokers: ['kafka'], topic: 'a b', partitions: 0, tls: { key: KEY } }),
        store: Store.s3({ bucket: 'B', endpoint: 'minio:9000', accessKeyId: KEY }),
        monitors: [
          CHURN,
          CHURN,
          Monitor.of({ model: 'plan', features: { who: { type: 'categorical', policy: 'hash' } } }),
        ],
        collectors: Scaling.lag(),
        profilers: Scaling.fixed(0),
        channels: [Channel.slack(KEY), Channel.slack({ secret: 'Not a name', key: 'a/b' })],
        resources: { page: { memory: 'much' } },
        hostNames: ['http://x'],
        retention: { events: 'a year' },
        links: { page: 'page' },
      }),
    ).toEqual([
      'name',
      'namespace',
      'image',
      'log.brokers',
      'log.topic',
      'log.partitions',
      'log.tls',
      'store.bucket',
      'store.endpoint',
      'store',
      'profilers.replicas',
      'collectors',
      'monitors',
      'policyKey',
      'channels',
      'channels.slack.secret',
      'channels.slack.key',
      'resources.page.memory',
      'hostNames',
      'retention.events',
      'links.page',
    ]);
  });

  it('is a route or a mute that the notifier would not begin with', () => {
    const route = { match: {}, channels: ['slack'] };
    expect(problemsOf({ routes: [route] })).toEqual(['routes']);
    expect(problemsOf({ mutes: [{ match: {}, reason: 'x' }] })).toEqual(['mutes']);
    const channels = [Channel.slack(KEY)];
    expect(problemsOf({ channels, routes: [route, { ...route, channels: ['inbox'] }] })).toEqual([]);
    expect(
      problemsOf({
        channels,
        routes: [{ match: {}, channels: ['slak'] }],
        mutes: [{ match: {}, from: '2026-12-24', reason: 'holidays' }],
      }),
    ).toEqual(['routes.0.channels', 'mutes.0.from']);
    expect(problemsOf({ channels, routes: [{ match: { severity: 'fatal' as never }, channels: [] }] })).toEqual([
      'routes.0.match.severity',
      'routes.0.channels',
    ]);
  });

  it('is Alertmanager beside channels that would tell people again', () => {
    const alertmanager = Channel.alertmanager(['http://alertmanager-operated.monitoring:9093'], {
      labels: { namespace: 'ml' },
    });
    expect(problemsOf({ channels: [alertmanager, Channel.slack(KEY)] })).toEqual(['channels']);
    const objects = objectsOf({ channels: [alertmanager] });
    expect(JSON.parse(one(objects, 'ConfigMap', 'mlmon-channels').data?.['channels.yaml'] ?? '')).toEqual({
      channels: [
        { type: 'alertmanager', urls: ['http://alertmanager-operated.monitoring:9093'], labels: { namespace: 'ml' } },
      ],
    });
    expect(JSON.stringify(one(objects, 'NetworkPolicy', 'mlmon-notifier').spec)).toContain('9093');
  });

  it('is what the API server would refuse, or never run, of names, labels, ranges and sizes', () => {
    const labels = { 'a b': 'c', 'Example.com/a': 'c', 'example.com/a': '-c' };
    expect(
      problemsOf({
        image: 'registry.example.com/Team A/mlmon:1',
        imagePullSecrets: ['registry', 'My Registry'],
        priorityClassName: 'High',
        owner: 'Team X',
        serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'any: text', 'no key!': '' },
        watching: Watching.operator({ labels }),
        grafana: Grafana.sidecar({ labels: { ok: '' }, annotations: { grafana_folder: 'Modèles', '': 'x' } }),
        clients: [],
        scrapers: [Peer.namespace('Monitoring'), Peer.cluster({ podLabels: { app: 'a b' } })],
        dns: [
          Peer.addresses('10.0.0.10'),
          Peer.addresses('10.0.0.300/32'),
          Peer.addresses('fd00::/129'),
          Peer.addresses('fe80::1%eth0/128'),
          Peer.addresses('10.1.0.0/8'),
          Peer.addresses('fd00::1:0:0/90'),
          ...['0.0.0.0/0', '169.254.20.10/32', '::/0', 'fd00::/8', 'fd00:0:0:1::/64', '::ffff:10.0.0.0/104'].map(
            (one) => Peer.addresses(one),
          ),
          Peer.addresses('fd00::/8', { except: ['fd01::/16'] }),
          Peer.addresses('10.0.0.0/8', {
            except: ['10.1.0.0/16', '10.1.2.0/16', '11.0.0.0/16', '10.0.0.0/8', 'fd00::/16'],
          }),
        ],
        log: Log.kafka({ brokers: ['k:0', 'k:65536', 'k:9092'] }),
        store: Store.s3({ bucket: 'b-1', region: 'x y', endpoint: 'https://id:secret@minio:9000/' }),
        resources: { page: { cpu: '0', memory: '512', temporary: '1m' }, labeler: { memory: '0.1Gi', cpu: '1.5' } },
        tokens: { secret: 'tokens', key: '..tokens' },
        hostNames: ['..', 'events.example.com'],
        links: { page: 'javascript:alert(1)', dashboards: 'http://grafana:3000/x' },
      }),
    ).toEqual([
      'image',
      'imagePullSecrets',
      'priorityClassName',
      'owner',
      'serviceAccountAnnotations',
      'watching.labels',
      'watching.labels',
      'watching.labels.example.com/a',
      'grafana.annotations',
      'clients',
      'scrapers',
      'scrapers.podLabels.app',
      ...Array.from({ length: 10 }, () => 'dns'),
      'log.brokers',
      'store.region',
      'store.endpoint',
      'tokens.key',
      'resources.page.cpu',
      'resources.page.memory',
      'resources.page.temporary',
      'resources.labeler.memory',
      'hostNames',
      'links.page',
    ]);
  });

  it('is a Kafka of its own that Strimzi would refuse', () => {
    const wrong = {
      name: 'My Events',
      namespace: 'K',
      replicas: 0,
      storage: '100',
      resources: { cpu: 'two', memory: '2' },
    };
    try {
      new StrimziKafka(new Chart(Testing.app(), 'kafka'), 'Kafka', wrong);
      expect.unreachable();
    } catch (error) {
      expect((error as ProblemError).problems.map(({ path }) => path)).toEqual([
        'replicas',
        'name',
        'namespace',
        'storage',
        'resources.cpu',
        'resources.memory',
      ]);
    }
  });

  it('is a channel that the notifier would not begin with', () => {
    const alertmanager = (urls: readonly string[], more: Partial<AlertmanagerOptions> = {}): Channel =>
      Channel.alertmanager(urls, more);
    expect(problemsOf({ channels: [Channel.webhook(KEY, { name: 'inbox', port: 0 })] })).toEqual([
      'channels',
      'channels.inbox.port',
    ]);
    expect(problemsOf({ channels: [alertmanager([], { username: 'x', labels: { 'a-b': 'c' } })] })).toEqual([
      'channels.alertmanager.urls',
      'channels.alertmanager',
      'channels.alertmanager.labels',
    ]);
    expect(problemsOf({ channels: [alertmanager(['a:9093'], { token: KEY, password: KEY, username: 'x' })] })).toEqual([
      'channels.alertmanager.urls',
      'channels.alertmanager',
    ]);
    expect(problemsOf({ channels: [Channel.opsgenie(KEY, { url: 'api.eu' })] })).toEqual(['channels.opsgenie.url']);
    const many = Array.from({ length: 51 }, (_, at) => Channel.slack(KEY, { name: `room-${at}` }));
    expect(problemsOf({ channels: many })).toEqual(['channels']);
  });

  it.each(['mlmon', 'mlmon:latest', 'localhost:5000/mlmon', 'mlmon@sha256:12'])('refuses the image %s', (image) => {
    expect(problemsOf({ image })).toEqual(['image']);
  });

  it.each(['mlmon:1.2.3', 'localhost:5000/mlmon:v1', `ghcr.io/a/b@sha256:${'a'.repeat(64)}`])(
    'takes the image %s',
    (image) => {
      expect(problemsOf({ image })).toEqual([]);
    },
  );
});

describe('beside other charts', () => {
  it('makes two installations in one namespace, without a clash', () => {
    const app = new App();
    const objects = ['first', 'second'].flatMap(
      (name) => Testing.synth(new ModelMonitoringChart(app, name, { ...MINIMAL, name })) as K8sObject[],
    );
    expect(namingViolations(objects)).toEqual([]);
    const first = one(objects, 'NetworkPolicy', 'first-default-deny').spec;
    expect(first).toMatchObject({ podSelector: { matchLabels: { 'app.kubernetes.io/instance': 'first' } } });
  });
});
