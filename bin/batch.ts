/**
 * The commands that work through data and end, alone: what a checkout runs from a bundle (scripts/bundle-batch.mjs), since they must start
 * at once and share their work with threads (docs/decisions/0001-run-from-source.md).
 */
import type { Command } from '../lib/cli/command.ts';
import { processIo, runCommand } from '../lib/cli/run-command.ts';

/** As bin/mlmon lists them. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  compare: async () => (await import('../lib/cli/compare.ts')).command,
  measure: async () => (await import('../lib/cli/measure.ts')).command,
  report: async () => (await import('../lib/cli/report.ts')).command,
  profile: async () => (await import('../lib/cli/profile.ts')).command,
  backtest: async () => (await import('../lib/cli/backtest.ts')).command,
};

const [name = '', ...rest] = process.argv.slice(2);
const load = COMMANDS[name];
if (load === undefined) throw new Error(`${name} is not run from the bundle`);

// Not awaited here: a script has no such thing, and the engine keeps what it compiled of scripts only.
void runCommand(name, load, rest, processIo()).then((code) => {
  process.exitCode = code;
});
