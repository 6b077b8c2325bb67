/**
 * The producer of the demonstration, a process of its own:
 *   main.ts prepare --folder DIR
 *   main.ts replay  --folder DIR --platform URL [--pace MS] [--until TIME]
 * Says what it does as JSON lines on standard output: {"message", "progress"}.
 */
import { parseArgs } from 'node:util';
import { prepare } from './prepare.ts';
import { replay } from './replay.ts';

const { values, positionals } = parseArgs({
  options: {
    folder: { type: 'string' },
    platform: { type: 'string' },
    pace: { type: 'string' },
    until: { type: 'string' },
  },
  allowPositionals: true,
});
const say = (message: string, progress = 0): void => {
  process.stdout.write(`${JSON.stringify({ message, progress })}\n`);
};
const { folder, platform } = values;
const [what] = positionals;

if (what === 'prepare' && folder !== undefined) await prepare(folder, say);
else if (what === 'replay' && folder !== undefined && platform !== undefined)
  await replay({
    platform,
    folder,
    pace: Number(values.pace ?? 0),
    until: values.until === undefined ? undefined : Date.parse(values.until),
    say,
  });
else {
  process.stderr.write('expected: prepare --folder DIR, or replay --folder DIR --platform URL\n');
  process.exitCode = 2;
}
