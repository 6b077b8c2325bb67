/** What is committed under deploy/kubernetes is what the sources make; and the example of environments/ renders. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { readSettings } from '../../lib/kubernetes/read-settings.ts';
import { renderChart } from '../../lib/kubernetes/render.ts';
import { deployFiles } from '../../scripts/deploy-files.ts';

const root = resolve(import.meta.dirname, '../..');

describe('deploy/kubernetes', () => {
  it('is what `node --import tsx scripts/build-deploy.ts` makes', () => {
    const folder = join(root, 'deploy/kubernetes');
    const made = deployFiles();
    for (const [file, text] of made)
      expect([file, existsSync(join(folder, file)) && readFileSync(join(folder, file), 'utf8') === text]).toEqual([
        file,
        true,
      ]);
    const committed = ['base', 'components', 'helm/files'].flatMap((part) =>
      readdirSync(join(folder, part), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
    );
    expect(committed.filter((file) => !made.has(file))).toEqual([]);
  });
});

describe('settings', () => {
  it('of the example make a chart', () => {
    const files = renderChart(readSettings(join(root, 'environments/kubernetes/example.yaml')));
    expect([...files.keys()].sort()).toEqual(
      [
        'archiver',
        'collector',
        'dashboards',
        'evaluator',
        'labeler',
        'monitors',
        'namespace',
        'notifier',
        'page',
        'platform',
        'profiler',
        'watching',
      ].map((name) => `${name}.yaml`),
    );
    expect(files.get('monitors.yaml')).toContain('flight-delay.yaml');
    expect(files.get('profiler.yaml')).toContain('secretName: mlmon-kafka');
  });

  it('that are wrong are told all at once, with the nearest known key', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-settings-'));
    try {
      const file = join(folder, 'wrong.yaml');
      writeFileSync(
        file,
        'log: { kafka: { broker: [a] } }\nstore: { s3: { bucket: 3 } }\nmonitor: []\nprofilers: { fixed: 1, lag: {} }\n',
      );
      let told: readonly string[] = [];
      try {
        readSettings(file);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        told = error.problems.map(({ path, fix }) => `${path.replace(`${file}: `, '')} ${fix ?? ''}`.trim());
      }
      expect(told).toEqual(
        expect.arrayContaining([
          'log.kafka.brokers',
          'log.kafka.broker did you mean brokers?',
          'store.s3.bucket',
          'monitor did you mean monitors?',
          'profilers',
        ]),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that are wrong in many ways are told in one go: the file, the chart that it makes, and every monitor', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlmon-settings-'));
    const told = (text: string): string[] => {
      const file = join(folder, 'wrong.yaml');
      writeFileSync(file, text);
      try {
        readSettings(file);
      } catch (error) {
        if (error instanceof ProblemError) return error.problems.map(({ path }) => path.replace(`${folder}/`, ''));
        throw error;
      }
      return [];
    };
    try {
      writeFileSync(join(folder, 'a.yaml'), 'model: A\nfeatures: { x: { type: numeric } }\n');
      writeFileSync(join(folder, 'b.yaml'), 'model: b\nfeatures: { x: { type: number } }\n');
      const monitors = 'monitors: [a.yaml, none.yaml, b.yaml]';
      expect(
        told(
          `image: mlmon\nlog: { kafka: { brokers: ["k:0"] } }\nstore: { s3: {} }\nprofilers: { fixed: 0 }\n${monitors}\n`,
        ),
      ).toEqual([
        'wrong.yaml: store.s3.bucket',
        'wrong.yaml: profilers.fixed',
        'wrong.yaml: image',
        'wrong.yaml: log.kafka.brokers',
        'a.yaml: model',
        'none.yaml',
        'b.yaml: features.x.type',
      ]);
      // A key that is wrong is not told a second time by what depends on it.
      writeFileSync(join(folder, 'c.yaml'), 'model: c\nfeatures: { x: { type: categorical, policy: hash } }\n');
      const rest = 'log: { kafka: { brokers: ["k:1"] } }\nstore: { s3: { bucket: abc } }\nmonitors: [c.yaml]\n';
      expect(told(`policyKey: one\n${rest}`)).toEqual(['wrong.yaml: policyKey']);
      expect(told(rest)).toEqual(['wrong.yaml: policyKey']);
      expect(told(`policyKey: { secret: a, key: b }\n${rest}`)).toEqual([]);
      expect(told(`${rest}---\n${rest}`)).toEqual(['wrong.yaml: line 4']);
      expect(told('- 1')).toEqual(['wrong.yaml']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
