/** A platform of many processes for tests: roles on a real Kafka topic and a real S3 bucket, each `mlmon run` as a container would run it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { KafkaLog } from '../../lib/adapters/kafka/kafka-log.ts';
import { s3Client } from '../../lib/adapters/s3/s3-client.ts';
import { S3Store } from '../../lib/adapters/s3/s3-store.ts';
import type { Role } from '../../lib/contracts/roles.ts';
import { readCursors } from '../../lib/pipeline/cursor.ts';
import type { LogRecord } from '../../lib/pipeline/ports.ts';
import type { KafkaBroker } from './kafka/broker.ts';
import { MLMON, Program } from './programs.ts';
import { REGION, type Versitygw } from './versitygw.ts';

export interface StartedRole {
  readonly program: Program;
  /** `http://127.0.0.1:…` of `/metrics`, `/healthz`, `/readyz`. */
  readonly operations: string;
  /** Of the collector. */
  readonly http: string;
}

export interface RolesPlatform {
  readonly folder: string;
  readonly topic: string;
  readonly store: S3Store;
  /** The configuration, with `more` over it, in a file of its own. */
  config(more?: Readonly<Record<string, unknown>>): string;
  /** Starts a process and resolves when it says that it is ready; `ready: false` when it has begun to listen for machines. */
  start(
    roles: readonly Role[],
    options?: { readonly more?: Readonly<Record<string, unknown>>; readonly ready?: boolean },
  ): Promise<StartedRole>;
  /** Everything that is on the topic, in order of arrival. */
  records(): Promise<(LogRecord & { readonly partition: string })[]>;
  /** Events of the whole log that count by now. */
  profiled(): Promise<number>;
  close(): Promise<void>;
}

let platforms = 0;

/** On a topic and a bucket of its own. */
export async function platformOfRoles({
  kafka,
  s3,
  partitions,
  monitors,
}: {
  readonly kafka: KafkaBroker;
  readonly s3: Versitygw;
  readonly partitions: number;
  /** Files of the folder of monitors. */
  readonly monitors: Readonly<Record<string, string>>;
}): Promise<RolesPlatform> {
  const name = `events-${process.pid}-${++platforms}`;
  const folder = mkdtempSync(join(tmpdir(), 'mlmon-roles-'));
  mkdirSync(join(folder, 'monitors'));
  for (const [file, text] of Object.entries(monitors)) writeFileSync(join(folder, 'monitors', file), text);
  await kafka.createTopic(name, { partitions });
  const { endpoint, accessKeyIdFile, secretAccessKeyFile } = s3;
  const where = { region: REGION, endpoint, accessKeyIdFile, secretAccessKeyFile };
  const client = s3Client(where);
  const store = new S3Store({ client, bucket: s3.bucket(name), prefix: 'mlmon' });
  let files = 0;
  const config: RolesPlatform['config'] = (more = {}) => {
    const file = join(folder, `run-${++files}.yaml`);
    writeFileSync(
      file,
      stringify({
        schema: 'mlmon.run/v1',
        log: { kafka: { brokers: [kafka.address], topic: name, group: name } },
        store: { s3: { bucket: name, prefix: 'mlmon', ...where } },
        http: { port: 0 },
        operations: { port: 0 },
        monitors: { folder: join(folder, 'monitors'), owner: 'test' },
        archive: { maxAgeMs: 3_000 },
        drain: { waitMs: 500, limitMs: 30_000 },
        ...more,
      }),
    );
    return file;
  };
  return {
    folder,
    topic: name,
    store,
    config,
    start: async (roles, { more, ready = true } = {}) => {
      const argv = [MLMON, 'run', '--roles', roles.join(','), '--config', config(more)];
      const program = new Program(process.execPath, argv);
      const [, operations = ''] = await program.says(/operations: (http:\/\/\S+)/);
      if (ready) await program.says(/ready: /);
      const http = /http: (http:\/\/\S+)/.exec(program.err)?.[1] ?? '';
      return { program, operations, http };
    },
    records: async () => {
      const log = await KafkaLog.open({ config: { brokers: [kafka.address], topic: name, group: name } });
      try {
        return await allRecords(log);
      } finally {
        await log.close();
      }
    },
    profiled: async () => (await readCursors(store)).reduce((sum, { cursor }) => sum + cursor.totals.received, 0),
    close: async () => {
      client.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function allRecords(log: KafkaLog): Promise<(LogRecord & { readonly partition: string })[]> {
  const all: (LogRecord & { readonly partition: string })[] = [];
  for (const { id, head } of await log.partitions()) {
    if (head === null) continue;
    for (let after: string | null = null; after !== head; ) {
      const { records } = await log.read(id, after, { records: 10_000, bytes: 16_777_216 });
      all.push(...records.map((record) => ({ ...record, partition: id })));
      after = records.at(-1)?.position ?? after;
    }
  }
  return all.sort((a, b) => a.appendTime - b.appendTime);
}

/** Lines of records, parsed. */
export function eventsIn(records: readonly LogRecord[]): { readonly id: string; readonly type: string }[] {
  return records.flatMap(({ data }) =>
    new TextDecoder()
      .decode(data)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { id: string; type: string }),
  );
}
