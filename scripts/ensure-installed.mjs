#!/usr/bin/env node
// Installs what is missing before the first command of a checkout runs: when node_modules is absent or older than the
// lock file. Plain JavaScript without dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  process.stderr.write(
    `node ${process.versions.node} is too old; expected 20.12 or newer; install a newer Node.js and run this again\n`,
  );
  process.exit(2);
}

/** npm writes this file at the end of every installation. */
const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  process.stderr.write('installing what is missing (npm ci) …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // The loader of the TypeScript source is a development dependency, which NODE_ENV=production would leave out.
  // Output of npm goes to standard error: standard output belongs to the command that follows.
  const run = spawnSync(npm, ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (run.status !== 0) {
    process.stderr.write('npm ci failed: see the lines above; check the network and run `npm ci` yourself\n');
    process.exit(3);
  }
}
