/** What is set where nobody said otherwise. A test compares the `@default` of the props with these. */
import type { Role } from '../contracts/roles.ts';
import { version } from '../contracts/version.ts';

/** User, group and owner of volumes in every container. Above 10000, so that it is no account of a node. */
export const USER = 10_001;

export const DEFAULT_NAME = 'mlmon';
export const DEFAULT_NAMESPACE = 'ml-monitoring';
/** What `docker build -t` of the how-to makes. */
export const DEFAULT_IMAGE = `ml-monitoring-constructs:${version}`;

/** Where tokens are: a key of a Secret that whoever runs the cluster makes. */
export const DEFAULT_TOKENS = { secret: 'mlmon-tokens', key: 'tokens' } as const;

/** Paths in a container. */
export const PATHS = {
  config: '/etc/mlmon',
  run: '/etc/mlmon/run.yaml',
  channels: '/etc/mlmon/channels/channels.yaml',
  monitors: '/etc/mlmon/monitors',
  secrets: '/var/run/secrets/mlmon',
  spool: '/var/lib/mlmon/spool',
  temporary: '/tmp',
} as const;

/** What a container asks for, and the memory it may use at most. Kubernetes quantities. */
export interface ContainerResources {
  /** Asked for: `250m`. */
  readonly cpu: string;
  /** Asked for and the limit: `256Mi`. */
  readonly memory: string;
  /** Size of `/tmp`. */
  readonly temporary: string;
}

/** Parts that run as a Deployment of their own. */
export type Part = Exclude<Role, 'sidecar'>;
export const PARTS = [
  'collector',
  'archiver',
  'profiler',
  'evaluator',
  'labeler',
  'notifier',
  'page',
] as const satisfies readonly Part[];

export const DEFAULT_RESOURCES: Readonly<Record<Role, ContainerResources>> = {
  collector: { cpu: '250m', memory: '320Mi', temporary: '64Mi' },
  archiver: { cpu: '250m', memory: '512Mi', temporary: '1Gi' },
  profiler: { cpu: '500m', memory: '512Mi', temporary: '64Mi' },
  evaluator: { cpu: '250m', memory: '512Mi', temporary: '1Gi' },
  // Joins labels with predictions by DuckDB, which spills to /tmp.
  labeler: { cpu: '500m', memory: '1Gi', temporary: '4Gi' },
  notifier: { cpu: '50m', memory: '192Mi', temporary: '64Mi' },
  page: { cpu: '100m', memory: '320Mi', temporary: '1Gi' },
  sidecar: { cpu: '100m', memory: '192Mi', temporary: '64Mi' },
};

/** Partitions of the topic: as many profilers can work at once. */
export const DEFAULT_PARTITIONS = 6;

/** From SIGTERM to SIGKILL: the drain of a role takes 45 s at most. */
export const TERMINATION_GRACE_SECONDS = 60;

/** What the API server takes in one ConfigMap, over all its keys, in bytes. */
export const CONFIG_MAP_LIMIT = 1_048_576;
