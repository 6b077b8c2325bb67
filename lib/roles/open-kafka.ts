/** Kafka as the event log of several processes, which share its partitions by consumer groups. */
import { KafkaGroup } from '../adapters/kafka/kafka-group.ts';
import { KafkaLog } from '../adapters/kafka/kafka-log.ts';
import type { KafkaConfig } from '../contracts/roles.ts';
import type { OpenedLog } from './opened-log.ts';

export async function openKafka(config: KafkaConfig): Promise<OpenedLog> {
  const log = await KafkaLog.open({ config });
  const groups: KafkaGroup[] = [];
  return {
    log,
    owner: async (consumer) => {
      const group = new KafkaGroup({ config, consumer });
      group.start();
      groups.push(group);
      return group;
    },
    upkeep: [],
    // Whoever leaves says so, and others take over at once.
    close: async () => {
      for (const group of groups) await group.close();
      await log.close();
    },
  };
}
