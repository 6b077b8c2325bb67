/**
 * What the client is told of brokers, TLS and passwords. Secrets are files and are read at every new connection, so that what was
 * rotated takes effect without a restart.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { BaseOptions } from '@platformatic/kafka';
import type { KafkaConfig } from '../../contracts/roles.ts';

const CONNECT_MS = 10_000;
const REQUEST_MS = 30_000;

/** A name that brokers log, for the administrator. */
export type ConnectionOptions = BaseOptions & { readonly clientId: string };

export function connectionOptions(config: KafkaConfig, clientId: string): ConnectionOptions {
  return {
    clientId,
    bootstrapBrokers: [...config.brokers],
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    timeout: REQUEST_MS,
    retries: 1,
    retryDelay: 200,
    autocreateTopics: false,
    ...(config.tls === undefined
      ? {}
      : { tls: tlsOptions(config.tls), tlsServerName: !config.brokers.some(isAddress) }),
    ...(config.sasl === undefined ? {} : { sasl: saslOptions(config.sasl) }),
  };
}

/** Its properties are read when a connection is made. */
function tlsOptions(files: NonNullable<KafkaConfig['tls']>): NonNullable<BaseOptions['tls']> {
  const { caFile, certificateFile, keyFile } = files;
  return {
    get ca() {
      return caFile === undefined ? undefined : readSecret(caFile, 'log.kafka.tls.caFile');
    },
    get cert() {
      return certificateFile === undefined ? undefined : readSecret(certificateFile, 'log.kafka.tls.certificateFile');
    },
    get key() {
      return keyFile === undefined ? undefined : readSecret(keyFile, 'log.kafka.tls.keyFile');
    },
    minVersion: 'TLSv1.2',
  };
}

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

function saslOptions(sasl: NonNullable<KafkaConfig['sasl']>): NonNullable<BaseOptions['sasl']> {
  return {
    mechanism: MECHANISMS[sasl.mechanism],
    username: () => readSecret(sasl.usernameFile, 'log.kafka.sasl.usernameFile').trim(),
    password: () => readSecret(sasl.passwordFile, 'log.kafka.sasl.passwordFile').replace(/\r?\n$/, ''),
  };
}

/** A file of the configuration that cannot be read. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

function readSecret(file: string, path: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SecretFileError(
      `${path}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}); mount the secret there, readable by this user`,
      { cause: error },
    );
  }
}

function isAddress(broker: string): boolean {
  return isIP(broker.slice(0, broker.lastIndexOf(':')).replace(/^\[|\]$/g, '')) !== 0;
}
