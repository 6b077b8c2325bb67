/**
 * A profiler as a process of its own, to be ended in any way: what it shares with others is the topic, the group and the object store.
 *
 *   profiler-process.ts <broker> <topic> <endpoint of the store> <group|all>
 *
 * Says `ready`, and `owns 0,1` whenever its partitions change. SIGTERM ends it orderly.
 */
import { KafkaGroup } from '../../../lib/adapters/kafka/kafka-group.ts';
import { KafkaLog } from '../../../lib/adapters/kafka/kafka-log.ts';
import { s3Client } from '../../../lib/adapters/s3/s3-client.ts';
import { S3Store } from '../../../lib/adapters/s3/s3-store.ts';
import type { KafkaConfig } from '../../../lib/contracts/roles.ts';
import { judgeWindow } from '../../../lib/engine/verdict.ts';
import { Registry } from '../../../lib/pipeline/registry.ts';
import { runParts } from '../../../lib/pipeline/run.ts';
import { streamParts } from '../../../lib/pipeline/stream-parts.ts';

const [, , broker = '', topic = '', endpoint = '', share = 'group'] = process.argv;
const config: KafkaConfig = { brokers: [broker], topic, group: 'mlmon' };
const store = new S3Store({ client: s3Client({ region: 'us-east-1', endpoint }), bucket: 'bucket' });
const clock = { now: () => Date.now() };
const log = await KafkaLog.open({ config });
const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const owner = new KafkaGroup({
  config,
  consumer: 'profiler',
  sessionMs: 6_000,
  commitMs: 500,
  onChange: (owned) => say(`owns ${owned.join()}`),
});
if (share === 'group') owner.start();
const { profiler } = streamParts({
  log,
  store,
  clock,
  registry: new Registry({ store, clock }),
  judge: judgeWindow,
  commitEveryMs: 50,
  records: 100,
  owner: share === 'group' ? owner : undefined,
});
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());
say('ready');
const onFailure = (part: string, error: Error): void => {
  process.stderr.write(`${part}: ${error.stack}\n`);
};
await runParts([profiler], { signal: ending.signal, onFailure }).stopped;
await owner.close();
await log.close();
