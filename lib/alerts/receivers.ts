/**
 * Who is told by Alertmanager, and when. One description, two renderings: a configuration file (`alertmanager.ts`) and an object of Prometheus
 * Operator (`alertmanager-config.ts`). What is secret about a receiver is named, never written.
 */
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import type { Severity, Signal } from '../contracts/result.ts';

/** `S`: where a secret lies, a file or a key of a Secret. */
export type AlertReceiver<S> =
  | { readonly type: 'slack'; readonly name: string; readonly url: S; readonly channel?: string }
  | { readonly type: 'pagerduty'; readonly name: string; readonly routingKey: S; readonly url?: string }
  /** A workflow of Microsoft Teams. */
  | { readonly type: 'teams'; readonly name: string; readonly url: S }
  | { readonly type: 'opsgenie'; readonly name: string; readonly key: S; readonly url?: string }
  | { readonly type: 'webhook'; readonly name: string; readonly url: S };

/** The first route that matches decides; what none matches goes to all receivers. Absent: any. */
export interface AlertRoute {
  readonly match: {
    readonly owner?: string;
    readonly severity?: Severity;
    readonly signal?: Signal;
    readonly model?: string;
  };
  /** Names of receivers; none: nobody is told. */
  readonly receivers: readonly string[];
}

export interface AlertingOptions<S> {
  readonly receivers: readonly AlertReceiver<S>[];
  /** @default none: everything goes to all receivers */
  readonly routes?: readonly AlertRoute[];
  /** Gets the watchdog every minute, and calls when it stops coming: Dead Man's Snitch, healthchecks.io, PagerDuty. @default nobody */
  readonly heartbeat?: { readonly url: S };
}

/** In one message what has the same name, owner and severity, of all models: a storm is one notification an interval. */
export const GROUPING = {
  by: ['alertname', 'owner', 'severity'],
  wait: '30s',
  interval: '5m',
  repeat: '4h',
  heartbeat: '1m',
} as const;

export const NOBODY = 'mlmon-nobody';
export const EVERYBODY = 'mlmon-all';
export const HEARTBEAT = 'mlmon-heartbeat';
const NAME = /^[a-z0-9-]{1,40}$/;

export interface Receiving<S> {
  /** In Alertmanager. */
  readonly name: string;
  readonly members: readonly AlertReceiver<S>[];
}

export interface Routing<S> {
  readonly receivers: readonly Receiving<S>[];
  /** Below what is to be notified, in their order. */
  readonly routes: readonly { readonly match: AlertRoute['match']; readonly receiver: string }[];
}

/** @throws ProblemError naming every receiver and route that is wrong */
export function routingOf<S>({ receivers, routes = [] }: AlertingOptions<S>): Routing<S> {
  const problems: Problem[] = [];
  const wrong = (path: string, message: string, got: unknown, expected: string): void => {
    problems.push({ code: 'receiver', path, message, got: shown(got), expected });
  };
  const known = new Map<string, AlertReceiver<S>>();
  for (const [i, one] of receivers.entries()) {
    if (!NAME.test(one.name)) wrong(`receivers[${i}].name`, 'is no name', one.name, 'at most 40 of a-z, 0-9 and dash');
    if (known.has(one.name))
      wrong(`receivers[${i}].name`, 'two receivers have one name', one.name, 'names of their own');
    known.set(one.name, one);
  }
  if (receivers.length === 0) wrong('receivers', 'nobody would be told', receivers, 'at least one receiver');
  const made: Receiving<S>[] = [{ name: EVERYBODY, members: receivers }];
  const decided = routes.map(({ match, receivers: names }, i) => {
    for (const name of names)
      if (!known.has(name))
        wrong(`routes[${i}].receivers`, 'there is no such receiver', name, [...known.keys()].join(', '));
    const receiver = names.length === 0 ? NOBODY : `mlmon-${[...names].sort().join('-and-')}`;
    if (names.length > 0 && !made.some(({ name }) => name === receiver))
      made.push({ name: receiver, members: receivers.filter(({ name }) => names.includes(name)) });
    return { match, receiver };
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return { receivers: made, routes: decided };
}

/** What messages say, in the template language of Alertmanager. */
export const TEXT = {
  title:
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }} {{ .Alerts.Firing | len }}{{ end }}] {{ .CommonLabels.alertname }}{{ with .CommonLabels.model }} on {{ . }}{{ end }}',
  /** Slack writes links as `<address|words>`, Teams as `[words](address)`. */
  slack:
    '{{ range .Alerts }}*{{ .Annotations.summary }}* ({{ .Labels.severity }})\n{{ .Annotations.description }}\n{{ with .Annotations.dashboard_url }}<{{ . }}|Dashboard>  {{ end }}{{ with .Annotations.runbook_url }}<{{ . }}|Runbook>{{ end }}\n{{ end }}',
  markdown:
    '{{ range .Alerts }}**{{ .Annotations.summary }}** ({{ .Labels.severity }})\n\n{{ .Annotations.description }}\n\n{{ with .Annotations.dashboard_url }}[Dashboard]({{ . }})  {{ end }}{{ with .Annotations.runbook_url }}[Runbook]({{ . }}){{ end }}\n\n{{ end }}',
  plain:
    '{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n{{ with .Annotations.dashboard_url }}Dashboard: {{ . }}\n{{ end }}{{ with .Annotations.runbook_url }}Runbook: {{ . }}\n{{ end }}{{ end }}',
  severity:
    '{{ if eq .CommonLabels.severity "critical" }}critical{{ else if eq .CommonLabels.severity "warning" }}warning{{ else }}info{{ end }}',
  priority:
    '{{ if eq .CommonLabels.severity "critical" }}P1{{ else if eq .CommonLabels.severity "warning" }}P3{{ else }}P5{{ end }}',
} as const;
