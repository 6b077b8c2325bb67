/** Kafka brokers for tests: Apache Kafka on one node (KRaft), and kfake in memory. Installed by scripts/kafka.sh, ended by their id. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { eventually, freePort, Program, run } from '../programs.ts';
import { type Certificates, makeCertificates } from './certificates.ts';

const TOOLS = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlmon-tools');
const CLUSTER_ID = '5L6g3nShT-eMCtK--X86sw';

export const KAFKA_VERSIONS = ['4.1.0', '3.9.1'] as const;

export interface TopicSetup {
  readonly partitions: number;
  readonly config?: Readonly<Record<string, string>>;
}

export interface KafkaSetup {
  /** @default the newest */
  readonly version?: (typeof KAFKA_VERSIONS)[number];
  /** Made at the start, with `message.timestamp.type=LogAppendTime` unless its configuration says otherwise. */
  readonly topics?: Readonly<Record<string, TopicSetup>>;
  /** A second listener with TLS and SCRAM-SHA-512 for this user, who may do nothing until `allow` gives rights. */
  readonly secure?: { readonly username: string; readonly password: string };
  /** Further lines of server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface KafkaBroker {
  /** `host:port` without TLS and password. */
  readonly address: string;
  /** `host:port` with both; '' without `secure`. */
  readonly secureAddress: string;
  readonly certificates: Certificates | null;
  createTopic(name: string, setup: TopicSetup): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  growTopic(name: string, partitions: number): Promise<void>;
  /** Removes what lies before an offset, as retention would. */
  deleteBefore(topic: string, partition: number, offset: bigint): Promise<void>;
  /** Ends the broker: SIGKILL, or orderly with SIGTERM. */
  down(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same ports and data. */
  up(): Promise<void>;
  /** For what is not here; without password. */
  admin(): Admin;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** Apache Kafka, a node of its own with data in a temporary folder. Ready in 5 to 10 s, 360 MB. */
export async function startKafka(setup: KafkaSetup = {}): Promise<KafkaBroker> {
  const version = setup.version ?? KAFKA_VERSIONS[0];
  const libs = join(TOOLS, `kafka-${version}`, 'libs', '*');
  if (!existsSync(join(TOOLS, `kafka-${version}`, 'complete')))
    throw new Error(`Kafka ${version} is not installed; run: bash scripts/kafka.sh broker`);
  const folder = await mkdtemp(join(tmpdir(), 'mlmon-kafka-'));
  const [port, controller, secure] = [await freePort(), await freePort(), await freePort()];
  const certificates = setup.secure === undefined ? null : await makeCertificates(folder);
  const file = join(folder, 'server.properties');
  const lines = {
    ...properties({ folder, port, controller }),
    ...(certificates === null ? {} : await secureProperties(folder, { port, controller, secure }, certificates)),
    ...setup.properties,
  };
  await writeFile(
    file,
    Object.entries(lines)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const scram =
    setup.secure === undefined
      ? []
      : ['--add-scram', `SCRAM-SHA-512=[name=${setup.secure.username},password=${setup.secure.password}]`];
  const format = ['-cp', libs, 'kafka.tools.StorageTool', 'format', '--standalone', '-t', CLUSTER_ID, '-c', file];
  const formatted = await run('java', [...format, ...scram]);
  if (formatted.code !== 0) throw new Error(`Kafka could not be formatted:\n${formatted.out}${formatted.err}`);

  let program: Program | null = null;
  const up = async (): Promise<void> => {
    program = new Program('java', ['-Xmx512m', '-Xms256m', '-cp', libs, 'kafka.Kafka', file]);
    await program.says(/Kafka Server started/);
  };
  const down = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    await program?.stop(signal);
    program = null;
  };
  await up();
  return brokerAt(`127.0.0.1:${port}`, setup, {
    secureAddress: certificates === null ? '' : `127.0.0.1:${secure}`,
    certificates,
    up,
    down,
    async close() {
      await down();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** kfake: memory only (what it holds is gone when it goes down), no TLS. Ready in less than 100 ms. */
export async function startKfake(setup: Pick<KafkaSetup, 'topics'> = {}): Promise<KafkaBroker> {
  const binary = join(TOOLS, 'kfake', 'kfake');
  if (!existsSync(binary)) throw new Error('kfake is not installed; run: bash scripts/kafka.sh');
  const port = await freePort();
  let program: Program | null = null;
  const up = async (): Promise<void> => {
    program = new Program(binary, ['-port', String(port)]);
    await program.says(/listening on/);
  };
  const down = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    await program?.stop(signal);
    program = null;
  };
  await up();
  return brokerAt(`127.0.0.1:${port}`, setup, { secureAddress: '', certificates: null, up, down, close: () => down() });
}

async function brokerAt(
  address: string,
  { topics = {} }: KafkaSetup,
  parts: Pick<KafkaBroker, 'secureAddress' | 'certificates' | 'up' | 'down' | 'close'>,
): Promise<KafkaBroker> {
  const admin = (): Admin =>
    new Admin({ clientId: 'test', bootstrapBrokers: [address], retries: 10, retryDelay: 300, timeout: 15_000 });
  const within = async (work: (client: Admin) => Promise<unknown>): Promise<void> => {
    const client = admin();
    try {
      await work(client);
    } finally {
      await client.close();
    }
  };
  const broker: KafkaBroker = {
    address,
    ...parts,
    admin,
    async createTopic(topic, { partitions, config = {} }) {
      const configs = Object.entries({ 'message.timestamp.type': 'LogAppendTime', ...config });
      await within((client) =>
        client.createTopics({
          topics: [topic],
          partitions,
          replicas: 1,
          configs: configs.map(([name, value]) => ({ name, value })),
        }),
      );
      // The answer comes before the topic has leaders.
      await within((client) =>
        eventually(
          () => client.metadata({ topics: [topic], forceUpdate: true }),
          (answer) => {
            const found = answer.topics.get(topic)?.partitions ?? [];
            return found.length === partitions && found.every(({ leader }) => leader >= 0);
          },
        ),
      );
    },
    deleteTopic: (topic) => within((client) => client.deleteTopics({ topics: [topic] })),
    growTopic: (topic, count) =>
      within(async (client) => {
        const { brokers, topics: known } = await client.metadata({ topics: [topic], forceUpdate: true });
        const present = known.get(topic)?.partitionsCount ?? 0;
        const brokerIds = [...brokers.keys()].slice(0, 1);
        const assignments = Array.from({ length: count - present }, () => ({ brokerIds }));
        await client.createPartitions({ topics: [{ name: topic, count, assignments }] });
      }),
    deleteBefore: (topic, partition, offset) =>
      within((client) => client.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset }] }] })),
  };
  for (const [topic, of] of Object.entries(topics)) await broker.createTopic(topic, of);
  return broker;
}

interface Ports {
  readonly port: number;
  readonly controller: number;
}

function properties({ folder, port, controller }: Ports & { readonly folder: string }): Record<string, string> {
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners,
    'advertised.listeners': listeners,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
  };
}

/** Whoever comes without TLS is an administrator; whoever comes with it needs a password, and rights. */
async function secureProperties(
  folder: string,
  { port, controller, secure }: Ports & { readonly secure: number },
  { certificateFile, keyFile }: Certificates,
): Promise<Record<string, string>> {
  const store = join(folder, 'keystore.pem');
  await writeFile(store, (await readFile(keyFile, 'utf8')) + (await readFile(certificateFile, 'utf8')), {
    mode: 0o600,
  });
  const listeners = `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller},SECURE://127.0.0.1:${secure}`;
  return {
    listeners,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL',
    'listener.name.secure.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'listener.name.secure.scram-sha-512.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'listener.name.secure.ssl.keystore.type': 'PEM',
    'listener.name.secure.ssl.keystore.location': store,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  };
}
