/** The log of events, as a container is told of it. */
import type { Problem } from '../contracts/problem.ts';
import { shown } from '../contracts/problem.ts';
import { KAFKA_BROKER, KAFKA_GROUP, KAFKA_TOPIC } from '../contracts/roles.ts';
import { DEFAULT_PARTITIONS } from './defaults.ts';
import { Peer } from './peer.ts';
import { type SecretKey, secretFile } from './secret-key.ts';

export interface KafkaTls {
  /** PEM of the authority. @default the system's authorities */
  readonly ca?: SecretKey;
  /** PEM of the client's certificate, with `key`. @default none */
  readonly certificate?: SecretKey;
  /** PEM of its key. @default none */
  readonly key?: SecretKey;
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: SecretKey;
  readonly password: SecretKey;
}

export interface KafkaOptions {
  /** `host:port`. */
  readonly brokers: readonly string[];
  /** @default 'mlmon-events' */
  readonly topic?: string;
  /** Consumer groups begin with it. @default 'mlmon' */
  readonly group?: string;
  /** Of the topic: as many profilers and archivers can work at once. @default 6 */
  readonly partitions?: number;
  /** `{}`: the system's authorities. @default no TLS */
  readonly tls?: KafkaTls;
  /** @default none */
  readonly sasl?: KafkaSasl;
  /** Where the brokers are, for network policies; the ports are those of `brokers`. @default anywhere */
  readonly peers?: readonly Peer[];
}

/** Made by its factories. */
export class Log {
  /** A topic of Kafka, 3.5 or newer. */
  static kafka(options: KafkaOptions): Log {
    return new Log(options);
  }

  readonly options: KafkaOptions;

  private constructor(options: KafkaOptions) {
    this.options = options;
  }

  get partitions(): number {
    return this.options.partitions ?? DEFAULT_PARTITIONS;
  }

  get topic(): string {
    return this.options.topic ?? 'mlmon-events';
  }

  get group(): string {
    return this.options.group ?? 'mlmon';
  }

  get peers(): readonly Peer[] {
    return this.options.peers ?? [Peer.anywhere()];
  }

  /** Ports of the brokers, each once. */
  get ports(): readonly number[] {
    return [...new Set(this.options.brokers.map((broker) => Number(broker.slice(broker.lastIndexOf(':') + 1))))];
  }

  get secrets(): readonly SecretKey[] {
    const { tls, sasl } = this.options;
    return [tls?.ca, tls?.certificate, tls?.key, sasl?.username, sasl?.password].filter((one) => one !== undefined);
  }

  /** What stands under `log` in the configuration of a run. */
  get config(): { readonly kafka: Readonly<Record<string, unknown>> } {
    const { brokers, tls, sasl } = this.options;
    return {
      kafka: {
        brokers: [...brokers],
        topic: this.topic,
        group: this.group,
        ...(tls === undefined
          ? {}
          : {
              tls: {
                ...(tls.ca === undefined ? {} : { caFile: secretFile(tls.ca) }),
                ...(tls.certificate === undefined ? {} : { certificateFile: secretFile(tls.certificate) }),
                ...(tls.key === undefined ? {} : { keyFile: secretFile(tls.key) }),
              },
            }),
        ...(sasl === undefined
          ? {}
          : {
              sasl: {
                mechanism: sasl.mechanism,
                usernameFile: secretFile(sasl.username),
                passwordFile: secretFile(sasl.password),
              },
            }),
      },
    };
  }

  problems(): Problem[] {
    const { tls, partitions } = this.options;
    const problems: Problem[] = [];
    const { brokers } = this.options;
    const wrong = brokers.filter((broker) => !KAFKA_BROKER.test(broker));
    if (brokers.length === 0 || wrong.length > 0)
      problems.push({
        code: 'log',
        path: 'log.brokers',
        message: 'are no addresses of brokers',
        got: shown(brokers.length === 0 ? [] : wrong),
        expected: 'at least one host:port, with a port from 1 to 65535',
      });
    for (const [path, value, name, most] of [
      ['log.topic', this.topic, KAFKA_TOPIC, 249],
      ['log.group', this.group, KAFKA_GROUP, 200],
    ] as const)
      if (!name.test(value))
        problems.push({
          code: 'log',
          path,
          message: 'is no name of Kafka',
          got: shown(value),
          expected: `letters, digits, dots, underscores and hyphens, at most ${most}`,
        });
    if (partitions !== undefined && !(Number.isInteger(partitions) && partitions >= 1 && partitions <= 10_000))
      problems.push({
        code: 'log',
        path: 'log.partitions',
        message: 'is no number of partitions',
        got: shown(partitions),
        expected: 'a whole number from 1 to 10000',
      });
    if ((tls?.certificate === undefined) !== (tls?.key === undefined))
      problems.push({
        code: 'log',
        path: 'log.tls',
        message: 'has a certificate without its key, or a key without its certificate',
        expected: 'both or neither',
      });
    return problems;
  }
}
