/** Rendered files say the same to those who read YAML 1.1, in which more words are truths, numbers and times: kubectl, Kustomize. */
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { sidecarPatch, Watching } from '../../lib/kubernetes/index.ts';
import { chartObjects, renderChart } from '../../lib/kubernetes/render.ts';
import { CHURN, MINIMAL } from './objects.ts';

const read = (text: string): unknown[] =>
  (parseAllDocuments(text, { version: '1.1' }) as { toJS(): unknown }[]).map((document) => document.toJS());

describe('names that look like something else', () => {
  const odd = {
    ...MINIMAL,
    name: 'on',
    namespace: '42',
    tokens: { secret: '1e3', key: 'yes' },
    watching: Watching.operator({ labels: { release: 'off', since: '2026-12-24', group: '0x10' } }),
  };

  it('stay texts in the files of a chart', () => {
    const objects = [...renderChart(odd).values()].flatMap(read);
    const sorted = (all: readonly unknown[]): string[] => all.map((one) => JSON.stringify(one)).sort();
    expect(sorted(objects)).toEqual(sorted(chartObjects(odd)));
  });

  it('stay texts in a patch', () => {
    const patch = sidecarPatch({
      collector: 'http://mlmon-collector.ml-monitoring:8080',
      monitors: [CHURN],
      name: 'no',
      token: { secret: '1e3', key: 'yes' },
    });
    const [deployment] = read(patch.patch) as [
      { spec: { template: { spec: { volumes: object[] }; metadata: object } } },
    ];
    expect(deployment.spec.template.metadata).toMatchObject({ labels: { 'mlmon/sidecar': 'no' } });
    expect(deployment.spec.template.spec.volumes).toContainEqual(
      expect.objectContaining({
        secret: expect.objectContaining({ secretName: '1e3', items: [{ key: 'yes', path: 'yes' }] }),
      }),
    );
  });
});
