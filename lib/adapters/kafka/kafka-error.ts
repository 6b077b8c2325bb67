/** What the client throws, told in words: a passing failure, or an error that says what to do. */
import { ProblemError } from '../../contracts/problem.ts';
import { TransientError } from '../../pipeline/ports.ts';
import { SecretFileError } from './connection-options.ts';

/** One cause found in the tree of errors that the client throws. */
interface Found {
  /** Of the protocol, for example `TOPIC_AUTHORIZATION_FAILED`, or of the system, for example `ECONNREFUSED`. */
  readonly id: string;
  readonly message: string;
}

const MOST = 50;

/** Every cause in an error: aggregates, causes, what other errors hold. */
export function causesOf(error: unknown): Found[] {
  const found: Found[] = [];
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  while (queue.length > 0 && seen.size < MOST) {
    const one = queue.shift();
    if (typeof one !== 'object' || one === null || seen.has(one)) continue;
    seen.add(one);
    const { apiId, code, message, errors, cause } = one as Record<string, unknown>;
    const id = typeof apiId === 'string' ? apiId : typeof code === 'string' ? code : '';
    found.push({ id, message: typeof message === 'string' ? message : '' });
    if (Array.isArray(errors)) queue.push(...errors);
    queue.push(cause);
  }
  return found;
}

export function hasCause(error: unknown, id: string): boolean {
  return causesOf(error).some((cause) => cause.id === id);
}

const ADVICE: Readonly<Record<string, string>> = {
  PLT_KFK_AUTHENTICATION:
    'the broker refused user name and password; check the files of log.kafka.sasl, the mechanism, and that the user exists (kafka-configs --describe --entity-type users)',
  UNSUPPORTED_SASL_MECHANISM: 'the broker does not offer this mechanism; correct log.kafka.sasl.mechanism',
  TOPIC_AUTHORIZATION_FAILED:
    'no right on the topic; grant READ and DESCRIBE to what reads, WRITE and DESCRIBE to the collector (kafka-acls --add --topic …)',
  GROUP_AUTHORIZATION_FAILED:
    'no right on the consumer group; grant READ on it (kafka-acls --add --group … --operation Read)',
  INCONSISTENT_GROUP_PROTOCOL: 'another program uses this consumer group; give log.kafka.group another name',
  CLUSTER_AUTHORIZATION_FAILED:
    'no right on the cluster; grant IDEMPOTENT_WRITE to the collector (kafka-acls --add --cluster …)',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'no right to write; grant WRITE on the topic to the collector',
  UNKNOWN_TOPIC:
    'there is no such topic, or no right to see it; create it with message.timestamp.type=LogAppendTime, or correct log.kafka.topic',
  PLT_KFK_UNSUPPORTED_COMPRESSION:
    'a batch is compressed with zstd, which this Node cannot decode; run Node 22.15 or later, or set compression.type=lz4 on the topic and let retention remove the batch',
  PLT_KFK_UNSUPPORTED_API: 'the broker is older than Kafka 3.5, the oldest that is supported',
  INVALID_TIMESTAMP: 'the topic refuses the time of the message; set message.timestamp.type=LogAppendTime on it',
  CERT_HAS_EXPIRED: "the broker's certificate has expired; renew it",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "the broker's certificate is for another name; correct log.kafka.brokers or the certificate",
  ERR_SSL_WRONG_VERSION_NUMBER:
    'this port speaks no TLS; correct the port in log.kafka.brokers, or remove log.kafka.tls',
  EPROTO: 'the TLS handshake failed; check the port, and the certificate if the broker asks for one',
};
const UNTRUSTED = /SELF_SIGNED_CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED/;
const UNTRUSTED_ADVICE =
  "the broker's certificate is signed by nobody trusted here; give its authority in log.kafka.tls.caFile";

/**
 * `TransientError` for what may pass by itself (broker away, leader moving, timeout), an Error with advice for what a person must mend.
 * @param what the operation and its object, for example `kafka read mlmon-events`
 */
export function kafkaError(what: string, error: unknown): Error {
  if (error instanceof TransientError || error instanceof ProblemError || error instanceof KafkaFault) return error;
  const causes = causesOf(error);
  if (error instanceof SecretFileError) return new KafkaFault(`${what}: ${error.message}`, { cause: error });
  const missing = causes.find(({ message }) => message.startsWith('Unknown topic '));
  const advised = missing === undefined ? causes.find(({ id }) => id in ADVICE || UNTRUSTED.test(id)) : undefined;
  const advice =
    missing !== undefined
      ? ADVICE['UNKNOWN_TOPIC']
      : advised === undefined
        ? undefined
        : (ADVICE[advised.id] ?? UNTRUSTED_ADVICE);
  if (advice !== undefined) return new KafkaFault(`${what}: ${advice}`, { cause: error });
  return new TransientError(`${what}: ${reasonOf(causes)}`, { cause: error });
}

/** What a person must mend. */
export class KafkaFault extends Error {
  override readonly name = 'KafkaFault';
}

/** The innermost cause says most. */
function reasonOf(causes: readonly Found[]): string {
  const told = causes.filter(({ message }) => message !== '');
  const last = told.at(-1);
  if (last === undefined) return 'failed';
  return /^[A-Z_]{4,}$/.test(last.id) && !last.message.includes(last.id) ? `${last.id}: ${last.message}` : last.message;
}
