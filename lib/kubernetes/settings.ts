/** A chart as a YAML file says it, for those who write no TypeScript: `mlmon render kubernetes FILE`, and the values of the Helm chart. */
import { z } from 'zod';
import { muteSchema, routeSchema } from '../contracts/alerting.ts';
import { alertingKeys, alertingOf, isWhole, ruleKeys, rulesOf } from './alerting-settings.ts';
import { Channel } from './channel.ts';
import type { ModelMonitoringChartProps } from './chart-props.ts';
import { PARTS } from './defaults.ts';
import { Grafana } from './grafana.ts';
import { Log } from './log.ts';
import type { Monitor } from './monitor.ts';
import { Peer } from './peer.ts';
import { Scaling } from './scaling.ts';
import { Store } from './store.ts';
import { Watching } from './watching.ts';

const text = z.string().min(1);
const whole = z.number().int().min(1);
const labels = z.record(text, z.string());
const secretKey = z.object({ secret: text, key: text }).strict();
const peer = z.union([
  z.object({ namespace: text, podLabels: labels.optional() }).strict(),
  z.object({ cluster: z.literal(true), podLabels: labels.optional() }).strict(),
  z.object({ cidr: text, except: z.array(text).optional() }).strict(),
  z.literal('anywhere'),
]);
const peers = z.array(peer).min(1);
const NOBODY_TOLD = 'receivers beside routes and heartbeat: nobody would be told';

const channel = z.discriminatedUnion('type', [
  z.object({ type: z.literal('slack'), name: text.optional(), url: secretKey }).strict(),
  z.object({ type: z.literal('teams'), name: text.optional(), url: secretKey }).strict(),
  z
    .object({ type: z.literal('pagerduty'), name: text.optional(), routingKey: secretKey, address: z.url().optional() })
    .strict(),
  z
    .object({ type: z.literal('opsgenie'), name: text.optional(), apiKey: secretKey, address: z.url().optional() })
    .strict(),
  z
    .object({
      type: z.literal('webhook'),
      name: text.optional(),
      url: secretKey,
      signingKey: secretKey.optional(),
      port: whole.max(65_535).optional(),
    })
    .strict(),
  z
    .object({
      type: z.literal('alertmanager'),
      name: text.optional(),
      urls: z.array(z.url()).min(1),
      username: text.optional(),
      password: secretKey.optional(),
      token: secretKey.optional(),
      ca: secretKey.optional(),
      labels: labels.optional(),
      dashboards: z.url().optional(),
    })
    .strict(),
]);

const scaling = z
  .object({
    fixed: whole.optional(),
    cpu: z
      .object({ minimum: whole.optional(), maximum: whole.optional(), utilisation: whole.optional() })
      .strict()
      .optional(),
    lag: z
      .object({ minimum: whole.optional(), maximum: whole.optional(), lagPerReplica: whole.optional() })
      .strict()
      .optional(),
  })
  .strict()
  .refine((one) => Object.values(one).filter((value) => value !== undefined).length === 1, 'one of fixed, cpu and lag');

const sizes = z.object({ cpu: text.optional(), memory: text.optional(), temporary: text.optional() }).strict();

export const settingsSchema = z
  .object({
    name: text.optional(),
    namespace: text.optional(),
    createNamespace: z.boolean().optional(),
    image: text.optional(),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent']).optional(),
    imagePullSecrets: z.array(text).optional(),
    log: z
      .object({
        kafka: z
          .object({
            brokers: z.array(text).min(1),
            topic: text.optional(),
            group: text.optional(),
            partitions: whole.optional(),
            tls: z
              .object({ ca: secretKey.optional(), certificate: secretKey.optional(), key: secretKey.optional() })
              .strict()
              .optional(),
            sasl: z
              .object({
                mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
                username: secretKey,
                password: secretKey,
              })
              .strict()
              .optional(),
            peers: peers.optional(),
          })
          .strict(),
      })
      .strict(),
    store: z
      .object({
        s3: z
          .object({
            bucket: text,
            prefix: text.optional(),
            region: text.optional(),
            endpoint: text.optional(),
            ca: secretKey.optional(),
            accessKeyId: secretKey.optional(),
            secretAccessKey: secretKey.optional(),
            peers: peers.optional(),
          })
          .strict(),
      })
      .strict(),
    /** Monitor files and folders of them, seen from this file. */
    monitors: z.array(text),
    tokens: secretKey.optional(),
    policyKey: secretKey.optional(),
    channels: z.array(channel).optional(),
    routes: z.array(routeSchema).optional(),
    mutes: z.array(muteSchema).optional(),
    watching: z
      .union([
        z
          .object({
            operator: z
              .object({
                labels: labels.optional(),
                by: z.enum(['pods', 'services']).optional(),
                ...ruleKeys,
                ...alertingKeys(secretKey),
              })
              .strict()
              .refine(isWhole, NOBODY_TOLD),
          })
          .strict(),
        // Secrets are files beside Alertmanager.
        z
          .object({
            files: z
              .object({ ...ruleKeys, ...alertingKeys(text) })
              .strict()
              .refine(isWhole, NOBODY_TOLD),
          })
          .strict(),
        z.enum(['files', 'none']),
      ])
      .optional(),
    grafana: z
      .union([
        z
          .object({ sidecar: z.object({ labels: labels.optional(), annotations: labels.optional() }).strict() })
          .strict(),
        z.object({ operator: z.object({ instances: labels, folder: text.optional() }).strict() }).strict(),
        z.literal('none'),
      ])
      .optional(),
    retention: z.object({ events: text.optional(), failed: text.optional() }).strict().optional(),
    links: z
      .object({ page: z.url().optional(), runbook: z.url().optional(), dashboards: z.url().optional() })
      .strict()
      .optional(),
    hostNames: z.array(text).optional(),
    collectors: scaling.optional(),
    profilers: scaling.optional(),
    resources: z.partialRecord(z.enum(PARTS), sizes).optional(),
    limits: z.enum(['memory', 'memory-and-cpu']).optional(),
    priorityClassName: text.optional(),
    serviceAccountAnnotations: labels.optional(),
    clients: peers.optional(),
    scrapers: peers.optional(),
    dns: peers.optional(),
    owner: text.optional(),
  })
  .strict();
export type Settings = z.output<typeof settingsSchema>;

/** `read`: what stands at its `monitors`. */
export function chartPropsOf(settings: Settings, read: readonly Monitor[]): ModelMonitoringChartProps {
  const {
    log,
    store,
    monitors: _,
    channels,
    watching,
    grafana,
    collectors,
    profilers,
    clients,
    scrapers,
    dns,
    ...same
  } = settings;
  const { peers: ofKafka, ...kafka } = log.kafka;
  const { peers: ofStore, ...s3 } = store.s3;
  return {
    ...same,
    log: Log.kafka({ ...kafka, ...(ofKafka === undefined ? {} : { peers: ofKafka.map(peerOf) }) }),
    store: Store.s3({ ...s3, ...(ofStore === undefined ? {} : { peers: ofStore.map(peerOf) }) }),
    monitors: read,
    ...(channels === undefined ? {} : { channels: channels.map(channelOf) }),
    ...(watching === undefined ? {} : { watching: watchingOf(watching) }),
    ...(grafana === undefined ? {} : { grafana: grafanaOf(grafana) }),
    ...(collectors === undefined ? {} : { collectors: scalingOf(collectors) }),
    ...(profilers === undefined ? {} : { profilers: scalingOf(profilers) }),
    ...(clients === undefined ? {} : { clients: clients.map(peerOf) }),
    ...(scrapers === undefined ? {} : { scrapers: scrapers.map(peerOf) }),
    ...(dns === undefined ? {} : { dns: dns.map(peerOf) }),
  };
}

function peerOf(one: z.output<typeof peer>): Peer {
  if (one === 'anywhere') return Peer.anywhere();
  if ('cidr' in one) return Peer.addresses(one.cidr, one.except === undefined ? {} : { except: one.except });
  const options = one.podLabels === undefined ? {} : { podLabels: one.podLabels };
  return 'namespace' in one ? Peer.namespace(one.namespace, options) : Peer.cluster(options);
}

function channelOf(one: z.output<typeof channel>): Channel {
  const named = one.name === undefined ? {} : { name: one.name };
  const addressed = 'address' in one && one.address !== undefined ? { ...named, url: one.address } : named;
  if (one.type === 'slack') return Channel.slack(one.url, named);
  if (one.type === 'teams') return Channel.teams(one.url, named);
  if (one.type === 'pagerduty') return Channel.pagerDuty(one.routingKey, addressed);
  if (one.type === 'opsgenie') return Channel.opsgenie(one.apiKey, addressed);
  if (one.type === 'alertmanager') {
    const { type: _type, urls, ...options } = one;
    return Channel.alertmanager(urls, options);
  }
  return Channel.webhook(one.url, {
    ...named,
    ...(one.signingKey === undefined ? {} : { signingKey: one.signingKey }),
    ...(one.port === undefined ? {} : { port: one.port }),
  });
}

function watchingOf(one: NonNullable<Settings['watching']>): Watching {
  if (one === 'none') return Watching.none();
  if (one === 'files') return Watching.files();
  if ('files' in one) return Watching.files({ ...rulesOf(one.files), ...alertingOf(one.files) });
  const { labels: chosen, by, ...alerting } = one.operator;
  return Watching.operator({
    ...(chosen === undefined ? {} : { labels: chosen }),
    ...(by === undefined ? {} : { by }),
    ...rulesOf(alerting),
    ...alertingOf(alerting),
  });
}

function grafanaOf(one: NonNullable<Settings['grafana']>): Grafana {
  if (one === 'none') return Grafana.none();
  return 'sidecar' in one ? Grafana.sidecar(one.sidecar) : Grafana.operator(one.operator);
}

function scalingOf({ fixed, cpu, lag }: z.output<typeof scaling>): Scaling {
  if (fixed !== undefined) return Scaling.fixed(fixed);
  return lag === undefined ? Scaling.cpu(cpu) : Scaling.lag(lag);
}
