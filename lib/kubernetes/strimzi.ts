/** A Kafka of its own, where Strimzi runs: brokers, the topic, and a user that may do what our parts do and nothing else. */
import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { DEFAULT_NAMESPACE, DEFAULT_PARTITIONS } from './defaults.ts';
import { Log } from './log.ts';
import { NAMESPACE, quantity, sizeProblems } from './object-rules.ts';
import { Peer } from './peer.ts';

export interface StrimziKafkaProps {
  /** Of the cluster and of what belongs to it. @default 'mlmon-events' */
  readonly name?: string;
  /** The same as that of the chart: certificates lie there. @default 'ml-monitoring' */
  readonly namespace?: string;
  /** Of Kafka; the operator must know it. @default the operator's */
  readonly version?: string;
  /** Of brokers, which are controllers too. @default 3 */
  readonly replicas?: number;
  /** Of each broker. @default '100Gi' */
  readonly storage?: string;
  /** @default the cluster's */
  readonly storageClass?: string;
  /** @default 6 */
  readonly partitions?: number;
  /** How long records stay: as long as anything may be down without loss. @default 7 */
  readonly retentionDays?: number;
  /** Of each broker. @default { cpu: '500m', memory: '2Gi' } */
  readonly resources?: { readonly cpu: string; readonly memory: string };
}

const API = 'kafka.strimzi.io/v1';
const TOPIC = 'mlmon-events';
const GROUP = 'mlmon';
const TLS_PORT = 9_093;

export class StrimziKafka extends Construct {
  /** For the chart. */
  readonly log: Log;

  constructor(scope: Construct, id: string, props: StrimziKafkaProps = {}) {
    super(scope, id);
    const {
      name = 'mlmon-events',
      namespace = DEFAULT_NAMESPACE,
      version,
      replicas = 3,
      storage = '100Gi',
      storageClass,
      partitions = DEFAULT_PARTITIONS,
      retentionDays = 7,
      resources = { cpu: '500m', memory: '2Gi' },
    } = props;
    const problems = strimziProblems({ replicas, partitions, retentionDays }, { name, namespace, storage, resources });
    if (problems.length > 0) throw new ProblemError(problems);
    const user = `${name}-user`;
    // Two copies before a record counts, where there are three.
    const copies = Math.min(3, replicas);
    const inSync = Math.max(1, copies - 1);
    const belongs = { labels: { 'strimzi.io/cluster': name } };

    new ApiObject(this, 'NodePool', {
      apiVersion: API,
      kind: 'KafkaNodePool',
      metadata: { name: `${name}-nodes`, namespace, ...belongs },
      spec: {
        replicas,
        roles: ['controller', 'broker'],
        resources: { requests: { ...resources }, limits: { memory: resources.memory } },
        storage: {
          type: 'jbod',
          volumes: [
            {
              id: 0,
              type: 'persistent-claim',
              size: storage,
              ...(storageClass === undefined ? {} : { class: storageClass }),
              kraftMetadata: 'shared',
              deleteClaim: false,
            },
          ],
        },
      },
    });
    new ApiObject(this, 'Kafka', {
      apiVersion: API,
      kind: 'Kafka',
      metadata: { name, namespace },
      spec: {
        kafka: {
          ...(version === undefined ? {} : { version }),
          listeners: [{ name: 'tls', port: TLS_PORT, type: 'internal', tls: true, authentication: { type: 'tls' } }],
          authorization: { type: 'simple' },
          config: {
            'auto.create.topics.enable': false,
            'default.replication.factor': copies,
            'min.insync.replicas': inSync,
            'offsets.topic.replication.factor': copies,
            'transaction.state.log.replication.factor': copies,
            'transaction.state.log.min.isr': inSync,
          },
        },
        entityOperator: { topicOperator: {}, userOperator: {} },
      },
    });
    new ApiObject(this, 'Topic', {
      apiVersion: API,
      kind: 'KafkaTopic',
      metadata: { name: `${name}-topic`, namespace, ...belongs },
      spec: {
        topicName: TOPIC,
        partitions,
        replicas: copies,
        config: {
          // On time or late is judged by when the log took a record, not by what a sender says.
          'message.timestamp.type': 'LogAppendTime',
          'retention.ms': retentionDays * 86_400_000,
          'min.insync.replicas': inSync,
          'max.message.bytes': 1_100_000,
        },
      },
    });
    new ApiObject(this, 'User', {
      apiVersion: API,
      kind: 'KafkaUser',
      metadata: { name: user, namespace, ...belongs },
      spec: {
        authentication: { type: 'tls' },
        authorization: {
          type: 'simple',
          acls: [
            {
              resource: { type: 'topic', name: TOPIC, patternType: 'literal' },
              operations: ['Read', 'Write', 'Describe', 'DescribeConfigs'],
            },
            { resource: { type: 'group', name: GROUP, patternType: 'prefix' }, operations: ['Read', 'Describe'] },
            { resource: { type: 'cluster' }, operations: ['IdempotentWrite'] },
          ],
        },
      },
    });

    this.log = Log.kafka({
      brokers: [`${name}-kafka-bootstrap.${namespace}.svc:${TLS_PORT}`],
      topic: TOPIC,
      group: GROUP,
      partitions,
      tls: {
        ca: { secret: `${name}-cluster-ca-cert`, key: 'ca.crt' },
        certificate: { secret: user, key: 'user.crt' },
        key: { secret: user, key: 'user.key' },
      },
      peers: [Peer.namespace(namespace, { podLabels: { 'strimzi.io/cluster': name, 'strimzi.io/kind': 'Kafka' } })],
    });
  }
}

/** Names of objects of its cluster begin with it, and become labels. */
const LONGEST_NAME = 40;

function strimziProblems(
  numbers: Readonly<Record<string, number>>,
  {
    name,
    namespace,
    storage,
    resources,
  }: Required<Pick<StrimziKafkaProps, 'name' | 'namespace' | 'storage' | 'resources'>>,
): Problem[] {
  const wrong = (path: string, message: string, got: unknown, expected: string): Problem => ({
    code: 'strimzi',
    path,
    message,
    got: shown(got),
    expected,
  });
  return [
    ...Object.entries(numbers)
      .filter(([, value]) => !(Number.isInteger(value) && value >= 1))
      .map(([path, value]) => wrong(path, 'is no number of this kind', value, 'a whole number of at least 1')),
    ...(NAMESPACE.test(name) && name.length <= LONGEST_NAME
      ? []
      : [
          wrong(
            'name',
            'cannot begin names of objects',
            name,
            `lower-case letters, digits and hyphens, at most ${LONGEST_NAME}`,
          ),
        ]),
    ...(NAMESPACE.test(namespace)
      ? []
      : [
          wrong(
            'namespace',
            'is no name of a namespace',
            namespace,
            'lower-case letters, digits and hyphens, at most 63',
          ),
        ]),
    ...((quantity(storage) ?? 0) >= LEAST_STORAGE
      ? []
      : [wrong('storage', 'is no size of a disk', storage, 'at least 1Gi, for example 100Gi')]),
    ...sizeProblems('resources', resources),
  ];
}

const LEAST_STORAGE = 1_073_741_824;
