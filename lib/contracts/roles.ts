/**
 * Configuration of `mlmon run`: which log, store and network a set of moving parts works with. One file serves every role, so that the parts of a
 * deployment cannot disagree; a role reads what it needs. Secrets are files of their own, named in it.
 */
import { z } from 'zod';
import { isDuration } from './duration.ts';

/**
 * What a container may run, alone or together. `evaluator` also publishes monitors, closes grains, learns baselines, cleans up and exports the
 * state of models; it is needed once, and more than one do no harm.
 */
export const ROLES = [
  'collector',
  'archiver',
  'profiler',
  'evaluator',
  'labeler',
  'notifier',
  'page',
  'sidecar',
] as const;
export type Role = (typeof ROLES)[number];

/** Ports inside a container. */
export const ROLE_PORTS = {
  /** Events, labels, the page. */
  http: 8080,
  /** `/metrics`, `/healthz`, `/readyz`. */
  operations: 9464,
  /** The sidecar's proxy. */
  proxy: 8090,
} as const;

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

const file = z.string().min(1);
const port = z.number().int().min(0).max(65_535);
const milliseconds = z.number().int().min(0);

const PORT_TEXT = '(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])';
/** `host:port`, or an IPv6 address in brackets and a port from 1 to 65535. */
const HOST_PORT = new RegExp(`^[^\\s:/@]+:${PORT_TEXT}$|^\\[[0-9a-fA-F:]+\\]:${PORT_TEXT}$`);
export const KAFKA_BROKER = HOST_PORT;
export const KAFKA_TOPIC = /^[A-Za-z0-9._-]{1,249}$/;
/** Room is left for the names of roles behind it. */
export const KAFKA_GROUP = /^[A-Za-z0-9._-]{1,200}$/;

const kafkaSchema = z
  .object({
    /** `host:port`. */
    brokers: z.array(z.string().regex(KAFKA_BROKER, 'host:port, with a port from 1 to 65535')).min(1),
    topic: z
      .string()
      .regex(KAFKA_TOPIC, 'at most 249 letters, digits, dots, underscores and hyphens')
      .default('mlmon-events'),
    /** Consumer groups are `<group>-profiler`, `<group>-archiver`; their offsets are for lag only. */
    group: z.string().regex(KAFKA_GROUP, 'at most 200 letters, digits, dots, underscores and hyphens').default('mlmon'),
    /** Absent: no TLS. `{}`: the system's authorities. Files are PEM. */
    tls: z
      .object({ caFile: file.optional(), certificateFile: file.optional(), keyFile: file.optional() })
      .strict()
      .optional(),
    sasl: z
      .object({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
        usernameFile: file,
        passwordFile: file,
      })
      .strict()
      .optional(),
  })
  .strict();
export type KafkaConfig = z.output<typeof kafkaSchema>;

const s3Schema = z
  .object({
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, '3 to 63 lower-case letters, digits, dots and hyphens'),
    prefix: z.string().optional(),
    region: z.string().min(1).default('us-east-1'),
    /** Of a compatible service; absent: AWS. */
    endpoint: z.url().optional(),
    /** PEM, where the endpoint's certificate is not signed by a public authority. */
    caFile: file.optional(),
    /** Both or neither; without them credentials come from the identity of the workload. */
    accessKeyIdFile: file.optional(),
    secretAccessKeyFile: file.optional(),
  })
  .strict();
export type S3Config = z.output<typeof s3Schema>;

/** The part of the role `sidecar`, which also reads `http` (where the app and KServe's logger post) and `monitors`. */
const sidecarSchema = z
  .object({
    /** Where events go. */
    collector: z
      .object({
        /** Without path: `http://mlmon-collector.monitoring:8080`. */
        url: z.url({ protocol: /^https?$/ }),
        /** One line, the token alone, with the scopes `events:write` and `labels:write`; read again when it changes. */
        tokenFile: file.optional(),
        /** PEM, where the collector's certificate is not signed by a public authority. */
        caFile: file.optional(),
        /** Of one request. */
        timeoutMs: milliseconds.min(100).default(10_000),
      })
      .strict(),
    /** Absent: nothing is proxied, events come by `http` alone. */
    proxy: z
      .object({
        host: z.string().default('127.0.0.1'),
        port: port.default(ROLE_PORTS.proxy),
        /** Of the model server, `host:port`, without TLS: it is in the same pod. */
        upstream: z.string().regex(HOST_PORT, 'host:port, with a port from 1 to 65535'),
        /** Whose inferences these are, where the path names no model that a monitor declares. Default: that of the only monitor. */
        model: z.string().min(1).max(63).optional(),
        /** Of the model that is served. Default: `kserve.version` of the monitor. */
        version: z.string().min(1).max(256).optional(),
        /** Header of requests with the id that labels come with; without it an inference gets an id of its own. */
        idHeader: z
          .string()
          .regex(/^[A-Za-z0-9-]{1,100}$/, 'the name of a header: letters, digits and hyphens')
          .default('x-request-id'),
        /** Regular expressions of paths that infer; everything else passes unwatched. */
        paths: z
          .array(z.string().min(1).max(500).refine(isPattern, 'a regular expression'))
          .min(1)
          .default([':predict$', '/infer$', '/predict$', '/invocations$']),
        /** Of one body: a longer one passes all the same, but its inference is not kept (`cut`). */
        copyBytes: z.number().int().min(1_024).max(8_388_608).default(1_048_576),
      })
      .strict()
      .optional(),
    spool: z
      .object({
        /** Absent: events wait in memory alone and a restart loses them. */
        folder: file.optional(),
        /** Bytes on disk beyond which events are shed. */
        diskBytes: z.number().int().min(8_388_608).default(1_073_741_824),
        /** `os`: survives the end of the process; `fsync`: that of the machine too. */
        durability: z.enum(['os', 'fsync']).default('os'),
        /** Bytes in memory, copies of bodies under way included. */
        memoryBytes: z.number().int().min(4_194_304).default(33_554_432),
      })
      .strict()
      .prefault({}),
  })
  .strict();
export type SidecarConfig = z.output<typeof sidecarSchema>;

export const runConfigSchema = z
  .object({
    schema: z.literal('mlmon.run/v1'),
    log: z.union([z.object({ kafka: kafkaSchema }).strict(), z.object({ folder: file }).strict()]).optional(),
    store: z.union([z.object({ s3: s3Schema }).strict(), z.object({ folder: file }).strict()]).optional(),
    http: z
      .object({
        host: z.string().default('127.0.0.1'),
        port: port.default(ROLE_PORTS.http),
        /** Names under which it is reached besides, for example that of a service. */
        names: z.array(z.string()).default([]),
        /** Tokens, one a line: name scope,scope token. Needed for any address but this machine's. */
        tokenFile: file.optional(),
      })
      .strict()
      .prefault({}),
    operations: z
      .object({ host: z.string().default('127.0.0.1'), port: port.default(ROLE_PORTS.operations) })
      .strict()
      .prefault({}),
    /** A folder of monitors (YAML or JSON), published by the evaluator under `owner`; what is gone from it is removed from the platform. */
    monitors: z
      .object({
        folder: file,
        owner: z
          .string()
          .regex(/^[a-z0-9-]{1,63}$/, 'lower-case letters, digits and hyphens, at most 63')
          .default('kubernetes'),
      })
      .strict()
      .optional(),
    sidecar: sidecarSchema.optional(),
    /** When the archiver cuts an object: labels are joined once it has. */
    archive: z
      .object({
        /** The oldest record waits so long at most. */
        maxAgeMs: milliseconds.min(1_000).default(300_000),
        /** Of log records, about. */
        maxBytes: z.number().int().min(65_536).max(268_435_456).default(16_777_216),
      })
      .strict()
      .prefault({}),
    /** Copies of captured objects that the labeler queries, and what its database spills; what was read longest ago goes first. */
    scratch: z
      .object({
        /** Absent: the system's for temporary files. */
        folder: file.optional(),
        diskBytes: z.number().int().min(67_108_864).default(2_147_483_648),
      })
      .strict()
      .prefault({}),
    /** How long the evaluator lets objects lie that hold single events; what a model's monitor says comes on top. */
    retention: z
      .object({
        /** Of captured events and labels; absent: for ever. Labels must arrive within it. */
        events: z.string().refine(isDuration, 'a whole number and a unit, e.g. 400d').optional(),
        /** Of what was quarantined. */
        failed: z.string().refine(isDuration, 'a whole number and a unit, e.g. 14d').default('14d'),
      })
      .strict()
      .prefault({}),
    /** Channels and routes, as `mlmon serve --channels` reads them. */
    channelsFile: file.optional(),
    /** Key of the field policies `hash`. */
    policyKeyFile: file.optional(),
    /** What links in alerts begin with. */
    links: z
      .object({ page: z.url().optional(), runbook: z.url().optional(), dashboards: z.url().optional() })
      .strict()
      .prefault({}),
    /** After SIGTERM: readiness fails at once, listeners close after `waitMs`, and everything has ended after `limitMs`. */
    drain: z
      .object({ waitMs: milliseconds.default(5_000), limitMs: milliseconds.default(45_000) })
      .strict()
      .prefault({}),
  })
  .strict();
export type RunConfig = z.output<typeof runConfigSchema>;
