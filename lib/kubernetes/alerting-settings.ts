/** What is an alert and whom Alertmanager tells, as YAML says it: in the file of `mlmon render kubernetes` and in the values of the Helm chart. */
import { z } from 'zod';
import type { AlertingOptions } from '../alerts/receivers.ts';
import type { AlertChange, AlertChanges } from '../alerts/rules.ts';
import { SEVERITIES, SIGNALS } from '../contracts/result.ts';

const text = z.string().min(1);
const name = z.string().regex(/^[a-z0-9-]{1,40}$/, 'at most 40 of a-z, 0-9 and dash');
const address = z.url({ protocol: /^https?$/ }).optional();

/** The first route that matches decides; what none matches goes to all receivers. */
export const alertRoutes = z.array(
  z
    .object({
      match: z
        .object({
          owner: text.optional(),
          severity: z.enum(SEVERITIES).optional(),
          signal: z.enum(SIGNALS).optional(),
          model: text.optional(),
        })
        .strict(),
      receivers: z.array(name),
    })
    .strict(),
);

/** `secret`: what says where a secret lies, a key of a Secret or the path of a file beside Alertmanager. */
export function alertReceivers<S extends z.ZodType>(secret: S) {
  return z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('slack'), name, url: secret, channel: text.optional() }).strict(),
      z.object({ type: z.literal('pagerduty'), name, routingKey: secret, url: address }).strict(),
      z.object({ type: z.literal('teams'), name, url: secret }).strict(),
      z.object({ type: z.literal('opsgenie'), name, key: secret, url: address }).strict(),
      z.object({ type: z.literal('webhook'), name, url: secret }).strict(),
    ]),
  );
}

/** The keys that say it: `receivers`, `routes` and `heartbeat`. */
export function alertingKeys<S extends z.ZodType>(secret: S) {
  return {
    receivers: alertReceivers(secret).min(1).optional(),
    routes: alertRoutes.optional(),
    heartbeat: z.object({ url: secret }).strict().optional(),
  };
}

/** Changes of single alerts, and who tells of models; keys that there are not are refused when rules are made. */
export const ruleKeys = {
  changes: z
    .record(
      text,
      z
        .object({
          threshold: z.number().positive().optional(),
          severity: z.enum(SEVERITIES).optional(),
          for: text.optional(),
          off: z.boolean().optional(),
        })
        .strict(),
    )
    .optional(),
  notifier: z.enum(['episodes', 'alarms']).optional(),
};

interface AlertingSettings<S> {
  readonly receivers?: AlertingOptions<S>['receivers'] | undefined;
  readonly routes?: AlertingOptions<S>['routes'] | undefined;
  readonly heartbeat?: AlertingOptions<S>['heartbeat'] | undefined;
}

/** Routes and a heartbeat say nothing where nobody is told. */
export function isWhole({ receivers, routes, heartbeat }: AlertingSettings<unknown>): boolean {
  return receivers !== undefined || (routes === undefined && heartbeat === undefined);
}

interface RuleSettings {
  readonly changes?: Readonly<Record<string, AlertChange>> | undefined;
  readonly notifier?: 'episodes' | 'alarms' | undefined;
}

/** For `Watching`. */
export function rulesOf({ changes, notifier }: RuleSettings): {
  readonly changes?: AlertChanges;
  readonly notifier?: 'episodes' | 'alarms';
} {
  return { ...(changes === undefined ? {} : { changes }), ...(notifier === undefined ? {} : { notifier }) };
}

/** For `Watching`; nothing where there are no receivers. */
export function alertingOf<S>({ receivers, routes, heartbeat }: AlertingSettings<S>): {
  readonly receivers?: AlertingOptions<S>;
} {
  if (receivers === undefined) return {};
  return {
    receivers: {
      receivers,
      ...(routes === undefined ? {} : { routes }),
      ...(heartbeat === undefined ? {} : { heartbeat }),
    },
  };
}
