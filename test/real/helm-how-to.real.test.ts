/** The values on docs/how-to/helm.md, rendered. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Chart, Testing } from 'cdk8s';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Channel, Grafana, Scaling, Store, StrimziKafka, Watching } from '../../lib/kubernetes/index.ts';
import { REFERENCE } from '../../scripts/deploy-files.ts';
import { type K8sObject, objectsOf } from '../kubernetes/objects.ts';
import { buildTools, CHART, readable, rendered, same } from './kubernetes/helm.ts';
import { documents } from './kubernetes/manifests.ts';
import { CHECKOUT } from './programs.ts';

beforeAll(buildTools, 1_500_000);

it('gives what the construct gives', async () => {
  const page = readFileSync(join(CHECKOUT, 'docs/how-to/helm.md'), 'utf8');
  const blocks = new Map(
    [...page.matchAll(/^```yaml\n# ([A-Za-z.]+)(?:.*)\n([\s\S]*?)^```$/gm)].map(([, name = '', text = '']) => [
      name,
      parse(text),
    ]),
  );
  const chat = (key: string): { secret: string; key: string } => ({ secret: 'chat', key });
  const kafka = new Chart(Testing.app(), 'kafka', { disableResourceNameHashes: true });
  const strimzi = new StrimziKafka(kafka, 'kafka', {
    partitions: 12,
    replicas: 3,
    storage: '200Gi',
    retentionDays: 14,
  });
  const labels = { release: 'kube-prometheus-stack' };
  const told: Readonly<Record<string, () => K8sObject[]>> = {
    'values.yaml': () =>
      objectsOf({
        ...REFERENCE,
        image: 'registry.example.com/ml-monitoring:0.1.0',
        store: Store.s3({ bucket: 'ml-monitoring', region: 'eu-central-1' }),
        watching: Watching.operator({ labels }),
      }),
    'channels.yaml': () =>
      objectsOf({
        ...REFERENCE,
        channels: [Channel.slack(chat('slack')), Channel.pagerDuty(chat('pagerduty'))],
        routes: [{ match: { severity: 'critical' }, channels: ['pagerduty'] }],
        mutes: [{ match: { model: 'trial' }, reason: 'an experiment' }],
      }),
    'receivers.yaml': () =>
      objectsOf({
        ...REFERENCE,
        watching: Watching.operator({
          labels,
          receivers: {
            receivers: [
              { type: 'slack', name: 'room', url: chat('slack'), channel: '#ml' },
              { type: 'pagerduty', name: 'pager', routingKey: chat('pagerduty') },
              { type: 'teams', name: 'team', url: chat('teams') },
              { type: 'opsgenie', name: 'ops', key: chat('opsgenie'), url: 'https://api.eu.opsgenie.com' },
              { type: 'webhook', name: 'hook', url: chat('hook') },
            ],
            routes: [
              { match: { severity: 'critical' }, receivers: ['pager', 'room'] },
              { match: { severity: 'info' }, receivers: [] },
            ],
            heartbeat: { url: chat('heartbeat') },
          },
        }),
      }),
    'alerts.yaml': () =>
      objectsOf({
        ...REFERENCE,
        watching: Watching.operator({
          changes: {
            'profiler-behind': { threshold: 1_800, for: '10m', severity: 'critical' },
            'series-capped': { off: true },
          },
          notifier: 'alarms',
        }),
      }),
    'files.yaml': () =>
      objectsOf({
        ...REFERENCE,
        watching: Watching.files({
          receivers: { receivers: [{ type: 'slack', name: 'room', url: '/etc/alertmanager/secrets/slack' }] },
        }),
      }),
    'grafana.yaml': () =>
      objectsOf({
        ...REFERENCE,
        grafana: Grafana.operator({ instances: { dashboards: 'grafana' }, folder: 'Models' }),
      }),
    'strimzi.yaml': () => [
      ...objectsOf({ ...REFERENCE, log: strimzi.log, profilers: Scaling.lag({ lagPerReplica: 50_000 }) }),
      ...(Testing.synth(kafka) as K8sObject[]),
    ],
  };
  expect([...blocks.keys()].sort()).toEqual([...Object.keys(told), 'Chart.yaml', 'sidecar.yaml'].sort());
  for (const [name, expected] of Object.entries(told)) {
    const { out, err } = rendered(CHART, blocks.get(name));
    expect([name, err]).toEqual([name, '']);
    await same(readable(documents(out)), readable(expected()));
  }
  const example = join(CHECKOUT, 'examples/kubernetes/helm-sidecar');
  const file = (name: string): unknown => parse(readFileSync(join(example, name), 'utf8'));
  const own = file('values.yaml') as Readonly<Record<string, object>>;
  const collector = 'http://mlmon-collector.ml-monitoring:8080';
  expect(blocks.get('sidecar.yaml')).toMatchObject(own);
  expect(blocks.get('sidecar.yaml')).toMatchObject({ 'ml-monitoring-sidecar': { collector } });
  expect(file('Chart.yaml')).toMatchObject(blocks.get('Chart.yaml'));
});
