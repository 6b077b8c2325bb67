import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../lib/contracts/problem.ts';
import type { Role } from '../../lib/contracts/roles.ts';
import { parseRoles, parseRunConfig } from '../../lib/roles/config.ts';

const lines = (work: () => unknown): string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ProblemError) return error.message.split('\n');
    throw error;
  }
  throw new Error('nothing was refused');
};
const refused = (text: string, roles: readonly Role[] = ['profiler']): string[] =>
  lines(() => parseRunConfig(text, roles, '/etc/mlmon/run.yaml'));

describe('roles', () => {
  it('are names with commas between, each once', () => {
    expect(parseRoles('profiler, archiver,profiler')).toEqual(['profiler', 'archiver']);
  });

  it('are refused all at once, with the nearest known one', () => {
    const found = lines(() => parseRoles('profilr,archiver,clown'));
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('did you mean profiler?');
    expect(found[1]).toMatch(/got "clown"; expected one or more of collector, /);
    expect(lines(() => parseRoles(' , '))[0]).toContain('names no role');
  });
});

describe('the configuration of roles', () => {
  const good = `
schema: mlmon.run/v1
log: { kafka: { brokers: ['kafka:9092', '[::1]:9093'], sasl: { mechanism: plain, usernameFile: u, passwordFile: /p } } }
store: { s3: { bucket: events, accessKeyIdFile: id, secretAccessKeyFile: key } }
monitors: { folder: monitors }
`;

  it('fills what is left out, and takes files from where it lies', () => {
    const config = parseRunConfig(good, ['profiler', 'evaluator'], '/etc/mlmon/run.yaml');
    expect(config).toMatchObject({
      log: {
        kafka: { topic: 'mlmon-events', group: 'mlmon', sasl: { usernameFile: '/etc/mlmon/u', passwordFile: '/p' } },
      },
      store: { s3: { region: 'us-east-1', accessKeyIdFile: '/etc/mlmon/id' } },
      monitors: { folder: '/etc/mlmon/monitors', owner: 'kubernetes' },
      http: { host: '127.0.0.1', port: 8080 },
      operations: { port: 9464 },
      drain: { waitMs: 5_000, limitMs: 45_000 },
    });
  });

  it('lets a sidecar neither listen to others without tokens nor send to what is no collector', () => {
    const text = (url: string, host = '127.0.0.1'): string =>
      `schema: mlmon.run/v1\nhttp: { host: ${host} }\nsidecar: { collector: { url: "${url}" } }\n`;
    expect(refused(text('http://collector:8080', '0.0.0.0'), ['sidecar'])).toEqual([
      '/etc/mlmon/run.yaml: http.tokenFile: is needed by sidecar; expected a file of tokens, since others can reach 0.0.0.0',
    ]);
    for (const url of ['http://a:hush@collector', 'https://collector/?token=hush']) {
      expect(refused(text(url), ['sidecar'])).toEqual([expect.stringMatching(/url: has credentials .*tokenFile/)]);
      expect(refused(text(url), ['sidecar'])[0]).not.toContain('hush');
    }
    for (const url of ['ftp://collector', 'collector:8080', 'collector'])
      expect(refused(text(url), ['sidecar'])).toEqual([
        expect.stringMatching(/sidecar\.collector\.url: is not valid, .*; expected an address/),
      ]);
    for (const url of ['http://collector:8080', 'https://gateway.example.com/monitoring/'])
      expect(parseRunConfig(text(url), ['sidecar']).sidecar?.collector.url).toBe(url);
  });

  it('takes no pattern of paths that is none', () => {
    const sidecar =
      'sidecar: { collector: { url: http://c }, proxy: { upstream: "127.0.0.1:70000", paths: ["([", a] } }';
    expect(refused(`schema: mlmon.run/v1\n${sidecar}\n`, ['sidecar'])).toEqual([
      '/etc/mlmon/run.yaml: sidecar.proxy.upstream: is not valid, got "127.0.0.1:70000"; expected host:port, with a port from 1 to 65535',
      '/etc/mlmon/run.yaml: sidecar.proxy.paths.0: is not valid, got "(["; expected a regular expression',
    ]);
  });

  it('tells every problem at once: where, what was found, what is expected', () => {
    const found = refused(`
schema: mlmon.run/v2
log: { kafka: { brokers: [kafka], topc: events } }
store: { s3: { bucket: UPPER } }
http: { prot: 80 }
drain: { waitMs: -1 }
`);
    expect(found).toEqual([
      expect.stringMatching(
        /^\/etc\/mlmon\/run\.yaml: schema: is not valid, got "mlmon\.run\/v2"; expected .*mlmon\.run\/v1/,
      ),
      expect.stringMatching(/log\.kafka\.brokers\.0: is not valid, got "kafka"/),
      expect.stringMatching(/log\.kafka\.topc: unknown key; expected one of brokers, topic, .*did you mean topic\?/),
      expect.stringMatching(/store\.s3\.bucket: is not valid, got "UPPER"/),
      expect.stringMatching(/http\.prot: unknown key; .*did you mean port\?/),
      expect.stringMatching(/drain\.waitMs: is not valid, got -1; expected at least 0/),
    ]);
  });

  it('knows which of two kinds was meant', () => {
    expect(refused('schema: mlmon.run/v1\nlog: { kafca: {} }')[0]).toMatch(
      /log\.kafca: unknown key; expected one of kafka, folder; did you mean kafka\?/,
    );
    expect(refused('schema: mlmon.run/v1\nlog: { folder: a, kafka: { brokers: ["a:1"] } }')[0]).toMatch(
      /log: is not valid, got .*; expected one of kafka, folder/,
    );
    expect(refused('schema: mlmon.run/v1\nlog: here')[0]).toMatch(
      /log: is not valid, got "here"; expected one of kafka, folder/,
    );
    expect(refused('schema: mlmon.run/v1\nlog: { folder: 7 }')[0]).toMatch(
      /log\.folder: is not valid, got 7; expected string/,
    );
  });

  it('asks for what the roles need, and not for more', () => {
    expect(refused('schema: mlmon.run/v1', ['profiler', 'notifier'])).toEqual([
      expect.stringMatching(/log: is needed by profiler; expected kafka/),
      expect.stringMatching(/store: is needed by profiler, notifier; expected s3/),
    ]);
    expect(refused('schema: mlmon.run/v1', ['page'])).toHaveLength(1);
  });

  it('refuses half of a pair of files', () => {
    const found = refused(`
schema: mlmon.run/v1
log: { kafka: { brokers: ['a:1'], tls: { keyFile: k } } }
store: { s3: { bucket: abc, accessKeyIdFile: id } }
`);
    expect(found).toEqual([
      expect.stringMatching(/store\.s3\.secretAccessKeyFile: is needed beside accessKeyIdFile/),
      expect.stringMatching(/log\.kafka\.tls\.certificateFile: is needed beside keyFile/),
    ]);
  });

  it('refuses what is no YAML', () => {
    expect(refused('schema: [')[0]).toMatch(/run\.yaml: line \d+: .*; expected YAML or JSON/);
    expect(refused('')[0]).toMatch(/expected object/);
  });
});
