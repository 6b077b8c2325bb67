import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A Python that has boto3: that of the machine, else one of its own from PyPI. */
export function withBoto3(where: string): string {
  if (spawnSync('python3', ['-c', 'import boto3']).status === 0) return 'python3';
  const own = join(where, 'venv');
  for (const [program, arguments_] of [
    ['python3', ['-m', 'venv', own]],
    [join(own, 'bin/pip'), ['install', '--quiet', 'boto3==1.43.11']],
  ] as const) {
    const { status, stderr } = spawnSync(program, arguments_, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
  }
  if (!existsSync(join(own, 'bin/python3'))) throw new Error('venv made no python3');
  return join(own, 'bin/python3');
}
