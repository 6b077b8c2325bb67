/**
 * How near each alert of the platform is to firing: what its rule compares, over its threshold. Made from the catalogue, so that a new alert
 * shows without being drawn. 1 is where it fires, once it has held for as long as the rule says.
 */
import { type AlertRule, isAbsent } from '../alerts/rule.ts';
import { RULES } from '../alerts/rules.ts';
import type { BoardQuery } from './board.ts';

/** A counted increase within a rule, over five minutes. */
const INCREASE = /increase\((mlmon_\w+(?:\{[^}]*\})?)\[5m\]\)/g;
const SELECTOR = /\b(mlmon_\w+|up\b)(?:\{([^}]*)\})?/g;

export function nearnessOfAlerts(): readonly BoardQuery[] {
  return RULES.flatMap((rule) => {
    const expr = shareOfThreshold(rule);
    return expr === null ? [] : [{ expr, legend: rule.name }];
  });
}

/** A counter that is compared as it stands. */
const TOTAL = /_total\b/;

/**
 * `null` where there is no such share: nothing is compared, less is worse, the threshold is a time to look back, or totals are compared, which
 * no graph shows well.
 */
function shareOfThreshold({ owner, prometheus, threshold }: AlertRule): string | null {
  if (owner !== 'alarms' || threshold === null || isAbsent(prometheus)) return null;
  const { value, compare, on } = prometheus;
  if (compare === '<' || value.includes('{threshold}') || !on.includes('machines')) return null;
  if (TOTAL.test(value.replace(INCREASE, ''))) return null;
  return `clamp_min(max(${narrowed(value)}), 0) / ${threshold.value}`;
}

/** A rule's expression for the chosen jobs and instances, with an interval that follows the resolution of the graph. */
function narrowed(expr: string): string {
  return expr
    .replace(INCREASE, 'rate($1[$__rate_interval]) * 300')
    .replace(
      SELECTOR,
      (_, name: string, matchers = '') =>
        `${name}{job=~"$job", instance=~"$instance"${matchers === '' ? '' : `, ${matchers}`}}`,
    );
}
