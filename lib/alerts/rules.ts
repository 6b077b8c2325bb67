/** The catalogue of alerts on AWS and Prometheus, as it stands or with a user's changes by key. */
import { durationMs, isDuration } from '../contracts/duration.ts';
import { nearest, type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { SEVERITIES, type Severity } from '../contracts/result.ts';
import type { AlertRule } from './rule.ts';
import { CONTAINER_RULES } from './rules-of-containers.ts';
import { MODEL_RULES } from './rules-of-models.ts';
import { PART_RULES } from './rules-of-parts.ts';
import { STREAM_RULES } from './rules-of-platform.ts';
import { SIDECAR_RULES } from './rules-of-sidecar.ts';

/** Of the types of rules their keys alone are passed on: the declarations of the package would repeat every sentence. */
const keyed = <K extends string>(rules: readonly AlertRule<K>[]): readonly AlertRule<K>[] => rules;

export const RULES = keyed([...MODEL_RULES, ...STREAM_RULES, ...PART_RULES, ...CONTAINER_RULES, ...SIDECAR_RULES]);

/** Of an alert, as in the runbook. */
export type AlertKey = (typeof RULES)[number]['key'];

/** One alert as a user wants it. */
export interface AlertChange {
  /** In the unit of the rule. */
  readonly threshold?: number;
  readonly severity?: Severity;
  /** How long it must hold, e.g. `10m`; `0m` for at once. */
  readonly for?: string;
  /** Left out altogether. */
  readonly off?: boolean;
}

/** Alerts as a user wants them, by key. */
export type AlertChanges = { readonly [K in AlertKey]?: AlertChange };

/** @throws ProblemError naming every change that cannot be made: unknown keys with the nearest known one, values out of range */
export function changedRules(changes: AlertChanges = {}): readonly AlertRule<AlertKey>[] {
  const known = RULES.map(({ key }) => key as string);
  const problems: Problem[] = [];
  for (const key of Object.keys(changes))
    if (!known.includes(key)) {
      const near = nearest(key, known);
      problems.push({
        code: 'unknown-alert',
        path: `alerts.${key}`,
        message: 'no alert has this key',
        expected: `one of ${known.join(', ')}`,
        fix: near === undefined ? undefined : `did you mean ${near}?`,
      });
    }
  const rules = RULES.flatMap((rule) => {
    const change: AlertChange | undefined = Object.hasOwn(changes, rule.key) ? changes[rule.key] : undefined;
    if (change === undefined) return [rule];
    problems.push(...problemsOf(rule, change));
    if (change.off === true) return [];
    return [
      {
        ...rule,
        severity: change.severity ?? rule.severity,
        for: change.for ?? rule.for,
        threshold:
          rule.threshold === null ? null : { ...rule.threshold, value: change.threshold ?? rule.threshold.value },
      },
    ];
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return rules;
}

function problemsOf(rule: AlertRule, change: AlertChange): Problem[] {
  const wrong = (name: string, message: string, got: unknown, expected: string): Problem => ({
    code: 'alert-change',
    path: `alerts.${rule.key}.${name}`,
    message,
    got: shown(got),
    expected,
  });
  const problems: Problem[] = [];
  const { threshold, severity, for: pending } = change;
  if (threshold !== undefined && rule.threshold === null)
    problems.push(wrong('threshold', 'has nothing to be compared with', threshold, 'no threshold'));
  else if (threshold !== undefined && !(Number.isFinite(threshold) && threshold > 0))
    problems.push(wrong('threshold', 'is not a positive number', threshold, `${rule.threshold?.unit} above 0`));
  if (severity !== undefined && !(SEVERITIES as readonly string[]).includes(severity))
    problems.push(wrong('severity', 'is no severity', severity, `one of ${SEVERITIES.join(', ')}`));
  if (severity !== undefined && rule.key.startsWith('open-episodes-'))
    problems.push(
      wrong(
        'severity',
        'is that of the episodes it counts',
        severity,
        'the severity changed in `alerts` of the monitors',
      ),
    );
  if (pending !== undefined && pending !== '0m' && !(isDuration(pending) && durationMs(pending) <= 86_400_000))
    problems.push(wrong('for', 'is not a duration of at most a day', pending, '0m, 5m, 1h'));
  return problems;
}

/** Seconds for which the condition must hold. */
export function pendingSeconds({ for: pending }: AlertRule): number {
  return isDuration(pending) ? durationMs(pending) / 1000 : 0;
}
