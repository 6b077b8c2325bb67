/**
 * Alarms of one model on its own metrics, for a team that wants them on topics of its own. Not part of the catalogue, which is about all models:
 * each is the counterpart of one of its entries, whose runbook it points to.
 */
import type { MODEL_CLOUDWATCH_METRIC } from '../contracts/cloudwatch-metrics.ts';
import { dashboardAddress, platformVariables, type ShownIn } from '../contracts/dashboards.ts';
import { durationMs } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';
import type { Severity } from '../contracts/result.ts';
import { boardOf } from './render-options.ts';
import type { AlertRule } from './rule.ts';
import type { AlertKey } from './rules.ts';
import { RULES } from './rules.ts';

export const MODEL_ALARM_KEYS = ['open-episodes', 'drifted-features', 'windows-overdue', 'label-coverage'] as const;
/** Of an alarm of one model. */
export type ModelAlarmKey = (typeof MODEL_ALARM_KEYS)[number];

/** One of them as a team wants it. */
export interface ModelAlarmChange {
  readonly threshold?: number;
  readonly severity?: Severity;
  /** Left out. */
  readonly off?: boolean;
}
/** Alarms of one model as a user wants them, by key. */
export type ModelAlarmChanges = { readonly [K in ModelAlarmKey]?: ModelAlarmChange };

export interface ModelAlarm {
  readonly key: ModelAlarmKey;
  readonly name: string;
  readonly metric: keyof typeof MODEL_CLOUDWATCH_METRIC;
  readonly severity: Severity;
  readonly compare: '>=' | '>' | '<';
  readonly threshold: number;
  /** Minutes that it must hold. */
  readonly minutes: number;
  /** Its entry in the runbook; how missing data are treated is said there too. */
  readonly runbook: AlertKey;
  readonly description: string;
}

const HOUR_S = 3_600;

/** Those of a model, with what its monitor says. */
export function modelAlarms(monitor: Monitor, changes: ModelAlarmChanges = {}): readonly ModelAlarm[] {
  const { every, lateness } = monitor.window;
  const all: readonly ModelAlarm[] = [
    {
      key: 'open-episodes',
      name: 'MlmonModelEpisodeOpen',
      metric: 'openEpisodes',
      severity: 'warning',
      compare: '>=',
      threshold: 1,
      minutes: 2,
      runbook: 'open-episodes-warning',
      description:
        'Episodes are open: it drifts, breaks its contract, performs worse, is slow, has unusual traffic or cannot be seen.',
    },
    {
      key: 'drifted-features',
      name: 'MlmonModelFeaturesDrifted',
      metric: 'driftedFeatures',
      severity: 'info',
      compare: '>=',
      threshold: 1,
      minutes: 1,
      runbook: 'open-episodes-info',
      description: 'Features were found drifted in the newest judged window, whether or not that opened an episode.',
    },
    {
      key: 'windows-overdue',
      name: 'MlmonModelWindowsOverdue',
      metric: 'windowAge',
      severity: 'critical',
      compare: '>',
      // The newest window that can be judged ends one window and its lateness ago at most.
      threshold: (durationMs(every) + durationMs(lateness)) / 1_000 + HOUR_S,
      minutes: 5,
      runbook: 'windows-overdue',
      description: 'The next window should have been judged an hour ago and was not.',
    },
    {
      key: 'label-coverage',
      name: 'MlmonModelLabelsFew',
      metric: 'labelCoverage',
      severity: 'warning',
      compare: '<',
      threshold: monitor.truth.minimumCoverage,
      minutes: 5,
      runbook: 'labels-overdue',
      description: 'Fewer of its labels came than its monitor asks for, so that its performance is not known.',
    },
  ];
  return all
    .filter(({ key }) => changes[key]?.off !== true)
    .map((alarm) => ({
      ...alarm,
      threshold: changes[alarm.key]?.threshold ?? alarm.threshold,
      severity: changes[alarm.key]?.severity ?? alarm.severity,
    }));
}

/** As the entry of the catalogue says. */
export function missingDataOf({ runbook }: ModelAlarm): 'breaching' | 'notBreaching' | 'ignore' {
  return entryOf(runbook).missing.treatment;
}

/** The address of what shows it of this model. */
export function modelAlarmDashboard({ runbook }: ModelAlarm, model: string, shownIn: ShownIn): string {
  const { key, since } = boardOf(entryOf(runbook));
  return dashboardAddress(shownIn.base, key, {
    variables: { ...platformVariables(shownIn), model: encodeURIComponent(model) },
    from: since,
  });
}

function entryOf(wanted: AlertKey): AlertRule {
  return RULES.find(({ key }) => key === wanted)!;
}
