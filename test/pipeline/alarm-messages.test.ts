import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alarmData } from '../../lib/alerts/cloudwatch.ts';
import { renderManagedAlertManager } from '../../lib/alerts/managed-alert-manager.ts';
import { transitionsOf } from '../../lib/pipeline/alarm-messages.ts';

const AT = '2026-03-04T11:01:13.000Z';
const data = alarmData({ runbook: 'https://example.org/runbook.md' }).find(({ key }) => key === 'no-events')!;

/** As CloudWatch writes it. */
function alarm(more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    AlarmName: 'production-MlmonNoEvents',
    AlarmDescription: data.description,
    AWSAccountId: '111122223333',
    NewStateValue: 'ALARM',
    NewStateReason: 'Threshold Crossed: no datapoints were received for 5 periods',
    StateChangeTime: '2026-03-04T11:01:12.000+0000',
    Region: 'EU (Ireland)',
    AlarmArn: 'arn:aws:cloudwatch:eu-west-1:111122223333:alarm:production-MlmonNoEvents',
    OldStateValue: 'OK',
    Trigger: {
      MetricName: 'LastEventAge',
      Namespace: 'MLMonitoring',
      Dimensions: [{ name: 'Environment', value: 'production' }],
    },
    ...more,
  });
}

const read = (text: string, id = 'm1', subject: string | null = null) => transitionsOf({ id, subject, text, at: AT });

describe('a CloudWatch alarm', () => {
  it('is a transition with what the alarm says of itself', () => {
    expect(read(alarm())).toEqual([
      expect.objectContaining({
        kind: 'opened',
        title: 'production-MlmonNoEvents',
        at: AT,
        runbook: 'https://example.org/runbook.md#no-events',
        link: 'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/production-MlmonNoEvents',
        episode: expect.objectContaining({
          model: 'platform',
          signal: 'blind',
          severity: 'critical',
          opened: '2026-03-04T11:01:12.000Z',
          closed: null,
          summary: expect.stringContaining('No events arrive, of any model'),
        }),
      }),
    ]);
    expect(read(alarm())[0]!.episode.summary).toContain('no datapoints were received');
    expect(read(alarm())[0]!.episode.summary).not.toContain('Severity:');
  });

  it('has a key of the alarm and the moment of its change, the same episode for both', () => {
    const [opened] = read(alarm());
    const [again] = read(alarm(), 'another message');
    const [over] = read(
      alarm({ NewStateValue: 'OK', OldStateValue: 'ALARM', StateChangeTime: '2026-03-04T12:00:00.000+0000' }),
    );
    const [later] = read(alarm({ StateChangeTime: '2026-03-05T00:00:00.000+0000' }));
    expect(again!.key).toBe(opened!.key);
    expect(over).toMatchObject({
      kind: 'closed',
      episode: { id: opened!.episode.id, closed: '2026-03-04T12:00:00.000Z' },
    });
    expect(new Set([opened!.key, over!.key, later!.key]).size).toBe(3);
  });

  it('tells nothing when it is new and all is well', () => {
    expect(read(alarm({ NewStateValue: 'OK', OldStateValue: 'INSUFFICIENT_DATA' }))).toEqual([]);
  });

  it('is read when it is composite, of a model, or of somebody else', () => {
    const [composite] = read(alarm({ Trigger: undefined, AlarmRule: 'ALARM(a) OR ALARM(b)', AlarmDescription: null }));
    expect(composite).toMatchObject({
      kind: 'opened',
      runbook: '',
      episode: { severity: 'warning', model: 'platform' },
    });
    const [ofModel] = read(alarm({ Trigger: { Dimensions: [{ name: 'Model', value: 'churn' }] } }));
    expect(ofModel!.episode.model).toBe('churn');
  });

  it('has the severity of its rule, whichever it is', () => {
    for (const { name, description, severity } of alarmData())
      expect(read(alarm({ AlarmName: name, AlarmDescription: description }))[0]!.episode.severity).toBe(severity);
  });
});

describe('alerts of Alertmanager', () => {
  const alert = (more: Record<string, unknown> = {}) => ({
    status: 'firing',
    labels: { alertname: 'MlmonWindowsOverdue', model: 'churn', severity: 'critical', signal: 'blind' },
    annotations: {
      summary: 'Windows should have been judged and were not',
      runbook_url: 'https://example.org/runbook.md#windows-overdue',
    },
    startsAt: '2026-03-04T10:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus:9090/graph',
    fingerprint: '5ef77f1f8a3ecf8d',
    ...more,
  });
  const webhook = (...alerts: unknown[]) =>
    JSON.stringify({
      version: '4',
      groupKey: '{}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'r',
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      externalURL: '',
      alerts,
    });

  it('are transitions, one each, opened by the first and closed by the last word', () => {
    const [opened, other] = read(webhook(alert(), alert({ fingerprint: 'f2', labels: { alertname: 'X' } })));
    expect(opened).toMatchObject({
      kind: 'opened',
      title: 'MlmonWindowsOverdue on churn',
      runbook: 'https://example.org/runbook.md#windows-overdue',
      episode: { model: 'churn', severity: 'critical', signal: 'blind' },
    });
    expect(other).toMatchObject({ title: 'X', episode: { model: 'platform', severity: 'warning' } });
    const [closed] = read(webhook(alert({ status: 'resolved', endsAt: '2026-03-04T11:00:00Z' })));
    expect(closed).toMatchObject({ kind: 'closed', episode: { id: opened!.episode.id } });
    expect(closed!.key).not.toBe(opened!.key);
    // Posted again every few hours while it lasts.
    expect(read(webhook(alert()), 'repeated')[0]!.key).toBe(opened!.key);
  });

  it('lead to the dashboard that they name, and else to where they were made', () => {
    const made = 'https://prometheus.example/graph';
    const named = { summary: 's', dashboard_url: 'https://g.example/d/mlmon-model/model' };
    const [shown] = read(webhook(alert({ annotations: named, generatorURL: made })));
    expect(shown!.link).toBe('https://g.example/d/mlmon-model/model');
    expect(read(webhook(alert({ generatorURL: made })))[0]!.link).toBe(made);
  });

  it.each([false, true])('are read as our own template writes them, with dashboards: %s', (dashboards) => {
    const outer = parse(renderManagedAlertManager({ region: 'eu-west-1', topics: {}, dashboards })) as {
      template_files: { default: string };
    };
    const template = /define "sns\.default\.message" }}(.*){{ end }}\n/.exec(outer.template_files.default)![1]!;
    const values: Record<string, string> = {
      '.Status': 'firing',
      '.GroupLabels.alertname': 'MlmonNoEvents',
      '.GroupLabels.severity': 'critical',
      '$a.Status': 'firing',
      '$a.Fingerprint': 'abc',
      '$a.Labels.alertname': 'MlmonNoEvents',
      '$a.Labels.severity': 'critical',
      '$a.Labels.signal': 'blind',
      '$a.Labels.model': '',
      '$a.Annotations.summary': 'No events arrive, of any model',
      '$a.Annotations.runbook_url': 'https://example.org/runbook.md#no-events',
      '$a.Annotations.dashboard_url': 'https://g.example/d/mlmon-pipeline/pipeline',
    };
    const rendered = template
      .replace(/{{ range \$i, \$a := \.Alerts }}{{ if \$i }},{{ end }}/, '')
      .replace('{{ end }}', '')
      .replace(/{{ (\$a\.(?:StartsAt|EndsAt))\.Format "[^"]+" }}/g, '2026-03-04T10:00:00Z')
      .replace(/{{ ([.$a-zA-Z_]+) }}/g, (whole, name: string) => values[name] ?? whole);
    expect(rendered).not.toContain('{{');
    expect(read(rendered)).toMatchObject([
      { kind: 'opened', title: 'MlmonNoEvents', episode: { severity: 'critical', opened: '2026-03-04T10:00:00.000Z' } },
    ]);
    expect(read(rendered)[0]!.link).toBe(dashboards ? 'https://g.example/d/mlmon-pipeline/pipeline' : '');
  });
});

describe('any other message', () => {
  it('is passed on as it is, once', () => {
    expect(read('disk full', 'm7', 'From somebody')).toMatchObject([
      { kind: 'opened', title: 'From somebody', episode: { summary: 'disk full', severity: 'warning' } },
    ]);
    expect(read('{"x":', 'm7')[0]!.key).toBe(read('{"x":', 'm7')[0]!.key);
  });

  it('never throws, and always has a key, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record({
              AlarmName: fc.string(),
              NewStateValue: fc.constantFrom('ALARM', 'OK', 'x'),
              Trigger: fc.anything(),
              StateChangeTime: fc.string(),
            })
            .map((value) => JSON.stringify(value)),
          fc.record({ alerts: fc.array(fc.anything()) }).map((value) => JSON.stringify(value) ?? ''),
        ),
        (text) => {
          for (const { key, episode, title } of read(text)) {
            expect(key).toMatch(/^alarm-[0-9a-f]{16}\/(?:opened|closed)\/\d{4}-/);
            expect(episode.summary.length).toBeLessThanOrEqual(1_000);
            expect(typeof title).toBe('string');
          }
        },
      ),
    );
  });
});
