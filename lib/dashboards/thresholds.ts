/** Thresholds of the catalogue of alerts as series, so that a graph shows what its alert compares with, and follows when it changes. */
import type { AlertRule } from '../alerts/rule.ts';
import { type AlertKey, RULES } from '../alerts/rules.ts';
import type { BoardQuery } from './board.ts';

export function ruleOf(key: AlertKey): AlertRule<AlertKey> {
  const rule = RULES.find((one) => one.key === key);
  if (rule === undefined) throw new RangeError(`${key}: not in the catalogue of alerts`);
  return rule;
}

/** The threshold of a rule, in its own unit times `scale`. */
export function thresholdOf(key: AlertKey, scale = 1): BoardQuery {
  const { name, threshold } = ruleOf(key);
  if (threshold === null) throw new RangeError(`${key}: has no threshold to draw`);
  return { expr: `vector(${threshold.value * scale})`, legend: `threshold of ${name}`, isThreshold: true };
}
