import { main } from '../lib/cli/index.ts';
import { processIo, runCommand } from '../lib/cli/run-command.ts';

const argv = process.argv.slice(2);
// The command line and the charts know nothing of each other.
process.exitCode =
  argv[0] === 'render' && argv[1] === 'kubernetes'
    ? await runCommand(
        'render kubernetes',
        async () => (await import('./render-kubernetes.ts')).command,
        argv.slice(2),
        processIo(),
      )
    : await main(argv);
