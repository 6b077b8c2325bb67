/** `mlmon render kubernetes`, as a user starts it in a checkout. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const mlmon = (...argv: readonly string[]) =>
  spawnSync(process.execPath, [join(root, 'bin/mlmon'), 'render', 'kubernetes', ...argv], {
    cwd: root,
    encoding: 'utf8',
  });

describe('mlmon render kubernetes', () => {
  it('writes files for kubectl, by part', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-render-'));
    try {
      const { status, stdout } = mlmon('environments/kubernetes/example.yaml', '-o', folder);
      expect([status, stdout]).toEqual([0, '']);
      expect(readdirSync(folder)).toEqual(
        expect.arrayContaining(['collector.yaml', 'namespace.yaml', 'watching.yaml']),
      );
      expect(readFileSync(join(folder, 'collector.yaml'), 'utf8')).toContain('kind: HorizontalPodAutoscaler');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tells of files that an earlier rendering left in the folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-render-'));
    try {
      const settings = join(folder, 'settings.yaml');
      const common = 'log: { kafka: { brokers: ["k:1"] } }\nstore: { s3: { bucket: abc } }\nmonitors: []\n';
      writeFileSync(settings, `${common}createNamespace: true\n`);
      expect(mlmon(settings, '-o', join(folder, 'out')).stderr).not.toContain('earlier');
      writeFileSync(settings, `${common}watching: none\ngrafana: none\n`);
      writeFileSync(join(folder, 'out/own.yaml'), '');
      const { status, stderr } = mlmon(settings, '-o', join(folder, 'out'));
      const left = [...stderr.matchAll(/(\w+\.yaml) is of an earlier time/g)].map(([, name]) => name);
      // Not the namespace, whose removal would take all with it, and no file of somebody else.
      expect([status, left]).toEqual([0, ['dashboards.yaml', 'watching.yaml']]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says what is wrong, and that a file is missing', () => {
    expect(mlmon('nowhere.yaml')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/nowhere\.yaml: cannot be read.*example\.yaml/),
    });
    expect(mlmon()).toMatchObject({ status: 2, stderr: expect.stringContaining('FILE') });
    const unknown = spawnSync(process.execPath, [join(root, 'bin/mlmon'), 'render', 'kubernete'], { encoding: 'utf8' });
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringMatching(/expected one of .*\bkubernetes$/m) });
  });
});
