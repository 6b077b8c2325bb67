/** compose.yaml before the program that reads it, and its configuration before Prometheus and Alertmanager. No engine runs containers here. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CHECKOUT } from './programs.ts';

function of(command: string, argv: readonly string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, [...argv], { cwd: CHECKOUT, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command} is missing; run scripts/real-components.sh, which installs it`);
  return { status, text: `${stdout}${stderr}` };
}

it('is what docker-compose takes', () => {
  const { status, text } = of('docker-compose', ['-f', 'compose.yaml', 'config']);
  expect([status, status === 0 ? '' : text]).toEqual([0, '']);
  for (const service of ['kafka', 'topic', 'mlmon', 'prometheus', 'alertmanager', 'grafana'])
    expect(text).toContain(`  ${service}:`);
  // No secret is in what it resolved.
  expect(text).toContain('/run/secrets/grafana-password');
  const wrong = of('docker-compose', ['-f', 'compose/run.yaml', 'config']);
  expect(wrong.status).not.toBe(0);
});

it('has configurations that Prometheus and Alertmanager take, rules included', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mlmon-compose-'));
  try {
    spawnSync('cp', [
      join(CHECKOUT, 'compose/prometheus.yaml'),
      join(CHECKOUT, 'dashboards/prometheus/alerts.yaml'),
      folder,
    ]);
    const prometheus = of('promtool', ['check', 'config', join(folder, 'prometheus.yaml')]);
    expect([prometheus.status, prometheus.text]).toEqual([0, expect.stringMatching(/rules found/)]);
    const alertmanager = of('amtool', ['check-config', 'compose/alertmanager.yaml']);
    expect([alertmanager.status, alertmanager.text]).toEqual([0, expect.stringContaining('SUCCESS')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
