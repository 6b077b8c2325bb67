/** Settings of the topic without which counts would be wrong. Asked once, at the start. */
import type { KafkaConfig } from '../../contracts/roles.ts';
import { connectionOptions } from './connection-options.ts';
import { within } from './deadline.ts';
import { hasCause, KafkaFault, kafkaError } from './kafka-error.ts';
import { type KafkaPackage, loadKafka } from './load.ts';

export interface TopicSetting {
  readonly name: string;
  readonly value: string | null;
}

const TOPIC = 2;

/** What is wrong with settings, with the command that mends it; empty when nothing is. Pure. */
export function settingFaults(topic: string, settings: readonly TopicSetting[]): string[] {
  const of = (name: string): string => settings.find((setting) => setting.name === name)?.value ?? '';
  const faults: string[] = [];
  const mend = (setting: string): string =>
    `kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;
  const times = of('message.timestamp.type');
  if (times !== '' && times !== 'LogAppendTime')
    faults.push(
      `message.timestamp.type is ${times}, so times are what producers say; expected LogAppendTime; run: ${mend('message.timestamp.type=LogAppendTime')}`,
    );
  if (of('cleanup.policy').includes('compact'))
    faults.push(
      `cleanup.policy is ${of('cleanup.policy')}, which removes events with equal keys; expected delete; run: ${mend('cleanup.policy=delete')}`,
    );
  return faults;
}

/**
 * @throws KafkaFault with everything that must be mended. Without the right to see settings nothing is said here: reading still refuses
 * records whose time was not set by the broker.
 */
export async function checkTopic(options: {
  readonly config: KafkaConfig;
  readonly clientId?: string;
  readonly timeoutMs?: number;
  readonly load?: () => Promise<KafkaPackage>;
}): Promise<void> {
  const { config, clientId = 'mlmon', timeoutMs = 30_000 } = options;
  const { Admin } = await loadKafka(options.load);
  const what = `kafka describe ${config.topic}`;
  const admin = new Admin(connectionOptions(config, clientId));
  admin.on('error', () => undefined);
  try {
    const configurationKeys = ['message.timestamp.type', 'cleanup.policy'];
    const [found] = await within(
      timeoutMs,
      what,
      (async () => {
        // Tells of a missing topic in words of its own.
        await admin.metadata({ topics: [config.topic] });
        return admin.describeConfigs({
          resources: [{ resourceType: TOPIC, resourceName: config.topic, configurationKeys }],
        });
      })(),
    );
    const settings = (found?.configs ?? []).map(({ name, value }) => ({ name, value: value ?? null }));
    const faults = settingFaults(config.topic, settings);
    if (faults.length > 0) throw new KafkaFault(`kafka topic ${config.topic}: ${faults.join('; ')}`);
  } catch (error) {
    if (hasCause(error, 'TOPIC_AUTHORIZATION_FAILED') && (await canDescribe(admin, config.topic, timeoutMs))) return;
    throw kafkaError(what, error);
  } finally {
    await within(2_000, 'close', admin.close()).catch(() => undefined);
  }
}

/** The right to see the topic without that to see its settings. */
async function canDescribe(
  admin: { metadata(options: { topics: string[] }): Promise<unknown> },
  topic: string,
  timeoutMs: number,
): Promise<boolean> {
  return within(timeoutMs, 'describe', admin.metadata({ topics: [topic] })).then(
    () => true,
    () => false,
  );
}
