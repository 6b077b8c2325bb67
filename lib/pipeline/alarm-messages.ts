/**
 * Messages of alarms as transitions, so that they go the same way to the same channels: CloudWatch alarms as SNS carries them, Alertmanager's
 * webhook and what our templates make of it. What is neither is passed on as it is: an alarm that nobody can read must not be lost.
 * The key of a transition is the alarm and the moment of its change, so one that comes twice is one.
 */
import { createHash } from 'node:crypto';
import type { Episode, Transition } from '../contracts/episode.ts';
import { SEVERITIES, type Severity, SIGNALS, type Signal } from '../contracts/result.ts';

export interface AlarmMessage {
  readonly id: string;
  readonly subject: string | null;
  readonly text: string;
  /** When it was sent, RFC 3339. */
  readonly at: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What is no model's. */
const PLATFORM = 'platform';
const LONGEST = 1_000;

export function transitionsOf(message: AlarmMessage): Transition[] {
  const fields = jsonObject(message.text);
  if (fields !== null && typeof fields['AlarmName'] === 'string' && typeof fields['NewStateValue'] === 'string')
    return cloudWatch(fields, message);
  if (fields !== null && Array.isArray(fields['alerts'])) return alertmanager(fields['alerts'], message);
  return [unknown(message)];
}

function cloudWatch(fields: Fields, { at }: AlarmMessage): Transition[] {
  const state = text(fields['NewStateValue']);
  // A new alarm that finds all well has nothing to tell.
  if (state === 'OK' && text(fields['OldStateValue']) !== 'ALARM') return [];
  const name = text(fields['AlarmName']);
  const arn = text(fields['AlarmArn']);
  const changed = isoTime(text(fields['StateChangeTime'])) ?? at;
  const description = text(fields['AlarmDescription']);
  const region = arn.split(':')[3] ?? '';
  const trigger = isObject(fields['Trigger']) ? fields['Trigger'] : {};
  const reason = text(fields['NewStateReason']);
  return [
    transition({
      id: digest('cloudwatch', arn === '' ? name : arn),
      over: state === 'OK',
      moment: changed,
      at,
      title: state === 'INSUFFICIENT_DATA' ? `${name} has insufficient data` : name,
      model: dimension(trigger, 'Model') ?? PLATFORM,
      severity: severityOf(/^Severity: (\w+)/m.exec(description)?.[1]) ?? 'warning',
      signal: 'blind',
      summary: [description.replace(/^(?:Severity|Runbook|Dashboard): .*$/gm, '').trim(), reason]
        .filter((part) => part !== '')
        .join(' — '),
      runbook: /^Runbook: (\S+)/m.exec(description)?.[1] ?? '',
      link:
        /^Dashboard: (\S+)/m.exec(description)?.[1] ??
        (region === ''
          ? ''
          : `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#alarmsV2:alarm/${encodeURIComponent(name)}`),
    }),
  ];
}

function alertmanager(alerts: readonly unknown[], { at }: AlarmMessage): Transition[] {
  return alerts.filter(isObject).map((alert) => {
    const labels = isObject(alert['labels']) ? alert['labels'] : {};
    const annotations = isObject(alert['annotations']) ? alert['annotations'] : {};
    const name = text(labels['alertname']) || 'alert';
    const model = text(labels['model']);
    const fingerprint = text(alert['fingerprint']) || JSON.stringify(Object.entries(labels).sort());
    const signal = text(labels['signal']);
    return transition({
      id: digest('alertmanager', fingerprint),
      over: text(alert['status']) === 'resolved',
      moment: isoTime(text(alert['startsAt'])) ?? at,
      at,
      title: model === '' ? name : `${name} on ${model}`,
      model: model === '' ? PLATFORM : model,
      severity: severityOf(text(labels['severity'])) ?? 'warning',
      signal: (SIGNALS as readonly string[]).includes(signal) ? (signal as Signal) : 'blind',
      summary: [text(annotations['summary']), text(annotations['description'])]
        .filter((part) => part !== '')
        .join(' — '),
      runbook: text(annotations['runbook_url']),
      link: text(annotations['dashboard_url']) || text(alert['generatorURL']),
    });
  });
}

function unknown({ id, subject, text: content, at }: AlarmMessage): Transition {
  return transition({
    id: digest('message', id),
    over: false,
    moment: at,
    at,
    title: subject === null || subject === '' ? 'A message on a topic of alarms' : subject,
    model: PLATFORM,
    severity: 'warning',
    signal: 'blind',
    summary: content,
    runbook: '',
    link: '',
  });
}

interface Said {
  readonly id: string;
  readonly over: boolean;
  /** When it changed. */
  readonly moment: string;
  readonly at: string;
  readonly title: string;
  readonly model: string;
  readonly severity: Severity;
  readonly signal: Signal;
  readonly summary: string;
  readonly runbook: string;
  readonly link: string;
}

function transition({
  id,
  over,
  moment,
  at,
  title,
  model,
  severity,
  signal,
  summary,
  runbook,
  link,
}: Said): Transition {
  const episode: Episode = {
    id,
    model,
    version: '',
    signal,
    severity,
    owner: PLATFORM,
    opened: moment,
    closed: over ? moment : null,
    since: moment,
    length: '',
    features: [],
    summary: summary.length > LONGEST ? `${summary.slice(0, LONGEST - 1)}…` : summary,
    provisional: false,
  };
  const kind = over ? 'closed' : 'opened';
  return { key: `${id}/${kind}/${moment}`, kind, title, episode, at, runbook, link, context: [] };
}

function dimension(trigger: Fields, wanted: string): string | null {
  const dimensions = Array.isArray(trigger['Dimensions']) ? trigger['Dimensions'].filter(isObject) : [];
  const found = dimensions.find((one) => one['name'] === wanted);
  return found === undefined ? null : text(found['value']) || null;
}

function severityOf(word: string | undefined): Severity | null {
  return SEVERITIES.find((severity) => severity === word) ?? null;
}

/** `2026-03-04T11:01:12.000+0000` lacks the colon that dates need. */
function isoTime(time: string): string | null {
  const ms = Date.parse(time.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

function jsonObject(content: string): Fields | null {
  try {
    const value: unknown = JSON.parse(content);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function digest(...parts: readonly string[]): string {
  return `alarm-${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)}`;
}
