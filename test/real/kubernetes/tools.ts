/** What scripts/kubernetes-tools.sh built. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const bin = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mlmon-tools/kubernetes');

export const SCHEMAS = join(bin, 'schemas');

/** Runs one of them to its end. */
export function tool(
  name: 'kubeconform' | 'kube-score' | 'helm' | 'kustomize' | 'pod-security',
  argv: readonly string[],
  input?: string,
): { readonly code: number | null; readonly out: string; readonly err: string } {
  const program = join(bin, name);
  if (!existsSync(program)) throw new Error(`${name} is missing; run scripts/kubernetes-tools.sh, which builds it`);
  const { status, stdout, stderr } = spawnSync(program, [...argv], { input, encoding: 'utf8', maxBuffer: 64 << 20 });
  return { code: status, out: stdout, err: stderr };
}
