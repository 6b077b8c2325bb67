/** Opens a log for writing, appends one record, and holds the log until it is killed. Argument: folder. */
import { writeSync } from 'node:fs';
import { SegmentLog } from '../../../../lib/adapters/disk/segment-log.ts';

const [folder = ''] = process.argv.slice(2);
try {
  const log = await SegmentLog.open({ folder, clock: { now: () => Date.now() } });
  await log.append([{ key: 'k', data: Buffer.from(`held by ${process.pid}`) }]);
  writeSync(1, 'open\n');
  setInterval(() => undefined, 1000);
} catch (error) {
  writeSync(1, `refused ${(error as Error).message}\n`);
}
