/** What the renderers of the catalogue share: a user's changes, where the runbook lies, and which rendering tells people. */
import {
  type DashboardKey,
  dashboardAddress,
  dashboardBase,
  platformVariables,
  type ShownIn,
} from '../contracts/dashboards.ts';
import { type AlertRule, type Deployment, isAbsent } from './rule.ts';
import type { AlertChanges, AlertKey } from './rules.ts';

export interface RenderOptions {
  readonly changes?: AlertChanges;
  readonly deployment: Deployment;
  /** Who tells of what models' episodes tell. @default 'episodes': the notifier, so that the renderings only show it */
  readonly notifier?: 'episodes' | 'alarms';
  /** Which rendering tells people, where both have the condition. @default CloudWatch on AWS, Prometheus elsewhere */
  readonly alarmsBy?: 'cloudwatch' | 'prometheus';
  /** What the address of a runbook entry begins with; the key follows as its anchor. @default 'docs/runbook.md' */
  readonly runbook?: string;
  /**
   * Address of Grafana, without a slash at its end: alerts then link to their dashboard. `''` for paths alone.
   * @default '' on machines; none on AWS, where a deployment may have no Grafana
   */
  readonly dashboards?: string;
  /** Dashboards of a Grafana where their uids are others, or of one platform among several. @default those at `dashboards` */
  readonly shownIn?: ShownIn;
  /** Parts that the deployment runs: one that never came is missed too. @default none: only parts that were there are missed */
  readonly parts?: readonly string[];
  /** Labels of every alert, for routes: `{ namespace: 'monitoring', owner: 'platform' }`. @default none */
  readonly labels?: Readonly<Record<string, string>>;
}

export type Rendering = 'cloudwatch' | 'prometheus';

export function isRendered(rule: AlertRule, rendering: Rendering, deployment: Deployment): boolean {
  if (rendering === 'cloudwatch') return deployment === 'aws' && !isAbsent(rule.cloudwatch);
  return !isAbsent(rule.prometheus) && rule.prometheus.on.includes(deployment);
}

/** Whether this rendering tells people of the condition. At most one does: every condition has one owner. */
export function carriesAction(
  rule: AlertRule<AlertKey>,
  rendering: Rendering,
  { deployment, notifier = 'episodes', alarmsBy = deployment === 'aws' ? 'cloudwatch' : 'prometheus' }: RenderOptions,
): boolean {
  if (rule.owner === 'episodes' && notifier === 'episodes') return false;
  const preferred = isRendered(rule, alarmsBy, deployment);
  return isRendered(rule, rendering, deployment) && (rendering === alarmsBy || !preferred);
}

/** `null` where there is no dashboard to link to. Labels of the alert choose what the dashboard shows. */
export function dashboardOf(rule: AlertRule, options: RenderOptions): string | null {
  const shown = shownIn(options);
  if (shown === null) return null;
  const { key, since } = boardOf(rule);
  const model: Record<string, string> = isOfModel(rule) ? { model: '{{ $labels.model }}' } : {};
  return dashboardAddress(shown.base, key, { variables: { ...platformVariables(shown), ...model }, from: since });
}

/**
 * Of an alarm of CloudWatch, which has no labels and is about all models. `null` also where Prometheus has nothing of what it is about, so that no
 * dashboard shows it.
 */
export function alarmDashboardOf(rule: AlertRule, options: RenderOptions): string | null {
  const shown = shownIn(options);
  if (shown === null || !isRendered(rule, 'prometheus', options.deployment)) return null;
  const { key, since } = boardOf(rule);
  const board = isOfModel(rule) ? 'fleet' : key;
  return dashboardAddress(shown.base, board, { variables: platformVariables(shown), from: since });
}

function shownIn({
  deployment,
  dashboards = deployment === 'aws' ? undefined : '',
  shownIn: given,
}: RenderOptions): ShownIn | null {
  if (given !== undefined) return given;
  return dashboards === undefined ? null : { base: dashboardBase(dashboards) };
}

export function boardOf(rule: AlertRule): { readonly key: DashboardKey; readonly since: string } {
  if (rule.key === 'watchdog' || rule.key.startsWith('notifications-')) return { key: 'alerts', since: 'now-2d' };
  if (rule.key === 'labels-overdue') return { key: 'performance', since: 'now-30d' };
  return isOfModel(rule) ? { key: 'model', since: 'now-7d' } : { key: 'pipeline', since: 'now-6h' };
}

/** Labels of its series, by which it says what it is about. */
export function labelsOf({ prometheus }: AlertRule): readonly string[] {
  return isAbsent(prometheus) ? [] : (/\bby \(([^)]*)\)/.exec(prometheus.value)?.[1]?.split(', ') ?? []);
}

function isOfModel(rule: AlertRule): boolean {
  return labelsOf(rule).includes('model');
}

export function runbookOf({ key }: AlertRule, { runbook = 'docs/runbook.md' }: RenderOptions): string {
  return `${runbook}#${key}`;
}
