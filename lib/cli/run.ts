/** `mlmon run`: one or more moving parts against real logs and stores, until stopped. What containers run. */
import { ROLES } from '../contracts/roles.ts';
import { type Command, EXIT } from './command.ts';
import { readOptions } from './options.ts';
import { plain } from './plain.ts';

const help = `mlmon run: one or more moving parts of a platform, until stopped; what containers run

Usage:
  mlmon run --roles ROLE[,ROLE…] --config FILE

  --roles LIST    ${ROLES.join(', ')}
  --config FILE   which log, store and network they work with (docs/reference/run.md)

SIGTERM ends it in order: readiness fails at once, listeners close after drain.waitMs, what was taken is made durable, and
everything has ended after drain.limitMs at most.
`;

export const command: Command = {
  name: 'run',
  summary: 'moving parts of a platform in containers',
  help,
  async run(argv, io) {
    const options = readOptions(argv, {
      roles: { type: 'string', required: true },
      config: { type: 'string', required: true },
    });
    const [{ resolve }, { parseRoles, readRunConfig }, { runRoles }] = await Promise.all([
      import('node:path'),
      import('../roles/config.ts'),
      import('../roles/run-roles.ts'),
    ]);
    const roles = parseRoles(options.required('roles'));
    const config = await readRunConfig(resolve(io.cwd, options.required('config')), roles);
    const isOrderly = await runRoles({
      config,
      roles,
      signal: io.signal,
      say: (text) => io.stderr.write(`${new Date().toISOString()} ${plain(text)}\n`),
    });
    // Timers and connections of what did not end in time must not keep it.
    if (!isOrderly) process.exit(EXIT.failure);
    return EXIT.nothingFound;
  },
};
