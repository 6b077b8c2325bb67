/** The command line: finds the command and runs it. */
import { nearest } from '../contracts/problem.ts';
import { type Command, type CommandIo, EXIT } from './command.ts';
import { processIo, runCommand } from './run-command.ts';

/** Loaded when named, so that `--help` needs neither DuckDB nor the platform. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; load(): Promise<Command> }>> = {
  start: {
    summary: 'the platform on one machine with the demonstration',
    load: async () => (await import('./start.ts')).command,
  },
  serve: {
    summary: 'the platform on one machine for your own models',
    load: async () => (await import('./serve.ts')).command,
  },
  init: {
    summary: 'writes a commented monitor inferred from data',
    load: async () => (await import('./init.ts')).command,
  },
  validate: { summary: 'checks monitors', load: async () => (await import('./validate.ts')).command },
  profile: { summary: 'makes a baseline from data', load: async () => (await import('./profile.ts')).command },
  report: { summary: 'compares two data sets', load: async () => (await import('./report.ts')).command },
  backtest: {
    summary: 'replays history through a monitor',
    load: async () => (await import('./backtest.ts')).command,
  },
  compare: {
    summary: 'two-sample tests on standard input, one a line',
    load: async () => (await import('./compare.ts')).command,
  },
  measure: {
    summary: 'metrics on standard input, one a line',
    load: async () => (await import('./measure.ts')).command,
  },
  backfill: { summary: 'brings history into a platform', load: async () => (await import('./backfill.ts')).command },
  monitor: {
    summary: 'publishes, lists and removes monitors',
    load: async () => (await import('./monitor.ts')).command,
  },
  baseline: {
    summary: 'lists, makes, approves and rolls back baselines',
    load: async () => (await import('./baseline.ts')).command,
  },
  erase: {
    summary: 'erases predictions by their ids, wherever single events lie',
    load: async () => (await import('./erase.ts')).command,
  },
  alert: {
    summary: 'tests channels, lists, acknowledges and silences alerts',
    load: async () => (await import('./alert.ts')).command,
  },
  cost: {
    summary: 'money a month on AWS, by part, before anything is deployed',
    load: async () => (await import('./cost.ts')).command,
  },
  run: { summary: 'moving parts of a platform in containers', load: async () => (await import('./run.ts')).command },
  render: { summary: 'writes generated artefacts', load: async () => (await import('./render.ts')).command },
  doctor: {
    summary: 'checks an installation and says how to mend it',
    load: async () => (await import('./doctor.ts')).command,
  },
};

const HELP = `mlmon: machine-learning monitoring

Usage: mlmon <command> [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, entry]) => `  ${name.padEnd(10)} ${entry.summary}`)
  .join('\n')}

mlmon <command> --help tells more. Exit codes: 0 nothing found, 1 something found, 2 wrong use or bad input, 3 an internal failure.
`;

/** Runs one command line and resolves with its exit code; never throws. */
export async function main(argv: readonly string[], io: CommandIo = processIo()): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(HELP);
    return name === undefined ? EXIT.wrongUse : EXIT.nothingFound;
  }
  if (name === '--version') {
    const { version } = await import('../contracts/version.ts');
    io.stdout.write(`${version}\n`);
    return EXIT.nothingFound;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const near = nearest(name, Object.keys(COMMANDS));
    io.stderr.write(
      `${name}: unknown command; expected one of ${Object.keys(COMMANDS).join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}\n`,
    );
    return EXIT.wrongUse;
  }
  return await runCommand(name, entry.load, rest, io);
}
