/** Runs one command, and turns what it throws into an exit code and a message. */
import { formatProblem, ProblemError } from '../contracts/problem.ts';
import { type Command, type CommandIo, EXIT } from './command.ts';

/** Never throws. `load` brings the command, so that those not named cost nothing. */
export async function runCommand(
  name: string,
  load: () => Promise<Command>,
  rest: readonly string[],
  io: CommandIo,
): Promise<number> {
  try {
    const command = await load();
    if (rest.includes('--help') || rest.includes('-h')) {
      io.stdout.write(command.help);
      return EXIT.nothingFound;
    }
    return await command.run(rest, io);
  } catch (error) {
    if (error instanceof ProblemError) {
      for (const problem of error.problems) io.stderr.write(`${formatProblem(problem)}\n`);
      return EXIT.wrongUse;
    }
    io.stderr.write(
      `mlmon ${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return EXIT.failure;
  }
}

export function processIo(): CommandIo {
  const controller = new AbortController();
  // The first signal asks for an orderly end, the second takes the default: an end at once.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort(new Error(signal)));
  // A reader that went away (`mlmon report … | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.nothingFound);
    throw error;
  });
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    terminal: process.stdout.isTTY === true && process.stderr.isTTY === true,
    cwd: process.cwd(),
    signal: controller.signal,
  };
}
