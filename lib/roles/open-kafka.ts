/** Kafka as the event log of several processes. */
import { KafkaLog } from '../adapters/kafka/kafka-log.ts';
import type { KafkaConfig } from '../contracts/roles.ts';
import type { OpenedLog } from './open-log.ts';

export async function openKafka(config: KafkaConfig): Promise<OpenedLog> {
  const log = await KafkaLog.open({ config });
  return {
    log,
    owner: async () => undefined,
    upkeep: [],
    close: () => log.close(),
  };
}
