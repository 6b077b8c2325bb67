import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionOptions } from '../../../lib/adapters/kafka/connection-options.ts';
import { KafkaFault, kafkaError } from '../../../lib/adapters/kafka/kafka-error.ts';
import { KafkaLog } from '../../../lib/adapters/kafka/kafka-log.ts';
import { settingFaults } from '../../../lib/adapters/kafka/topic-settings.ts';
import type { KafkaConfig } from '../../../lib/contracts/roles.ts';
import { TransientError } from '../../../lib/pipeline/ports.ts';
import { freePort } from '../../real/programs.ts';

const told = (error: unknown): Error => kafkaError('kafka read events', error);
const within = (...errors: Error[]): Error => new MultipleErrors('metadata failed 2 times.', errors);
const network = (code: string): Error =>
  new NetworkError('Connection failed.', { cause: Object.assign(new Error(`failed: ${code}`), { code }) });

describe('errors of the client', () => {
  it('pass by themselves where nobody has to mend anything', () => {
    for (const error of [
      within(network('ECONNREFUSED'), network('ECONNREFUSED')),
      new ProtocolError('NOT_LEADER_OR_FOLLOWER'),
      new ProtocolError('NOT_ENOUGH_REPLICAS'),
      new Error('anything else'),
    ])
      expect(told(error)).toBeInstanceOf(TransientError);
    expect(told(within(network('ECONNREFUSED'))).message).toContain('ECONNREFUSED');
  });

  it('say what to do where somebody has to', () => {
    const cases: readonly (readonly [Error, RegExp])[] = [
      [within(new NetworkError('failed', { cause: new AuthenticationError('SASL authentication failed.') })), /sasl/],
      [within(new ProtocolError('TOPIC_AUTHORIZATION_FAILED')), /grant READ and DESCRIBE/],
      [new ProtocolError('GROUP_AUTHORIZATION_FAILED'), /--group/],
      [new UserError('Unknown topic events.'), /create it with message\.timestamp\.type=LogAppendTime/],
      [network('SELF_SIGNED_CERT_IN_CHAIN'), /tls\.caFile/],
      [network('ERR_TLS_CERT_ALTNAME_INVALID'), /another name/],
      [network('ERR_SSL_WRONG_VERSION_NUMBER'), /speaks no TLS/],
    ];
    for (const [error, advice] of cases) {
      expect(told(error)).toBeInstanceOf(KafkaFault);
      expect(told(error)).not.toBeInstanceOf(TransientError);
      expect(told(error).message).toMatch(advice);
      expect(told(error).message).toMatch(/^kafka read events: /);
    }
  });

  it('stay what they are when they are told twice', () => {
    for (const error of [told(new Error('x')), told(new ProtocolError('TOPIC_AUTHORIZATION_FAILED'))])
      expect(kafkaError('again', error)).toBe(error);
  });
});

describe('settings of the topic', () => {
  it('are right, or all that is wrong is told with the command that mends it', () => {
    const setting = (name: string, value: string) => ({ name, value });
    const right = [setting('message.timestamp.type', 'LogAppendTime'), setting('cleanup.policy', 'delete')];
    expect(settingFaults('events', right)).toEqual([]);
    expect(settingFaults('events', [])).toEqual([]);
    const faults = settingFaults('events', [
      setting('message.timestamp.type', 'CreateTime'),
      setting('cleanup.policy', 'compact,delete'),
    ]);
    expect(faults).toHaveLength(2);
    expect(faults[0]).toMatch(/is CreateTime.*--entity-name events --add-config message.timestamp.type=LogAppendTime/);
    expect(faults[1]).toMatch(/cleanup\.policy=delete/);
  });
});

describe('what the client is told', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlmon-kafka-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const config = (rest: Partial<KafkaConfig>): KafkaConfig => ({
    brokers: ['kafka.example:9093'],
    topic: 'events',
    group: 'mlmon',
    ...rest,
  });

  it('is read from files again whenever it connects', async () => {
    const options = connectionOptions(
      config({
        tls: { caFile: put('ca.pem', 'first authority') },
        sasl: {
          mechanism: 'scram-sha-512',
          usernameFile: put('user', 'me\n'),
          passwordFile: put('password', ' a b\n'),
        },
      }),
      'test',
    );
    const { sasl } = options;
    const call = (one: unknown): unknown => (typeof one === 'function' ? one() : one);
    expect(options.tls?.ca).toBe('first authority');
    expect(call(sasl?.username)).toBe('me');
    expect(call(sasl?.password)).toBe(' a b');
    expect(sasl?.mechanism).toBe('SCRAM-SHA-512');
    put('ca.pem', 'second authority');
    put('password', 'rotated');
    expect({ ...options.tls }.ca).toBe('second authority');
    expect(call(sasl?.password)).toBe('rotated');
  });

  it('verifies certificates and tells the name it connects to, but for addresses', () => {
    const of = (brokers: string[]) => connectionOptions(config({ brokers, tls: {} }), 'test');
    expect(of(['kafka.example:9093']).tlsServerName).toBe(true);
    expect(of(['10.0.0.1:9093']).tlsServerName).toBe(false);
    expect(of(['[::1]:9093']).tlsServerName).toBe(false);
    expect(of(['kafka.example:9093']).tls).not.toHaveProperty('rejectUnauthorized');
    expect(connectionOptions(config({}), 'test')).not.toHaveProperty('tls');
  });

  it('names the file that cannot be read', async () => {
    const sasl = {
      mechanism: 'plain',
      usernameFile: join(folder, 'gone'),
      passwordFile: join(folder, 'gone'),
    } as const;
    const { username } = connectionOptions(config({ sasl }), 'test').sasl ?? {};
    expect(username).toThrow(/log\.kafka\.sasl\.usernameFile: .*gone cannot be read \(ENOENT\); mount the secret/);
  });
});

describe('without a broker or the package', () => {
  it('says what to install', async () => {
    const load = () => Promise.reject(new Error('Cannot find package'));
    const opening = KafkaLog.open({ config: { brokers: ['127.0.0.1:1'], topic: 'events', group: 'mlmon' }, load });
    await expect(opening).rejects.toThrow(/npm install @platformatic\/kafka/);
  });

  it('fails in passing when nobody listens', async () => {
    const config = { brokers: [`127.0.0.1:${await freePort()}`], topic: 'events', group: 'mlmon' };
    await expect(KafkaLog.open({ config })).rejects.toThrow(TransientError);
  });
});
