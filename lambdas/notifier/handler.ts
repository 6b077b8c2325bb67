/**
 * Every minute: delivers what the outboxes hold. On a message of a topic of alarms: takes it into an outbox of its own, so that it is as safe as
 * a transition of a model, and delivers it at once.
 */
import { PublishCommand } from '@aws-sdk/client-sns';
import { type Alerting, alertingSchema, type TeamChannels } from '../../lib/contracts/alerting.ts';
import {
  CLOUDWATCH_DIMENSION,
  type CloudWatchMetric,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../../lib/contracts/cloudwatch-metrics.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { type AlarmMessage, transitionsOf } from '../../lib/pipeline/alarm-messages.ts';
import { readJson } from '../../lib/pipeline/json-object.ts';
import type { GroupOptions } from '../../lib/pipeline/notification-group.ts';
import { Notifier, type RoundResult } from '../../lib/pipeline/notifier.ts';
import type { Clock, ObjectStore } from '../../lib/pipeline/ports.ts';
import { destinationOf } from '../../lib/pipeline/routes.ts';
import { channelsByModel, readTeamChannels } from '../../lib/pipeline/team-channels.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import { failureFields, type Log } from '../log.ts';
import type { InvocationContext } from '../remaining-time.ts';
import { type ChannelParts, channelsOf, hearingAlarmsFromUs } from './channels.ts';

/** What is read of a record of SNS. */
export interface SnsRecord {
  readonly Sns: {
    readonly MessageId: string;
    readonly Subject?: string | null;
    readonly Message: string;
    readonly Timestamp: string;
  };
}

export interface NotifierEvent {
  readonly Records?: readonly SnsRecord[];
}

export interface NotifierParts extends ChannelParts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly environment: string;
  readonly heartbeatTopicArn: string | undefined;
  readonly log: Log;
  readonly group?: GroupOptions;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

/** The longest that one delivery may take, with its marks, milliseconds: longer than any time-out of a channel. */
const LEASE_MS = 60_000;
/** Before the end of the function nothing is begun, milliseconds: as long as one delivery may take. */
const RESERVE_MS = 25_000;

export function notifierHandler(
  parts: NotifierParts,
): (event: NotifierEvent, context: InvocationContext) => Promise<void> {
  return async (event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const alerting = await readAlerting(parts.store);
    const notifier = notifierOf(alerting, await readTeamChannels(parts.store), parts);
    const remaining = context.getRemainingTimeInMillis();
    const until = parts.clock.now() + Math.max(remaining / 2, remaining - RESERVE_MS);
    if (event.Records === undefined) {
      const result = await notifier.run({ until });
      told(parts, log, notifier, result);
      await beat(parts);
      tell(parts, [
        [PLATFORM_CLOUDWATCH_METRIC.undeliveredAge, result.undeliveredMs / 1_000],
        [PLATFORM_CLOUDWATCH_METRIC.runs, 1],
      ]);
      return;
    }
    // What cannot be taken is thrown: the message then comes again, and in the end lies in the dead-letter queue.
    await notifier.accept(event.Records.map(messageOf).flatMap(transitionsOf));
    try {
      told(parts, log, notifier, await notifier.runAlarms({ until }));
    } catch (error) {
      log.warn('alarms wait for the next round', failureFields(error));
    }
  };
}

function notifierOf(alerting: Alerting, teamChannels: TeamChannels, parts: NotifierParts): Notifier {
  const { store, clock } = parts;
  const brought = Object.values(teamChannels.teams).flatMap((team) => team.channels);
  const channels = channelsOf({ ...alerting, channels: [...alerting.channels, ...brought] }, parts);
  const all = alerting.channels.map(({ name }) => name);
  const teams = channelsByModel(teamChannels);
  const forAlarms = hearingAlarmsFromUs(alerting);
  return new Notifier({
    store,
    clock,
    wall: clock,
    channels,
    leaseMs: LEASE_MS,
    group: parts.group ?? {},
    maintenance: alerting.maintenance,
    destination: (transition, source) => {
      const isAlarm = source === 'alarms';
      const platform = isAlarm ? forAlarms : all;
      return destinationOf(transition, alerting, { channels: platform, now: clock.now(), isAlarm, teams });
    },
  });
}

/** @throws Error where there is none: without it nobody is told of anything, and that must be seen */
async function readAlerting(store: ObjectStore): Promise<Alerting> {
  const stored = await readJson<unknown>(store, keys.alerting());
  if (stored === null)
    throw new Error(`${keys.alerting()}: there is no such object; it is published by the deployment: deploy again`);
  const parsed = alertingSchema.safeParse(stored.value);
  if (parsed.success) return parsed.data;
  throw new Error(
    `${keys.alerting()}: is not valid at ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}; deploy again`,
  );
}

function messageOf({ Sns }: SnsRecord): AlarmMessage {
  return { id: Sns.MessageId, subject: Sns.Subject ?? null, text: Sns.Message, at: Sns.Timestamp };
}

function told(
  parts: NotifierParts,
  log: Log,
  { counts }: Notifier,
  { attempts, read, undeliveredMs }: RoundResult,
): void {
  log.info('delivered', { ...counts, attempts, outboxes: read, undelivered: Math.round(undeliveredMs / 1_000) });
  tell(parts, [[PLATFORM_CLOUDWATCH_METRIC.deliveryFailures, counts.failed]]);
}

function tell(parts: NotifierParts, values: readonly (readonly [CloudWatchMetric, number])[]): void {
  writeMetrics(
    values.map(([metric, value]) => ({ metric, value, of: { [CLOUDWATCH_DIMENSION.function]: 'notifier' } })),
    { environment: parts.environment, now: parts.clock.now(), write: parts.write },
  );
}

/** Something outside may call when it stops coming. */
async function beat({ heartbeatTopicArn, clients, clock, environment }: NotifierParts): Promise<void> {
  if (heartbeatTopicArn === undefined) return;
  await clients.sns.send(
    new PublishCommand({
      TopicArn: heartbeatTopicArn,
      Message: JSON.stringify({
        schema: 'mlmon.heartbeat/v1',
        environment,
        at: new Date(clock.now()).toISOString(),
      }),
    }),
  );
}
