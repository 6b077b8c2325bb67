/** The Helm chart before helm itself: what it gives is what the construct gives, and valid for those who read it. */
import { join } from 'node:path';
import { Chart, Testing } from 'cdk8s';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AlertingOptions } from '../../lib/alerts/receivers.ts';
import type { AlertChanges } from '../../lib/alerts/rules.ts';
import { Grafana, Log, type RuleOptions, Scaling, StrimziKafka, Watching } from '../../lib/kubernetes/index.ts';
import { REFERENCE } from '../../scripts/deploy-files.ts';
import { alertTexts } from '../../scripts/helm-alerts.ts';
import { FULL } from '../kubernetes/charts.ts';
import { CHURN, type K8sObject, objectsOf } from '../kubernetes/objects.ts';
import { buildTools, CHART, readable, rendered, same } from './kubernetes/helm.ts';
import { documents, keyed } from './kubernetes/manifests.ts';
import { tool } from './kubernetes/tools.ts';
import { CHECKOUT } from './programs.ts';

beforeAll(buildTools, 1_500_000);

const template = (values: unknown, namespace?: string): ReturnType<typeof tool> => rendered(CHART, values, namespace);
const secret = (name: string, key: string): { secret: string; key: string } => ({ secret: name, key });

describe('the Helm chart', () => {
  it('gives the objects of the chart, with its own values', async () => {
    const { out, err } = template({});
    expect(err).toBe('');
    await same(documents(out), objectsOf(REFERENCE));
  });

  const namespace = (name: string): unknown => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  });

  it('gives the objects of the chart, with everything said', async () => {
    const { out, err } = template(
      {
        name: 'watch',
        image: {
          repository: 'registry.example.com/mlmon',
          digest: `sha256:${'0'.repeat(64)}`,
          pullPolicy: 'IfNotPresent',
          pullSecrets: ['registry'],
        },
        log: {
          kafka: {
            brokers: ['kafka-0.kafka:9093', 'kafka-1.kafka:9094'],
            topic: 'events',
            group: 'watch',
            partitions: 12,
            tls: { ca: secret('kafka', 'ca.crt') },
            sasl: {
              mechanism: 'scram-sha-512',
              username: secret('kafka', 'user'),
              password: secret('kafka', 'password'),
            },
            peers: [namespace('kafka')],
          },
        },
        store: {
          s3: {
            bucket: 'models',
            prefix: 'monitoring/',
            region: 'eu-central-1',
            endpoint: 'https://minio.storage.svc:9000',
            ca: secret('storage', 'ca.crt'),
            accessKeyId: secret('storage', 'id'),
            secretAccessKey: secret('storage', 'secret'),
            peers: [{ ...(namespace('storage') as object), podSelector: { matchLabels: { app: 'minio' } } }],
          },
        },
        monitors: { churn: CHURN.files },
        owner: 'platform',
        tokens: secret('tokens', 'lines'),
        policyKey: secret('policy', 'key'),
        channels: (FULL.channels ?? []).map(({ config, secrets }, at) => ({
          config,
          secrets,
          ...(at === 0 ? {} : { ports: [8443], peers: [{ ipBlock: { cidr: '10.1.0.0/16' } }] }),
        })),
        routes: FULL.routes,
        mutes: FULL.mutes,
        links: FULL.links,
        retention: FULL.retention,
        hostNames: ['events.example.com'],
        collectors: { fixed: 3 },
        profilers: { fixed: null, lag: { minimum: 2, lagPerReplica: 5000 } },
        resources: { labeler: { memory: '2Gi' } },
        limits: 'memory-and-cpu',
        priorityClassName: 'important',
        serviceAccountAnnotations: FULL.serviceAccountAnnotations,
        clients: [namespace('serving')],
        scrapers: [namespace('observability')],
        dns: [{ ipBlock: { cidr: '169.254.20.10/32' } }],
        watching: { labels: { release: 'prometheus' }, by: 'services' },
        grafana: { annotations: { folder: 'Models' } },
      },
      'models',
    );
    expect(err).toBe('');
    await same(documents(out), objectsOf(FULL));
  });

  it('gives the objects of the chart, without operators', () => {
    const { out, err } = template({ watching: { mode: 'files' }, grafana: { mode: 'none' } });
    expect(err).toBe('');
    const dashboards = /-dashboard-/;
    const expected = objectsOf({ ...REFERENCE, watching: Watching.files() });
    expect(keyed(documents(out))).toEqual(keyed(expected.filter(({ metadata }) => !dashboards.test(metadata.name))));
  });

  /** Receivers of every type, with routes to one, to two, to the same two again, and to nobody. */
  const alerting = <S>(where: (name: string) => S): AlertingOptions<S> => ({
    receivers: [
      { type: 'slack', name: 'room', url: where('slack'), channel: '#ml' },
      { type: 'slack', name: 'second', url: where('second') },
      {
        type: 'pagerduty',
        name: 'pager',
        routingKey: where('pager'),
        url: 'https://events.eu.pagerduty.com/v2/enqueue',
      },
      { type: 'teams', name: 'teams', url: where('teams') },
      { type: 'opsgenie', name: 'ops', key: where('ops'), url: 'https://api.eu.opsgenie.com/' },
      { type: 'webhook', name: 'hook', url: where('hook') },
    ],
    routes: [
      { match: { severity: 'critical' }, receivers: ['pager', 'room'] },
      {
        match: { model: 'churn', owner: 'team "a"', severity: 'warning', signal: 'drift' },
        receivers: ['room', 'pager'],
      },
      { match: { severity: 'info' }, receivers: [] },
      { match: { owner: 'growth' }, receivers: ['hook'] },
    ],
    heartbeat: { url: where('heartbeat') },
  });

  it('gives the receivers of the chart, with everything said and with little', async () => {
    const full = alerting((name) => secret('chat', name));
    for (const receivers of [full, { receivers: full.receivers.slice(2, 3) }]) {
      const { out, err } = template({ watching: { labels: { release: 'prometheus' }, ...receivers } });
      expect(err).toBe('');
      const expected = objectsOf({
        ...REFERENCE,
        watching: Watching.operator({ labels: { release: 'prometheus' }, receivers }),
      });
      expect(expected.map(({ kind }) => kind)).toContain('AlertmanagerConfig');
      await same(documents(out), expected);
    }
  });

  it('gives the file for Alertmanager of the chart, without operators', async () => {
    const receivers = alerting((name) => `/etc/alertmanager/secrets/${name}`);
    const { out, err } = template({ watching: { mode: 'files', ...receivers } });
    expect(err).toBe('');
    const expected = objectsOf({ ...REFERENCE, watching: Watching.files({ receivers }) });
    expect(expected.filter(({ data }) => data?.['alertmanager.yaml']?.includes('/secrets/pager'))).toHaveLength(1);
    await same(readable(documents(out)), readable(expected));
  });

  it('gives the alerts of the chart, changed in every way', async () => {
    const { groups } = alertTexts();
    const rules = groups.flatMap((group) => group.rules);
    const every = (change: (rule: (typeof rules)[number], at: number) => object): AlertChanges =>
      Object.fromEntries(rules.map((rule, at) => [rule.key, change(rule, at)]));
    const cases: readonly RuleOptions[] = [
      {
        changes: every(({ key, threshold, severity }, at) => ({
          for: ['0m', '45s', '24h'][at % 3],
          ...(threshold === null ? {} : { threshold: [0.25, 1_000_000, threshold + 1][at % 3] }),
          ...(key.startsWith('open-episodes-') ? {} : { severity: severity === 'info' ? 'critical' : 'info' }),
        })),
      },
      { changes: every((_, at) => ({ off: at % 2 === 0 })), notifier: 'alarms' },
      { changes: every(() => ({ off: true })) },
    ];
    for (const options of cases)
      for (const [mode, watching] of [
        ['operator', Watching.operator(options)],
        ['files', Watching.files(options)],
      ] as const) {
        const links = { dashboards: 'https://grafana.example.com', runbook: 'https://docs.example.com/runbook' };
        const { out, err } = template({ watching: { mode, ...options }, links });
        expect(err).toBe('');
        await same(documents(out), objectsOf({ ...REFERENCE, watching, links }));
      }
  });

  it('gives the dashboards of the chart for Grafana Operator', async () => {
    for (const folder of ['Models: all', undefined]) {
      const grafana = { instances: { dashboards: 'grafana' }, ...(folder === undefined ? {} : { folder }) };
      const { out, err } = template({ grafana: { mode: 'operator', ...grafana } });
      expect(err).toBe('');
      await same(documents(out), objectsOf({ ...REFERENCE, grafana: Grafana.operator(grafana) }));
    }
  });

  it('gives the Kafka of the chart by Strimzi, and parts that know it', async () => {
    const said = {
      name: 'events',
      version: '4.1.0',
      replicas: 2,
      storage: '20Gi',
      storageClass: 'fast',
      retentionDays: 14,
      resources: { cpu: '1', memory: '4Gi' },
    };
    for (const [props, values] of [
      [{}, {}],
      [
        { ...said, partitions: 12 },
        { strimzi: said, kafka: { partitions: 12 } },
      ],
      [{ replicas: 1 }, { strimzi: { replicas: 1 } }],
    ] as const) {
      const chart = new Chart(Testing.app(), 'kafka', { disableResourceNameHashes: true });
      const kafka = new StrimziKafka(chart, 'kafka', { ...props, namespace: 'models' });
      const { out, err } = template(
        {
          log: { ...values, strimzi: { enabled: true, ...('strimzi' in values ? values.strimzi : {}) } },
          profilers: { fixed: null, lag: {} },
        },
        'models',
      );
      expect(err).toBe('');
      await same(documents(out), [
        ...objectsOf({ ...REFERENCE, namespace: 'models', log: kafka.log, profilers: Scaling.lag() }),
        ...(Testing.synth(chart) as K8sObject[]),
      ]);
    }
  });

  it('gives the objects of the chart where names look like numbers and truths', async () => {
    const odd = {
      name: 'on',
      tokens: secret('1e3', 'yes'),
      policyKey: secret('0.10', 'null'),
      priorityClassName: 'true',
      resources: { page: { cpu: '1', memory: '1.5Gi', temporary: '0.25Gi' } },
    };
    const kafka = { brokers: ['kafka:9092'], topic: '007', group: '1e3' };
    const props = {
      ...REFERENCE,
      ...odd,
      image: 'a:1.10',
      imagePullSecrets: ['123'],
      namespace: '42',
      limits: 'memory-and-cpu' as const,
      log: Log.kafka(kafka),
      profilers: Scaling.lag(),
    };
    const values = {
      ...odd,
      image: { repository: 'a', tag: '1.10', pullSecrets: ['123'] },
      log: { kafka },
      profilers: { fixed: null, lag: {} },
      limits: 'memory-and-cpu',
    };
    for (const [mode, watching] of [
      ['operator', Watching.operator()],
      ['files', Watching.files()],
    ] as const) {
      const { out, err } = template({ ...values, watching: { mode } }, '42');
      expect(err).toBe('');
      await same(documents(out), objectsOf({ ...props, watching }));
    }
  });

  it('refuses what contradicts itself, and says what is expected', () => {
    const room = { type: 'slack', name: 'room', url: secret('chat', 'slack') };
    const chat = {
      config: { type: 'slack', name: 'chat', urlFile: '/var/run/secrets/mlmon/chat/url' },
      secrets: [secret('chat', 'url')],
    };
    const pager = { type: 'pagerduty', name: 'pager', routingKey: secret('chat', 'pager') };
    for (const [values, told] of [
      [{ watching: { receivers: [{ ...room, url: '/etc/slack' }] } }, 'expected { secret, key }'],
      [{ watching: { mode: 'files', receivers: [room] } }, 'expected the path of a file'],
      [{ watching: { mode: 'none', receivers: [room] } }, 'expected operator or files'],
      [{ watching: { heartbeat: { url: secret('chat', 'heartbeat') } } }, 'nobody would be told'],
      [{ watching: { receivers: [room, { ...room }] } }, 'two receivers have one name'],
      [
        { watching: { receivers: [room, pager], routes: [{ match: {}, receivers: ['rom'] }] } },
        'there is no such receiver; got rom, expected room, pager',
      ],
      [{ watching: { receivers: [{ ...room, type: 'sms' }] } }, "one of 'slack', 'pagerduty', 'teams', 'opsgenie'"],
      [{ watching: { receivers: [{ ...room, chanel: '#ml' }] } }, "additional properties 'chanel' not allowed"],
      [{ watching: { receivers: [{ ...pager, routingKey: 'R0UT1NG' }] } }, 'expected { secret, key }'],
      [{ collectors: { cpu: null } }, 'collectors: says not how many run; expected one of fixed and cpu'],
      [{ routes: [{ match: {}, channels: ['chat'] }] }, 'expected channels beside routes and mutes'],
      [{ channels: [chat], routes: [{ match: {}, channels: ['chats'] }] }, 'got chats, expected one of inbox, chat'],
      [{ channels: [chat], mutes: [{ match: {}, until: 'monday', reason: 'x' }] }, "'monday' does not match pattern"],
      [{ watching: { changes: { 'profiler-behin': { off: true } } } }, "additional properties 'profiler-behin'"],
      [{ watching: { changes: { 'profiler-behind': { for: '25h' } } } }, "'25h' does not match pattern"],
      [{ watching: { changes: { 'open-episodes-info': { severity: 'critical' } } } }, "properties 'severity' not"],
      [{ watching: { changes: { 'profiler-behind': { threshold: 0 } } } }, 'exclusiveMinimum'],
      [{ policyKey: { secret: 'policy' } }, "missing property 'key'"],
      [{ grafana: { mode: 'operator' } }, 'grafana.instances: says no Grafana'],
      [{ log: { strimzi: { enabled: true }, kafka: { tls: {} } } }, 'log.kafka.tls: is said by Strimzi'],
      [{ log: { strimzi: { enabled: true, replica: 2 } } }, "additional properties 'replica' not allowed"],
    ] as const) {
      const { code, err } = template(values);
      expect([code, err]).toEqual([1, expect.stringContaining(told)]);
    }
  });

  it('passes its own linter, and refuses wrong values in words', () => {
    expect(tool('helm', ['lint', '--strict', join(CHECKOUT, 'deploy/kubernetes/helm')])).toMatchObject({ code: 0 });
    const wrong = template({ log: { kafka: { brokers: ['kafka'], topics: 'x' } }, replicas: 3 });
    expect(wrong.code).toBe(1);
    for (const word of ['brokers', 'topics', 'replicas']) expect(wrong.err).toContain(word);
    expect(template({ image: { tag: 'latest' } }).err).toContain('latest is no fixed version');
  });
});
