/** Environments for tests. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { addEnvironment, type Environment } from '../../lib/aws/environment/environment.ts';
import { parseEnvironment } from '../../lib/aws/environment/environment-file.ts';
import type { EnvironmentConfig, EnvironmentInput } from '../../lib/aws/environment/environment-schema.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { testApp } from './app.ts';

export function config(input: EnvironmentInput = {}, name = 'test', folder = tmpdir()): EnvironmentConfig {
  const { config: parsed, problems } = parseEnvironment(input, { name, folder });
  if (parsed === null) throw new ProblemError(problems);
  return parsed;
}

export function environment(input: EnvironmentInput = {}, app: App = testApp()): Environment {
  return addEnvironment(app, config(input));
}

/** Everything that a file can choose, but for what excludes another. */
export const EVERYTHING: EnvironmentInput = {
  encryption: 'own-key',
  stream: { capacity: 'provisioned', shards: 2, maximumShards: 8 },
  collector: { access: 'keys', keysSecret: 'monitoring/keys', kserveSecret: 'monitoring/kserve' },
  sageMaker: { bucket: 'captured-endpoints', prefix: 'capture', sources: [{ endpoint: 'churn', model: 'churn' }] },
  capture: { format: 'parquet', buffer: '1m', retention: '400d' },
  profiler: { batchWindow: '30s' },
  senders: [{ principal: 'key-1', events: ['churn'], labels: ['churn'] }],
  alerting: {
    maintenance: [{ at: '02:00', for: '2h', reason: 'backups' }],
    channels: [
      { type: 'slack', secret: 'monitoring/slack' },
      { type: 'pagerduty', secret: 'monitoring/pagerduty' },
      { type: 'teams', secret: 'monitoring/teams' },
      { type: 'opsgenie', secret: 'monitoring/opsgenie' },
      { type: 'webhook', secret: 'monitoring/webhook' },
      { type: 'email', address: 'team@example.com' },
      { type: 'https', url: 'https://example.com/alerts' },
      { type: 'slack-channel', workspace: 'T012345', channel: 'C012345' },
      { type: 'sqs', queueArn: 'arn:aws:sqs:eu-central-1:111122223333:alerts' },
    ],
    alerts: { 'no-events': { threshold: 14_400, severity: 'warning', for: '10m' }, 'labeler-silent': { off: true } },
  },
  eventBus: { archive: '30d', carries: ['episodes', 'results', 'baselines'] },
  traffic: { eventsPerMonth: '100M', eventBytes: 900, eventsPerRecord: 20, overHttp: 0.1 },
  budget: 5_000,
  grafana: { type: 'managed', identity: 'identity-center' },
  metrics: { detail: 'summary', prometheus: 'managed' },
};

/** A folder with files in it. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlmon-files-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
