/**
 * The producer of the demonstration, a process of its own:
 *   main.ts describe
 *   main.ts prepare --folder DIR
 *   main.ts replay  --folder DIR --platform URL [--pace MS] [--until TIME]
 * Says what it does as JSON lines on standard output: {"message", "progress"}.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { REPLAY } from './flights.ts';
import { INCIDENT } from './incident.ts';

const { values, positionals } = parseArgs({
  options: {
    folder: { type: 'string' },
    platform: { type: 'string' },
    pace: { type: 'string' },
    until: { type: 'string' },
  },
  allowPositionals: true,
});
const { folder, platform } = values;
const [what] = positionals;
const tell = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const say = (message: string, progress = 0): void => tell({ message, progress });
const iso = (ms: number): string => new Date(ms).toISOString();

if (what === 'describe')
  tell({
    title: 'Flight delays: a real model on 2.5 million US flights, February to June 2001',
    start: iso(REPLAY.from),
    version: '1',
    monitor: join(import.meta.dirname, 'monitor.yaml'),
    reference: 'january.parquet',
    incidents: [{ start: iso(INCIDENT.from), end: iso(INCIDENT.to), description: INCIDENT.description }],
  });
else if (what === 'prepare' && folder !== undefined) await (await import('./prepare.ts')).prepare(folder, say);
else if (what === 'replay' && folder !== undefined && platform !== undefined)
  await (await import('./replay.ts')).replay({
    platform,
    folder,
    pace: Number(values.pace ?? 0),
    until: values.until === undefined ? undefined : Date.parse(values.until),
    say,
  });
else {
  process.stderr.write('expected: describe, prepare --folder DIR, or replay --folder DIR --platform URL\n');
  process.exitCode = 2;
}
