/** That every alert is tested at all five points; promtool itself runs the tests in test/real. */
import { describe, expect, it } from 'vitest';
import { POINTS, promtoolTests, renderedRules, testsOf } from './promtool-tests.ts';
import { RULE_POINTS } from './rule-points.ts';

describe.each(['machines', 'aws'] as const)('on %s', (deployment) => {
  const rules = renderedRules(deployment);

  it.each(rules.map((rule) => [rule.key, rule] as const))('%s is tested at every point', (key, rule) => {
    const points = RULE_POINTS[key];
    expect(points).toBeDefined();
    const tested = new Set(testsOf(rule).map(({ point }) => point));
    const few = points?.few;
    for (const point of POINTS) {
      // What always fires has nothing below it and no edge; what is not about rows says so.
      if (key === 'watchdog' && (point === 'below' || point === 'edge')) continue;
      if (point === 'few' && typeof few === 'string') expect(few.length).toBeGreaterThan(20);
      else expect(tested, point).toContain(point);
    }
    const fires = testsOf(rule).flatMap(({ expected }) => expected.map(([, one]) => one));
    expect(fires).toContain(true);
    if (key !== 'watchdog') expect(fires).toContain(false);
  });

  it('makes a test of every point', () => {
    const { tests } = promtoolTests(deployment, 'rules.yaml') as { tests: readonly unknown[] };
    expect(tests.length).toBe(rules.reduce((sum, rule) => sum + testsOf(rule).length, 0));
    expect(tests.length).toBeGreaterThan(4 * (rules.length - 1));
  });
});

it('has points for no alert that is not rendered', () => {
  const rendered = new Set(
    ['machines', 'aws'].flatMap((one) => renderedRules(one as 'aws').map(({ key }) => key as string)),
  );
  for (const key of Object.keys(RULE_POINTS)) expect(rendered).toContain(key);
});

it('has few rows for what speaks of a model by its rows', () => {
  for (const key of [
    'open-episodes-warning',
    'windows-stale',
    'windows-failed',
    'windows-overdue',
    'learning-held',
  ] as const)
    expect(typeof RULE_POINTS[key]?.few, key).toBe('object');
});
