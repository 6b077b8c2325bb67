import { describe, expect, it } from 'vitest';
import { SEVERITY_MEANING } from '../../lib/alerts/rule.ts';
import { changedRules, RULES } from '../../lib/alerts/rules.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { SEVERITIES } from '../../lib/contracts/result.ts';

describe('the catalogue', () => {
  it('has keys and names that are unique and of one form', () => {
    expect(new Set(RULES.map(({ key }) => key)).size).toBe(RULES.length);
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
    for (const { key, name } of RULES) {
      expect(key).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(name).toMatch(/^Mlmon([A-Z][a-z]+)+$/);
    }
  });

  it('says what each severity asks for', () => {
    expect(Object.keys(SEVERITY_MEANING).sort()).toEqual([...SEVERITIES].sort());
  });

  it('has a reason, something to look at and something to do for every alert', () => {
    for (const { missing, look, act, summary, description } of RULES) {
      for (const text of [missing.reason, summary, description, ...look, ...act])
        expect(text.length).toBeGreaterThan(15);
      expect(look.length * act.length).toBeGreaterThan(0);
    }
  });

  it('has texts that can stand in JSON and in templates as they are', () => {
    for (const { summary, description } of RULES) expect(`${summary}${description}`).not.toMatch(/["\\{}\n]/);
  });

  it('watches everything that must not go blind', () => {
    const blind = RULES.filter(({ owner }) => owner === 'alarms').map(({ key }) => key);
    expect(blind).toEqual(
      expect.arrayContaining([
        'no-events',
        'profiler-behind',
        'batches-given-up',
        'windows-overdue',
        'sink-failing',
        'notifier-silent',
        'capture-difference',
        'evaluation-silent',
        'labels-overdue',
      ]),
    );
  });
});

describe('changes by key', () => {
  it('change one alert and leave the others', () => {
    const rules = changedRules({
      'no-events': { threshold: 7_200, severity: 'warning', for: '10m' },
      watchdog: { off: true },
    });
    expect(rules.length).toBe(RULES.length - 1);
    const changed = rules.find(({ key }) => key === 'no-events')!;
    expect([changed.threshold?.value, changed.severity, changed.for]).toEqual([7_200, 'warning', '10m']);
    expect(rules.filter((rule) => !RULES.includes(rule)).map(({ key }) => key)).toEqual(['no-events']);
  });

  it('are refused all at once, with the nearest key', () => {
    const attempt = (): unknown =>
      changedRules({
        'no-event': { off: true },
        'no-events': { threshold: -1, for: 'soon' },
        watchdog: { threshold: 3 },
        'open-episodes-critical': { severity: 'info' },
      } as never);
    expect(attempt).toThrow(ProblemError);
    try {
      attempt();
    } catch (error) {
      expect((error as ProblemError).problems.map(({ path }) => path).sort()).toEqual([
        'alerts.no-event',
        'alerts.no-events.for',
        'alerts.no-events.threshold',
        'alerts.open-episodes-critical.severity',
        'alerts.watchdog.threshold',
      ]);
      expect((error as Error).message).toContain('did you mean no-events?');
    }
  });
});
