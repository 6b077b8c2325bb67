/** What a chart writes for containers is what the roles read: each with the files that it is given, and no others. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderStore } from '../../lib/adapters/disk/folder-store.ts';
import { Channel, withSidecar } from '../../lib/kubernetes/index.ts';
import { readChannels } from '../../lib/local/channels.ts';
import { readMonitorFiles } from '../../lib/local/monitor-file.ts';
import { parseRoles, parseRunConfig } from '../../lib/roles/config.ts';
import { FULL } from './charts.ts';
import { CHURN, type K8sObject, objectsOf, one, type PodSpec, templates } from './objects.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlmon-containers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files of a container: ConfigMaps as they are, Secrets with made-up values; paths in texts lead to this folder. */
function mounted(objects: readonly K8sObject[], spec: PodSpec, name: string): (path: string) => string {
  const root = join(folder, name);
  const here = (path: string): string => join(root, path);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(here(path)), { recursive: true });
    writeFileSync(here(path), text.replaceAll(/"(\/(?:etc|var)\/)/g, `"${root}$1`));
  };
  for (const { name: volume, mountPath, ...mount } of spec.containers[0]?.volumeMounts ?? []) {
    const source = spec.volumes?.find((other) => other['name'] === volume) ?? {};
    const { configMap, projected, secret } = source as {
      configMap?: { name: string };
      projected?: { sources: { configMap: { name: string } }[] };
      secret?: { items: { path: string }[] };
    };
    const subPath = (mount as { subPath?: string }).subPath;
    for (const map of [
      ...(configMap === undefined ? [] : [configMap]),
      ...(projected?.sources ?? []).map((each) => each.configMap),
    ])
      for (const [file, text] of Object.entries(one(objects, 'ConfigMap', map.name).data ?? {}))
        if (subPath === undefined || subPath === file)
          put(subPath === undefined ? `${mountPath}/${file}` : mountPath, text);
    for (const { path } of secret?.items ?? []) put(`${mountPath}/${path}`, 'https://receiver.example.com/hook');
  }
  return here;
}

describe('containers', () => {
  const objects = objectsOf({
    ...FULL,
    channels: [
      ...(FULL.channels ?? []),
      Channel.teams({ secret: 'chat', key: 'teams' }),
      Channel.pagerDuty({ secret: 'chat', key: 'pager' }, { url: 'https://events.eu.pagerduty.com' }),
      Channel.opsgenie({ secret: 'chat', key: 'ops' }),
    ],
  });
  const parts = templates(objects).map(({ template }) => [template.spec.containers[0]!.name, template.spec] as const);

  it.each(parts)('%s finds a configuration that its role takes, and its monitors and channels', async (part, spec) => {
    const here = mounted(objects, spec, part);
    const [, , roles = '', , config = ''] = spec.containers[0]?.args ?? [];
    const run = parseRunConfig(readFileSync(here(config), 'utf8'), parseRoles(roles), here(config));
    expect(run.links.page).toBe('https://mlmon.example.com/');
    if (part === 'evaluator') {
      const [monitor] = await readMonitorFiles(run.monitors?.folder ?? '');
      expect(monitor?.monitor.model).toBe('churn');
    }
    if (part === 'notifier' || part === 'page') {
      const channels = await readChannels(run.channelsFile, await FolderStore.open({ folder: join(folder, 'store') }));
      expect(channels.map(({ name }) => name)).toEqual([
        'inbox',
        'slack',
        'ticketing',
        'teams',
        'pagerduty',
        'opsgenie',
      ]);
    }
  });

  it('give a sidecar what its role takes', () => {
    const { configMaps } = withSidecar(
      {},
      { collector: 'http://mlmon-collector.models:8080', monitors: [CHURN], proxyTo: 8080 },
    );
    expect(() => parseRunConfig(configMaps[0]?.data['run.yaml'] ?? '', ['sidecar'])).not.toThrow();
  });
});
