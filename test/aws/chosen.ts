/** The facade with some of its options chosen, and what must hold whatever is chosen. */
import { Stack } from 'aws-cdk-lib';
import { expect } from 'vitest';
import type { ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { nag } from './nag.ts';
import { OPTIONS } from './options.ts';
import { type CloudFormationTemplate, OWN_RULES } from './own-rules.ts';
import type { Assignment } from './pairs.ts';
import { least, newApp } from './subjects.ts';

type Name = keyof typeof OPTIONS;
export const NAMES = Object.keys(OPTIONS) as readonly Name[];
/** How many values each has besides its default. */
export const SIZES = Object.fromEntries(NAMES.map((name) => [name, OPTIONS[name].length]));
/** Names of options and the number of the value; 0 is the default and left out. */
export function made(
  assignment: Assignment,
  flags: Readonly<Record<string, unknown>>,
): { readonly stack: Stack; readonly refused: readonly string[] } {
  const stack = new Stack(newApp(flags), 'Test');
  const chosen = NAMES.filter((name) => (assignment[name] ?? 0) > 0);
  const props = Object.fromEntries(
    chosen.map((name) => [name, (OPTIONS[name][assignment[name]! - 1] as (stack: Stack) => unknown)(stack)]),
  ) as Partial<ModelMonitoringProps>;
  try {
    least(stack, { ...props, ...repaired(assignment, props) });
    return { stack, refused: [] };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { stack, refused: error.problems.map(({ code }) => code) };
  }
}

/**
 * Routes name channels, so those that are not there are asked for; a Grafana has nothing to show without Prometheus; alarms of a model need the
 * model and its metrics.
 */
function repaired(assignment: Assignment, props: Partial<ModelMonitoringProps>): Partial<ModelMonitoringProps> {
  return {
    ...(assignment['routes'] && assignment['channels'] && assignment['channels'] !== 1 ? { ...props, routes: [] } : {}),
    ...(assignment['modelAlarms'] && assignment['models'] !== 1
      ? { models: [...(props.models ?? []), ...(OPTIONS.models[0]?.(new Stack()) ?? [])] }
      : {}),
    ...(assignment['modelAlarms'] && assignment['metricDetail'] === 2 ? { modelAlarms: {} } : {}),
    ...(assignment['grafana'] && assignment['prometheus'] === 1 ? { prometheus: undefined } : {}),
  };
}

export function check(stack: Stack, template: CloudFormationTemplate): void {
  const report = nag(stack);
  expect(report.findings.filter(({ where }) => where.startsWith('Test/Monitoring'))).toEqual([]);
  for (const [rule, breaches] of Object.entries(OWN_RULES))
    expect({ rule, broken: breaches(template) }).toEqual({ rule, broken: [] });
  expect(Object.keys(template.Resources).length).toBeLessThan(500);
  expect(JSON.stringify(template).length).toBeLessThan(1_000_000);
}
