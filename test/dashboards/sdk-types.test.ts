/**
 * What is rendered, in the types of Grafana's own SDK: every dashboard as a literal, so that a key which Grafana does not know is an error too,
 * and each panel's options, field settings and queries in the types of its plugin. The compiler judges.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { grafanaDashboards } from '../../lib/dashboards/grafana.ts';
import type { GrafanaDashboard, GrafanaPanel } from '../../lib/dashboards/grafana-types.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'mlmon-grafana-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of the SDK, by type of panel. The list of alerts is none of its panels. */
const MODULES: Readonly<Record<string, string>> = {
  timeseries: 'timeseries',
  'state-timeline': 'statetimeline',
  stat: 'stat',
  table: 'table',
  heatmap: 'heatmap',
  text: 'text',
};
const DASHBOARDS = grafanaDashboards().map(({ key, json }) => ({ key, made: JSON.parse(json) as GrafanaDashboard }));

/** Enumerations of the SDK take the text that stands for them in JSON; what marks its builders alone is left out. */
const HEAD = `
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
${Object.values(MODULES)
  .map((name) => `import type * as ${name} from '@grafana/grafana-foundation-sdk/${name}';`)
  .join('\n')}
type Plain<T> = T extends string ? \`\${T}\`
  : T extends (...args: never) => unknown ? never
  : T extends readonly (infer E)[] ? readonly Plain<E>[]
  : T extends object ? { readonly [K in keyof T as K extends '_implementsDataqueryVariant' ? never : K]: Plain<T[K]> }
  : T;
type Target = Plain<Dataquery>;
type Query = Target & {};
export type Board = Plain<Omit<Dashboard, 'panels'>>;
export type Drawn = Plain<Omit<Panel, 'targets' | 'options'>>;
`;

function literals({ key, made }: (typeof DASHBOARDS)[number]): string {
  const { panels, annotations, ...board } = made;
  const text = (value: unknown): string => JSON.stringify(value);
  const drawn = panels.filter((panel): panel is GrafanaPanel => panel.type !== 'row' && panel.type !== 'alertlist');
  return [
    // The SDK has the query of an annotation as any query.
    `export const ${key}: Board = ${text({ ...board, annotations: { list: annotations.list.map(({ target: _, ...one }) => one) } })};`,
    ...annotations.list.map(({ target }, i) => `export const ${key}_note_${i}: Query = ${text(target)};`),
    ...drawn.flatMap(({ targets, options, ...panel }) => {
      const module = MODULES[panel.type];
      const custom = panel.fieldConfig?.defaults.custom;
      const name = `${key}_${panel.id}`;
      return [
        `export const ${name}: Drawn = ${text(panel)};`,
        `export const ${name}_options: Plain<${module}.Options> = ${text(options)};`,
        ...(custom === undefined
          ? []
          : [`export const ${name}_custom: Plain<${module}.FieldConfig> = ${text(custom)};`]),
        ...(targets ?? []).map((target) => `export const ${name}_${target.refId}: Query = ${text(target)};`),
      ];
    }),
  ].join('\n');
}

function compiled(source: string): string {
  writeFileSync(join(folder, 'dashboards.ts'), source);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        target: 'es2023',
        module: 'esnext',
        moduleResolution: 'bundler',
        types: [],
        paths: {
          '@grafana/grafana-foundation-sdk/*': [
            join(ROOT, 'node_modules/@grafana/grafana-foundation-sdk/dist/*/index.d.ts'),
          ],
        },
      },
      files: ['dashboards.ts'],
    }),
  );
  const { stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
}

it('covers every kind of panel but the list of alerts', () => {
  const types = new Set(DASHBOARDS.flatMap(({ made }) => made.panels.map(({ type }) => type)));
  expect([...types].sort()).toEqual(['alertlist', 'row', ...Object.keys(MODULES)].sort());
});

it('are what Grafana knows', () => {
  expect(compiled(`${HEAD}${DASHBOARDS.map(literals).join('\n')}`)).toBe('');
}, 60_000);

it('would be found wrong: an unknown key, a value that is none of a plugin’s', () => {
  const [first] = DASHBOARDS;
  const good = literals(first!);
  const found = compiled(
    `${HEAD}${good.replace('"editable":false', '"editible":false').replace('"colorMode":"background"', '"colorMode":"bright"')}`,
  );
  expect(found).toContain('editible');
  expect(found).toContain('bright');
}, 60_000);
