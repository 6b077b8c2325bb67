/** What the renderers of the catalogue share: a user's changes, where the runbook lies, and which rendering tells people. */
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

export function runbookOf({ key }: AlertRule, { runbook = 'docs/runbook.md' }: RenderOptions): string {
  return `${runbook}#${key}`;
}
