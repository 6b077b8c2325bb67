/** Pages made from the types: one report an entry, and the references of those that are programmed with. */
import { join } from 'node:path';
import { Declarations } from './entry.ts';
import { type ReferencePage, referencePage } from './reference.ts';
import { apiReport } from './report.ts';

const NAME = 'ml-monitoring-constructs';
/** Entries by the last part of their names. */
export const ENTRY_NAMES = ['aws', 'contracts', 'kubernetes', 'producer', 'testing'] as const;

const REFERENCES: Readonly<Record<string, ReferencePage & { readonly of: (typeof ENTRY_NAMES)[number] }>> = {
  'docs/reference/constructs.md': {
    of: 'aws',
    title: 'Constructs on AWS',
    entry: `${NAME}/aws`,
    intro:
      'Begin with `ModelMonitoring`, which makes every part and reaches it by name; what a choice may be stands under its class. The same as a file without code: [environments](environments.md).',
    first: ['ModelMonitoring', 'ModelMonitor'],
  },
  'docs/reference/charts.md': {
    of: 'kubernetes',
    title: 'Charts on Kubernetes',
    entry: `${NAME}/kubernetes`,
    intro:
      'Begin with `ModelMonitoringChart`, which makes every part. In use: [a cluster from zero](../how-to/deploy-on-kubernetes.md).',
    first: ['ModelMonitoringChart', 'addSidecar'],
  },
  'docs/reference/producer.md': {
    of: 'producer',
    title: 'Producer',
    entry: `${NAME}/producer`,
    intro: 'For services that send many events. In use: [send events](../how-to/send-events.md).',
    first: ['Producer'],
  },
  'docs/reference/testing.md': {
    of: 'testing',
    title: 'Testing',
    entry: `${NAME}/testing`,
    intro: 'Assertions for tests of stacks. In use: [test a monitored stack](../how-to/test-a-monitored-stack.md).',
    first: ['MonitoredTemplate'],
  },
};

/**
 * Text by path.
 * @param folder of the declaration files
 */
export function apiPages(folder: string): ReadonlyMap<string, string> {
  const declarations = new Declarations();
  const entries = new Map(
    ENTRY_NAMES.map((name) => [name, declarations.entry(join(folder, `lib/${name}/index.d.ts`))]),
  );
  const pages = new Map<string, string>();
  for (const [name, entry] of entries)
    pages.set(`docs/reference/api/${name}.md`, apiReport(`${NAME}/${name}`, entry, folder));
  for (const [path, { of, ...page }] of Object.entries(REFERENCES)) {
    const entry = entries.get(of);
    if (entry !== undefined) pages.set(path, referencePage(page, entry, declarations));
  }
  return pages;
}
