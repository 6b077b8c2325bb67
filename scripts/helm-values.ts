import { z } from 'zod';
import { muteSchema, routeSchema } from '../lib/contracts/alerting.ts';
import { TIME_WITH_ZONE } from '../lib/contracts/routing-problems.ts';
import { alertReceivers, alertRoutes } from '../lib/kubernetes/alerting-settings.ts';
import { PARTS } from '../lib/kubernetes/index.ts';
import { alertChanges } from './helm-alerts.ts';

const text = z.string().min(1);
const labels = z.record(z.string(), z.string());
// Without looking ahead: Helm reads patterns as Go does.
const dataKey = z
  .string()
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/);
const secretName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
const key = z.strictObject({ secret: secretName, key: dataKey });
const whole = z.number().int().min(1);
const port = whole.max(65_535);
const quantity = z.string().regex(/^[0-9]+(\.[0-9]+)?(m|[kMGTPE]i?)?$/);
const sizes = z.strictObject({ cpu: quantity, memory: quantity, temporary: quantity });
const monitors = z.record(z.string().regex(/^[a-z0-9-]{1,63}$/), z.record(dataKey, z.string()));
const image = z.strictObject({
  repository: text,
  tag: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
  pullPolicy: z.enum(['Always', 'IfNotPresent']),
});
const limits = z.enum(['memory', 'memory-and-cpu']);
// What Helm itself passes to charts that others include.
const global = z.record(z.string(), z.unknown()).optional();

/** What the values of the Helm chart may be. */
export function valuesSchema(): string {
  // A key of a Secret with Prometheus Operator, the path of a file beside Alertmanager without.
  const secretOrFile = z.union([key, text]);
  const time = z.string().regex(TIME_WITH_ZONE).optional();
  const peers = z.array(z.record(z.string(), z.unknown()));
  const cpu = z.strictObject({
    minimum: whole.optional(),
    maximum: whole.optional(),
    utilisation: whole.max(100).optional(),
  });
  const lag = z.strictObject({ minimum: whole.optional(), maximum: whole.optional(), lagPerReplica: whole.optional() });
  const schema = z.strictObject({
    name: z.string().regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
    image: image.extend({ pullSecrets: z.array(text) }),
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
      strimzi: z.strictObject({
        enabled: z.boolean(),
        name: z.string().regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
        version: z
          .string()
          .regex(/^\d+\.\d+\.\d+$/)
          .nullable(),
        replicas: whole.max(1_000),
        storage: quantity,
        storageClass: text.nullable(),
        retentionDays: whole.max(3_650),
        resources: z.strictObject({ cpu: quantity, memory: quantity }),
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
    monitors,
    owner: z.string().regex(/^[a-z0-9-]{1,63}$/),
    tokens: key,
    policyKey: key.nullable(),
    channels: z.array(
      z.strictObject({
        config: z.looseObject({ type: z.enum(['slack', 'teams', 'pagerduty', 'opsgenie', 'webhook', 'alertmanager']) }),
        secrets: z.array(key),
        ports: z.array(port).min(1).optional(),
        peers: peers.optional(),
      }),
    ),
    routes: z.array(routeSchema).max(200),
    mutes: z.array(muteSchema.extend({ from: time, until: time })).max(200),
    retention: z.strictObject({ events: text.optional(), failed: text.optional() }),
    links: z.strictObject({ page: text.optional(), runbook: text.optional(), dashboards: text.optional() }),
    hostNames: z.array(text),
    collectors: z.strictObject({ fixed: whole.nullable(), cpu: cpu.nullable() }),
    profilers: z.strictObject({ fixed: whole.nullable(), cpu: cpu.nullable(), lag: lag.nullable() }),
    resources: z.strictObject(Object.fromEntries(PARTS.map((part) => [part, sizes]))),
    limits,
    priorityClassName: text.nullable(),
    serviceAccountAnnotations: labels,
    clients: peers,
    scrapers: peers,
    dns: peers,
    watching: z.strictObject({
      mode: z.enum(['operator', 'files', 'none']),
      labels,
      by: z.enum(['pods', 'services']),
      receivers: alertReceivers(secretOrFile),
      routes: alertRoutes,
      heartbeat: z.strictObject({ url: secretOrFile }).nullable(),
      changes: alertChanges(),
      notifier: z.enum(['episodes', 'alarms']),
    }),
    grafana: z.strictObject({
      mode: z.enum(['sidecar', 'operator', 'none']),
      labels,
      annotations: labels,
      instances: labels,
      folder: text.nullable(),
    }),
    global,
  });
  return written(schema);
}

/** What the values of the library chart of the sidecar may be. */
export function sidecarValuesSchema(): string {
  return written(
    z.strictObject({
      collector: z.url({ protocol: /^https?$/ }),
      monitors,
      token: key.nullable(),
      proxyTo: port.nullable(),
      name: z.string().regex(/^[a-z]([-a-z0-9]{0,39}[a-z0-9])?$/),
      image,
      port,
      operationsPort: port,
      spoolBytes: z.number().int().min(8_388_608),
      native: z.boolean(),
      resources: sizes,
      limits,
      kserveLogger: z.boolean(),
      global,
    }),
  );
}

function written(schema: z.ZodType): string {
  return `${JSON.stringify(byType(defaulted(z.toJSONSchema(schema, { target: 'draft-7' }))), null, 2)}\n`;
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * What has a default is not required: Helm leaves out what is null before it checks, and has the defaults for the rest. Items of lists, and what
 * is null by default, are said whole.
 */
function defaulted(schema: JsonSchema): JsonSchema {
  const { required: _, properties, ...rest } = schema;
  if (schema.type !== 'object' || properties === undefined) return schema;
  return {
    ...rest,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, one]) => [name, typeof one === 'object' ? defaulted(one) : one]),
    ),
  };
}

/** Alternatives that `type` tells apart, so that what is told is wrong with the one that is meant, not with each of them. */
function byType(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(byType);
  if (typeof value !== 'object' || value === null) return value;
  const made = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, byType(inner)])) as JsonSchema;
  const branches = (made.oneOf ?? []) as readonly JsonSchema[];
  const types = branches.map((branch) => (branch.properties?.['type'] as JsonSchema | undefined)?.const);
  if (branches.length === 0 || types.includes(undefined)) return made;
  return {
    type: 'object',
    required: ['type'],
    properties: { type: { type: 'string', enum: types } },
    allOf: branches.map((branch, at) => ({
      // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
      ...{ if: { properties: { type: { const: types[at] } }, required: ['type'] }, then: branch },
    })),
  };
}
