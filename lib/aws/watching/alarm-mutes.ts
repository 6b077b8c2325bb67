/** Maintenance windows of alarms: CloudWatch mutes their actions, and takes those of alarms that are still in the same state when a window is over. */
import { Duration, TimeZone } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { durationMs } from '../../contracts/duration.ts';
import type { Maintenance, MaintenanceInput, Weekday } from '../../contracts/maintenance.ts';
import { maintenanceOf } from './maintenance.ts';

/** What one rule takes. */
const MOST_ALARMS = 100;
const MINUTE_MS = 60_000;

const DAY: Readonly<Record<Weekday, string>> = {
  monday: 'MON',
  tuesday: 'TUE',
  wednesday: 'WED',
  thursday: 'THU',
  friday: 'FRI',
  saturday: 'SAT',
  sunday: 'SUN',
};

export interface AlarmMutesProps {
  /** Whose actions are muted. */
  readonly alarms: readonly cloudwatch.IAlarm[];
  /** Windows in which they tell nobody. */
  readonly maintenance: readonly MaintenanceInput[];
}

/** A rule for each window. */
export class AlarmMutes extends Construct {
  constructor(scope: Construct, id: string, props: AlarmMutesProps) {
    super(scope, id);
    for (const [i, window] of maintenanceOf(props.maintenance).entries())
      for (let first = 0; first < props.alarms.length; first += MOST_ALARMS)
        new cloudwatch.AlarmMuteRule(this, first === 0 ? `Window${i + 1}` : `Window${i + 1}-${first}`, {
          description: `Maintenance: ${window.reason}`,
          ...timesOf(window),
          alarms: props.alarms.slice(first, first + MOST_ALARMS),
        });
  }
}

function timesOf(window: Maintenance): Pick<cloudwatch.AlarmMuteRuleProps, 'schedule' | 'duration'> {
  if ('from' in window) {
    // Rules know minutes: what begins within one is muted from its beginning on.
    const from = Math.floor(Date.parse(window.from) / MINUTE_MS) * MINUTE_MS;
    const until = Math.ceil(Date.parse(window.until) / MINUTE_MS) * MINUTE_MS;
    const date = new Date(from);
    return {
      schedule: cloudwatch.ScheduleExpression.at(
        {
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          hour: date.getUTCHours(),
          minute: date.getUTCMinutes(),
        },
        TimeZone.ETC_UTC,
      ),
      duration: Duration.minutes((until - from) / MINUTE_MS),
    };
  }
  const [hour, minute] = window.at.split(':').map((text) => String(Number(text)));
  return {
    schedule: cloudwatch.ScheduleExpression.cron({
      minute: minute ?? '0',
      ...(hour === undefined ? {} : { hour }),
      ...(window.days === undefined ? {} : { weekDay: window.days.map((day) => DAY[day]).join(',') }),
      timeZone: TimeZone.of(window.timezone),
    }),
    duration: Duration.minutes(Math.ceil(durationMs(window.for) / MINUTE_MS)),
  };
}
