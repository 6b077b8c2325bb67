/** The event log that a configuration names: segments in a folder for one process, or Kafka. */
import { SegmentLog } from '../adapters/disk/segment-log.ts';
import type { RunConfig } from '../contracts/roles.ts';
import { makeDataFolder } from '../local/data-folder.ts';
import type { Clock } from '../pipeline/ports.ts';
import { afterwards, every } from '../pipeline/timed-parts.ts';
import type { OpenedLog } from './opened-log.ts';

/** How long a log in a folder keeps records; the capture keeps them for good. */
const LOG_RETENTION = 7 * 86_400_000;
const EXPIRE_EVERY = 3_600_000;

export async function openLog(config: NonNullable<RunConfig['log']>, clock: Clock): Promise<OpenedLog> {
  if ('kafka' in config) {
    const { openKafka } = await import('./open-kafka.ts');
    return openKafka(config.kafka);
  }
  await makeDataFolder(config.folder, 'log.folder');
  const log = await SegmentLog.open({ folder: config.folder, clock, retention: { ageMs: LOG_RETENTION } });
  return {
    log,
    owner: async () => undefined,
    upkeep: [
      afterwards(
        every('log retention', EXPIRE_EVERY, () => log.expire()),
        EXPIRE_EVERY,
      ),
    ],
    close: () => log.close(),
  };
}
