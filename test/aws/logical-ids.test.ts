/**
 * Logical ids are public: renaming one replaces what is deployed, with its data. The list is reviewed; UPDATE_GOLDEN=1 writes it.
 * Also what else must not depend on chance: two syntheses give the same bytes, and the number of models changes no resource.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import type { ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import { RECOMMENDED } from './app.ts';
import { light } from './light.ts';
import type { CloudFormationTemplate } from './own-rules.ts';
import { everything, least, newApp } from './subjects.ts';

const GOLDEN = join(import.meta.dirname, 'golden/logical-ids.json');

function templateOf(
  make: (stack: Stack) => unknown,
  flags: Readonly<Record<string, unknown>> = RECOMMENDED,
): CloudFormationTemplate {
  const stack = new Stack(newApp(flags), 'Stack');
  make(stack);
  return light(stack).template;
}

/** What the facade is made of; the longer names first. */
const PARTS = everything(new Stack(newApp(), 'Stack'))
  .node.children.map(({ node }) => node.id)
  .sort((a, b) => b.length - a.length);

/** Construct below the facade → ids of its resources, with their types. */
function ids({ Resources }: CloudFormationTemplate): Readonly<Record<string, readonly string[]>> {
  const parts: Record<string, string[]> = {};
  for (const [id, { Type }] of Object.entries(Resources)) {
    const part = PARTS.find((name) => id.startsWith(`Monitoring${name}`)) ?? 'beside';
    (parts[part] ??= []).push(`${id} ${Type}`);
  }
  return Object.fromEntries(
    Object.entries(parts)
      .sort()
      .map(([part, list]) => [part, list.sort()]),
  );
}

describe('logical ids', () => {
  const found = {
    least: ids(templateOf((stack) => least(stack))),
    everything: ids(templateOf((stack) => everything(stack))),
  };

  it.each(['least', 'everything'] as const)('of %s are those that were reviewed', (subject) => {
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(GOLDEN, `${JSON.stringify(found, null, 2)}\n`);
    expect(found[subject]).toEqual((JSON.parse(readFileSync(GOLDEN, 'utf8')) as typeof found)[subject]);
  });

  it('do not depend on feature flags', () => {
    expect(ids(templateOf((stack) => least(stack), {}))).toEqual(found.least);
  });
});

describe('the template', () => {
  it('is the same, byte for byte, of two apps in one process', () => {
    const make = (): string => JSON.stringify(templateOf((stack) => everything(stack)));
    expect(make()).toBe(make());
  });

  it('has as many resources for a thousand models as for one', () => {
    const models = (n: number): Partial<ModelMonitoringProps> => ({
      models: Array.from({ length: n }, (_, i) =>
        Monitor.of({ model: `model-${i}`, features: { age: { type: 'numeric' }, plan: { type: 'categorical' } } }),
      ),
    });
    const one = templateOf((stack) => least(stack, models(1)));
    const many = templateOf((stack) => least(stack, models(1_000)));
    expect(Object.keys(many.Resources)).toEqual(Object.keys(one.Resources));
    expect(Object.keys(many.Resources).length).toBeLessThan(500);
    expect(JSON.stringify(many).length - JSON.stringify(one).length).toBeLessThan(1_000);
  });
});
