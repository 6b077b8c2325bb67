/**
 * The commands that answer line by line, alone: what a checkout runs from a bundle, since they must start at once and share their work
 * with threads (docs/decisions/0031-questions-on-two-cores.md).
 */
import { processIo, runCommand } from '../lib/cli/run-command.ts';

const [name = '', ...rest] = process.argv.slice(2);
const load =
  name === 'compare'
    ? async () => (await import('../lib/cli/compare.ts')).command
    : async () => (await import('../lib/cli/measure.ts')).command;

process.exitCode = await runCommand(name, load, rest, processIo());
