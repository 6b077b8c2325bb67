/** The Kafka log as a subject of the conformance suite: each on a topic of its own. */
import { KafkaLog } from '../../../lib/adapters/kafka/kafka-log.ts';
import type { KafkaConfig } from '../../../lib/contracts/roles.ts';
import type { EventLogSetup, EventLogSubject } from '../../pipeline/conformance/event-log.ts';
import type { KafkaBroker } from './broker.ts';

let topics = 0;

export async function kafkaSubject(broker: KafkaBroker, { partitions }: EventLogSetup): Promise<EventLogSubject> {
  const topic = `conformance-${topics++}`;
  await broker.createTopic(topic, { partitions });
  const config = configFor(broker, topic);
  const logs: KafkaLog[] = [];
  const open = async (): Promise<KafkaLog> => {
    const log = await KafkaLog.open({ config });
    logs.push(log);
    return log;
  };
  const log = await open();
  return {
    log,
    controlsTime: false,
    reopen: open,
    async recreate() {
      await broker.deleteTopic(topic);
      await broker.createTopic(topic, { partitions });
      return open();
    },
    async expire() {
      for (const { id, head } of await log.partitions())
        if (head !== null) await broker.deleteBefore(topic, Number(id), BigInt(head));
    },
    async close() {
      for (const one of logs) await one.close();
    },
  };
}

export function configFor(broker: KafkaBroker, topic: string, rest: Partial<KafkaConfig> = {}): KafkaConfig {
  return { brokers: [broker.address], topic, group: 'mlmon', ...rest };
}
