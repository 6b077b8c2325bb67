/**
 * Channels, routes and mutes of a deployment: one object in the store (`keys.alerting()`), published with it, read by the notifier.
 * Secrets stand in it by their ARN alone.
 */
import { z } from 'zod';
import { maintenanceSchema } from './maintenance.ts';
import { SEVERITIES, SIGNALS } from './result.ts';

const name = z.string().regex(/^[a-z0-9-]{1,40}$/);
const arn = z.string().startsWith('arn:');
/** Instead of the public address of the service: its region's, or that of a test. */
const url = z.string().url().optional();

/** Its receiver subscribes to the topics of alarms itself, so the notifier passes none on to it. @default true for sns, false for sqs */
const hearsAlarms = z.boolean().optional();

export const deliverySchema = z.discriminatedUnion('type', [
  /** Secret: the webhook's address. */
  z.object({ type: z.literal('slack'), name, secretArn: arn }).strict(),
  /** Secret: the routing key. */
  z.object({ type: z.literal('pagerduty'), name, secretArn: arn, url }).strict(),
  /** Secret: the address of the workflow. */
  z.object({ type: z.literal('teams'), name, secretArn: arn }).strict(),
  /** Secret: the integration's key. */
  z.object({ type: z.literal('opsgenie'), name, secretArn: arn, url }).strict(),
  /** Secret: `{ "url": …, "key": … }`, the key signing the body; the address alone where nothing is signed. */
  z.object({ type: z.literal('webhook'), name, secretArn: arn }).strict(),
  /** A topic: e-mail, chat applications, whatever subscribes. `format`: what its subscribers read. */
  z
    .object({ type: z.literal('sns'), name, topicArn: arn, format: z.enum(['text', 'chat', 'json']), hearsAlarms })
    .strict(),
  z.object({ type: z.literal('sqs'), name, queueUrl: z.string().url(), hearsAlarms }).strict(),
  /** A bus of EventBridge, for programs: it gets every transition, whatever is muted or silenced, and no alarms. */
  z.object({ type: z.literal('event-bus'), name, busArn: arn }).strict(),
  /** A function of the user's: invoked with the transition. */
  z.object({ type: z.literal('function'), name, functionArn: arn }).strict(),
]);
export type Delivery = z.output<typeof deliverySchema>;

/** Absent: any. */
const matchSchema = z
  .object({
    owner: z.string().min(1).optional(),
    model: z.string().min(1).optional(),
    signal: z.enum(SIGNALS).optional(),
    severity: z.enum(SEVERITIES).optional(),
  })
  .strict();

/** Goes to the channels of every route that matches; of none: to all channels. */
export const routeSchema = z.object({ match: matchSchema, channels: z.array(name).min(1) }).strict();
/** Which channels hear of what. */
export type Route = z.output<typeof routeSchema>;

/** What matches is recorded and shown but sent to nobody, in [from, until) or always. */
export const muteSchema = z
  .object({
    match: matchSchema,
    from: z.string().optional(),
    until: z.string().optional(),
    reason: z.string().min(1),
  })
  .strict();
/** What is recorded and sent to nobody. */
export type Mute = z.output<typeof muteSchema>;

export const alertingSchema = z
  .object({
    schema: z.literal('mlmon.alerting/v1'),
    channels: z.array(deliverySchema).max(50),
    routes: z.array(routeSchema).max(200).default([]),
    mutes: z.array(muteSchema).max(200).default([]),
    /** Of everything, alarms of the platform included. */
    maintenance: z.array(maintenanceSchema).min(1).max(50).optional(),
    /**
     * Who tells people of the state of models. `alarms`: CloudWatch alarms on open episodes do; transitions of episodes are recorded and
     * shown, and sent to nobody. Messages of alarms are delivered in either case.
     */
    notifiedBy: z.enum(['episodes', 'alarms']).default('episodes'),
    /** What links in messages begin with; without it messages carry none. */
    linkBase: z.string().url().optional(),
    runbookBase: z.string().url().optional(),
    /** What addresses of dashboards in Grafana begin with (`dashboardBase`): what has no other link links there. */
    dashboardBase: z.string().url().optional(),
  })
  .strict();
export type Alerting = z.output<typeof alertingSchema>;

/** What a team's deployment brings of its own (`keys.teamChannels()`): it gets what is told of these models, and nothing else. */
export const teamChannelsSchema = z
  .object({
    schema: z.literal('mlmon.team-channels/v1'),
    /** By the name of the publication that brought them. */
    teams: z.record(
      z.string(),
      z.object({ models: z.array(z.string().min(1)), channels: z.array(deliverySchema).min(1).max(50) }).strict(),
    ),
  })
  .strict();
export type TeamChannels = z.output<typeof teamChannelsSchema>;
