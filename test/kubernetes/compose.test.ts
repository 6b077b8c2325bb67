/** compose.yaml: everything it refers to is there, pinned, checked, on this machine alone, and no secret is in an environment. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runConfigSchema } from '../../lib/contracts/roles.ts';
import { readMonitorFiles } from '../../lib/local/monitor-file.ts';
import { Tokens } from '../../lib/local/server/tokens.ts';
import { parseRoles } from '../../lib/roles/config.ts';

const root = resolve(import.meta.dirname, '../..');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly cap_drop?: readonly string[];
  readonly restart: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(readFileSync(join(root, 'compose.yaml'), 'utf8')) as Compose;
const services = Object.entries(compose.services);
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('compose.yaml', () => {
  it.each(services)('%s is pinned, checked and without rights', (name, service) => {
    expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/);
    expect(service.cap_drop).toEqual(['ALL']);
    if (service.restart !== 'no') expect([name, service.healthcheck?.test[0]]).toEqual([name, 'CMD']);
    for (const word of [...(service.healthcheck?.test ?? []), ...(service.command ?? [])])
      expect(word).toBeTypeOf('string');
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/);
    for (const [variable, value] of Object.entries(service.environment ?? {}))
      if (/PASSWORD|SECRET|TOKEN|KEY/.test(variable))
        expect([variable, value]).toEqual([
          expect.stringMatching(/__FILE$/),
          expect.stringMatching(/^\/run\/secrets\//),
        ]);
  });

  it.each(services)('%s refers to what there is', (_name, service) => {
    for (const volume of service.volumes ?? []) {
      const [source = '', target = ''] = volume.split(':');
      expect(target.startsWith('/')).toBe(true);
      if (source.startsWith('./'))
        expect([source, existsSync(join(root, source)), volume.endsWith(':ro')]).toEqual([source, true, true]);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    for (const secret of service.secrets ?? []) expect(Object.keys(compose.secrets)).toContain(secret);
    for (const network of service.networks) expect(Object.keys(compose.networks)).toContain(network);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const target = compose.services[other];
      expect([other, target !== undefined]).toEqual([other, true]);
      expect(condition).toBe(target?.restart === 'no' ? 'service_completed_successfully' : 'service_healthy');
      // They can see each other.
      expect(service.networks.some((network) => target?.networks.includes(network))).toBe(true);
    }
    if (service.build !== undefined) expect(existsSync(join(root, service.build, 'Dockerfile'))).toBe(true);
  });

  it('leaves nothing that it declares unused', () => {
    const used = services.flatMap(([, { volumes = [], secrets = [], networks }]) => [
      ...volumes.map((volume) => volume.split(':')[0]),
      ...secrets,
      ...networks,
    ]);
    for (const name of [
      ...Object.keys(compose.volumes),
      ...Object.keys(compose.secrets),
      ...Object.keys(compose.networks),
    ])
      expect(used).toContain(name);
  });

  it('runs every role of a platform, with a configuration they take and monitors they can read', async () => {
    const { command = [] } = compose.services['mlmon'] as Service;
    expect(parseRoles(command[2] ?? '')).toEqual([
      'collector',
      'archiver',
      'profiler',
      'evaluator',
      'labeler',
      'notifier',
      'page',
    ]);
    const run = runConfigSchema.parse(parse(read('compose/run.yaml')));
    expect(run.http.tokenFile).toBe('/run/secrets/mlmon-tokens');
    expect(run.log).toMatchObject({ kafka: { brokers: ['kafka:9092'] } });
    expect(await readMonitorFiles(join(root, 'compose/monitors'))).toHaveLength(1);
    const topic = compose.services['topic']?.command ?? [];
    expect(topic).toEqual(
      expect.arrayContaining(['--topic=mlmon-events', '--config=message.timestamp.type=LogAppendTime']),
    );
  });

  it('scrapes and routes to ports that are listened on, under names of services', () => {
    const prometheus = parse(read('compose/prometheus.yaml'));
    const targets = [...prometheus.scrape_configs, ...prometheus.alerting.alertmanagers].flatMap((one) =>
      one.static_configs.flatMap((list: { targets: string[] }) => list.targets),
    );
    expect(targets.sort()).toEqual(['alertmanager:9093', 'localhost:9090', 'mlmon:9464']);
    const [source] = parse(read('compose/grafana/provisioning/datasources/prometheus.yaml')).datasources;
    expect(source.url).toBe('http://prometheus:9090');
    const [provider] = parse(read('compose/grafana/provisioning/dashboards/mlmon.yaml')).providers;
    expect(compose.services['grafana']?.volumes).toContain(`./dashboards/grafana:${provider.options.path}:ro`);
    expect(readdirSync(join(root, 'dashboards/grafana')).length).toBeGreaterThanOrEqual(6);
  });

  it('gets its secrets from a script that makes them once and shows none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-compose-'));
    try {
      cpSync(join(root, 'scripts/compose-secrets.sh'), join(folder, 'scripts/compose-secrets.sh'));
      const make = (): string =>
        spawnSync('bash', ['scripts/compose-secrets.sh'], { cwd: folder, encoding: 'utf8' }).stdout;
      const said = make();
      for (const { file } of Object.values(compose.secrets))
        expect(statSync(join(folder, file)).size).toBeGreaterThan(40);
      expect(statSync(join(folder, '.mlmon/compose')).mode & 0o077).toBe(0);
      const tokens = readFileSync(join(folder, '.mlmon/compose/mlmon-tokens'), 'utf8');
      expect(() => Tokens.parse(tokens, 'tokens')).not.toThrow();
      for (const line of tokens.trim().split('\n')) expect(said).not.toContain(line.split(' ')[2]);
      make();
      expect(readFileSync(join(folder, '.mlmon/compose/mlmon-tokens'), 'utf8')).toBe(tokens);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
