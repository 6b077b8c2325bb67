/**
 * Appends with many callers at once and kills itself at a system call chosen by its seed, in the middle of a write half
 * of the time. Prints `ack <call> <index> <partition> <position>` for each record acknowledged.
 * Arguments: folder, seed.
 */
import { writeSync } from 'node:fs';
import { type SegmentIo, systemIo } from '../../../../lib/adapters/disk/segment-io.ts';
import { SegmentLog } from '../../../../lib/adapters/disk/segment-log.ts';
import { seeded } from './seeded.ts';

const [folder = '', seedText = '0'] = process.argv.slice(2);
const seed = Number(seedText);
const random = seeded(seed);
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

let left = 1 + Math.floor(random() * 60);
const due = (): boolean => --left === 0;
const io: SegmentIo = {
  async write(file, buffer, offset, length, position) {
    if (!due()) return systemIo.write(file, buffer, offset, length, position);
    const part = Math.floor(random() * (length + 1));
    if (part > 0) await systemIo.write(file, buffer, offset, part, position);
    die();
    return new Promise<never>(() => undefined);
  },
  async sync(file) {
    if (due()) die();
    await systemIo.sync(file);
    if (due()) die();
  },
  truncate: systemIo.truncate,
};
if (random() < 0.2) setTimeout(die, random() * 30);

const log = await SegmentLog.open({
  folder,
  clock: { now: () => Date.now() },
  partitions: 3,
  segmentBytes: 12_000,
  durability: seed % 2 === 0 ? 'fsync' : 'os',
  io,
});
let call = 0;
const appender = async (): Promise<void> => {
  for (;;) {
    const id = `${seed}-${call++}`;
    const of = 1 + Math.floor(random() * 5);
    const records = Array.from({ length: of }, (_, index) => ({
      key: `key ${Math.floor(random() * 50)}`,
      data: Buffer.from(JSON.stringify({ id, index, of, fill: 'x'.repeat(Math.floor(random() * 900)) })),
    }));
    const places = await log.append(records);
    writeSync(1, places.map((place, index) => `ack ${id} ${index} ${place.partition} ${place.position}\n`).join(''));
    if (random() < 0.02) {
      const open = (await log.partitions()).filter((state) => !state.closed);
      if (open.length < 8)
        await log.split(open[Math.floor(random() * open.length)]?.id as string).catch(() => undefined);
    }
  }
};
await Promise.all(Array.from({ length: 12 }, appender));
