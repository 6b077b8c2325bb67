/** The notifier as a function: its handler with injected parts, and its bundle against local services. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logOf } from '../../lambdas/log.ts';
import { channelsOf, hearingAlarmsFromUs, withLinks } from '../../lambdas/notifier/channels.ts';
import { type NotifierEvent, notifierHandler } from '../../lambdas/notifier/handler.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { type Alerting, alertingSchema } from '../../lib/contracts/alerting.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { transitionsOf } from '../../lib/pipeline/alarm-messages.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import { groupOf } from '../../lib/pipeline/notification-group.ts';
import { isSettled } from '../../lib/pipeline/outbox.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';
import { type Listener, listen } from '../adapters/transitions.ts';
import { addTransitions, NOW, outboxOf, TestClock, transitionFor } from '../pipeline/outbox-data.ts';
import { type Bundles, bundlesOf, environmentOf } from './bundle.ts';
import { BUCKET, type FakeAws, startFakeAws } from './fake-aws.ts';

const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 };

function alerting(channels: unknown[], more: Record<string, unknown> = {}): Alerting {
  return alertingSchema.parse({ schema: 'mlmon.alerting/v1', channels, ...more });
}

const slack = { type: 'slack', name: 'slack', secretArn: `${SECRET}slack` };
const topic = { type: 'sns', name: 'mail', topicArn: 'arn:aws:sns:eu-west-1:111122223333:mail', format: 'text' };

const alarmEvent = (state = 'ALARM', at = '2026-03-04T11:01:12.000+0000'): NotifierEvent => ({
  Records: [
    {
      Sns: {
        MessageId: 'm1',
        Subject: 'ALARM',
        Message: JSON.stringify({
          AlarmName: 'MlmonNoEvents',
          NewStateValue: state,
          OldStateValue: state === 'OK' ? 'ALARM' : 'OK',
          StateChangeTime: at,
          AlarmDescription: 'No events.\nSeverity: critical\nRunbook: https://e.org/r#no-events',
        }),
        Timestamp: '2026-03-04T11:01:13.000Z',
      },
    },
  ],
});

async function setUp(configuration: Alerting | null, secrets: Readonly<Record<string, string>> = {}) {
  const store = new MemoryStore();
  const clock = new TestClock();
  if (configuration !== null) await store.putIfAbsent(keys.alerting(), encodeJson(configuration));
  const sent: { TopicArn: string; Message: string }[] = [];
  const written: string[] = [];
  const parts = {
    store,
    clock,
    environment: 'test',
    heartbeatTopicArn: undefined as string | undefined,
    log: logOf('notifier', { write: (line) => void written.push(line) }),
    write: (line: string) => void written.push(line),
    secrets: {
      text: async (arn: string) => {
        const text = secrets[arn];
        if (text === undefined) throw new Error('AccessDenied');
        return text;
      },
    },
    clients: {
      sns: {
        send: async (command: { input: unknown }) =>
          void sent.push(command.input as { TopicArn: string; Message: string }),
      },
      sqs: { send: async () => undefined },
      lambda: { send: async () => undefined },
    } as unknown as Parameters<typeof notifierHandler>[0]['clients'],
  };
  const metric = (name: string) =>
    written
      .map((line) => JSON.parse(line) as Record<string, number>)
      .filter((line) => name in line)
      .map((line) => line[name]);
  return { store, clock, sent, written, metric, parts };
}

describe('a scheduled run', () => {
  it('delivers, beats its heart, and says that it came to its end', async () => {
    const { store, sent, metric, parts } = await setUp(alerting([topic]));
    await addTransitions(store, [transitionFor('a')]);
    await notifierHandler({ ...parts, heartbeatTopicArn: 'arn:aws:sns:eu-west-1:111122223333:heart' })({}, context);
    expect(sent.map(({ TopicArn }) => TopicArn.split(':').at(-1))).toEqual(['mail', 'heart']);
    expect(JSON.parse(sent[1]!.Message)).toEqual({
      schema: 'mlmon.heartbeat/v1',
      environment: 'test',
      at: new Date(NOW).toISOString(),
    });
    expect(metric('Runs')).toEqual([1]);
    expect(metric('UndeliveredAge')).toEqual([0]);
    expect(metric('DeliveryFailures')).toEqual([0]);
  });

  it('without a configuration fails, and says nothing of having run', async () => {
    const { store, metric, parts } = await setUp(null);
    await addTransitions(store, [transitionFor('a')]);
    await expect(notifierHandler(parts)({}, context)).rejects.toThrow('deploy again');
    expect(metric('Runs')).toEqual([]);
    // Nothing was decided meanwhile, so nobody is left out.
    expect((await outboxOf(store, 'a'))[0]?.channels).toBeUndefined();
  });

  it('counts what it gives up, and never writes a payload', async () => {
    const { store, written, metric, parts } = await setUp(alerting([topic]));
    parts.clients.sns.send = async () => {
      throw Object.assign(new Error('no'), { name: 'AuthorizationError', $metadata: { httpStatusCode: 403 } });
    };
    await addTransitions(store, [transitionFor('a', 'opened', { summary: 'very private' })]);
    await notifierHandler(parts)({}, context);
    expect(metric('DeliveryFailures')).toEqual([1]);
    expect(written.join('')).not.toContain('very private');
  });
});

describe('a message of an alarm', () => {
  it('is delivered at once, and once however often it comes', async () => {
    const { url, got, close } = await listen({ status: 200 });
    const { parts } = await setUp(alerting([slack]), { [slack.secretArn]: `${url}/hook` });
    for (let i = 0; i < 3; i++) await notifierHandler(parts)(alarmEvent(), context);
    await notifierHandler(parts)(alarmEvent('OK', '2026-03-04T12:00:00.000+0000'), context);
    close();
    expect(got.map(({ body }) => (JSON.parse(body) as { text: string }).text)).toEqual([
      expect.stringMatching(/^⚠ MlmonNoEvents: No events\./),
      expect.stringMatching(/^✓ MlmonNoEvents: closed: /),
    ]);
  });

  it('is not sent where the receiver subscribes to alarms itself', async () => {
    const { sent, parts } = await setUp(alerting([topic]));
    await notifierHandler(parts)(alarmEvent(), context);
    expect(sent).toEqual([]);
    const configuration = alerting([
      topic,
      { ...topic, name: 'own', hearsAlarms: false },
      slack,
      { type: 'sqs', name: 'q', queueUrl: 'https://q', hearsAlarms: true },
    ]);
    expect(hearingAlarmsFromUs(configuration)).toEqual(['own', 'slack']);
  });

  it('that cannot be written down is thrown, so that it comes again', async () => {
    const { parts, store } = await setUp(alerting([slack]));
    store.putIfAbsent = async () => {
      throw new TransientError('503');
    };
    await expect(notifierHandler(parts)(alarmEvent(), context)).rejects.toThrow('503');
  });

  it('waits in its outbox while the channel is down', async () => {
    const { url, got, close } = await listen({ status: 503 }, { status: 200 });
    const { clock, parts } = await setUp(alerting([slack]), { [slack.secretArn]: `${url}/hook` });
    await notifierHandler(parts)(alarmEvent(), context);
    clock.pass(60_000);
    await notifierHandler(parts)({}, context);
    close();
    expect(got).toHaveLength(2);
    expect(got[1]!.body).toContain('(repeated)');
  });
});

describe('channels', () => {
  it('keep what waits while a secret cannot be read or holds no address, and never show it', async () => {
    for (const secret of [undefined, 'not an address with s3cret', '{"key":"s3cret"}']) {
      const { store, written, parts } = await setUp(
        alerting([slack]),
        secret === undefined ? {} : { [slack.secretArn]: secret },
      );
      await addTransitions(store, [transitionFor('a')]);
      await notifierHandler(parts)({}, context);
      const [entry] = await outboxOf(store, 'a');
      expect(entry!.attempts).toEqual({ slack: 1 });
      expect(isSettled(entry!)).toBe(false);
      expect(`${JSON.stringify(entry)}${written.join('')}`).not.toContain('s3cret');
    }
  });

  it('are made of every type of delivery', () => {
    const all = alerting([
      slack,
      { type: 'pagerduty', name: 'pagerduty', secretArn: `${SECRET}pd` },
      { type: 'teams', name: 'teams', secretArn: `${SECRET}teams` },
      { type: 'opsgenie', name: 'opsgenie', secretArn: `${SECRET}ops` },
      { type: 'webhook', name: 'webhook', secretArn: `${SECRET}web` },
      topic,
      { type: 'sqs', name: 'sqs', queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q' },
      { type: 'function', name: 'function', functionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:f' },
    ]);
    const made = channelsOf(all, { secrets: { text: async () => '' }, clients: {} as never, environment: 'test' });
    expect(made.map(({ name }) => name)).toEqual(all.channels.map(({ name }) => name));
    expect(made.filter(({ records }) => records === true).map(({ name }) => name)).toEqual([
      'webhook',
      'sqs',
      'function',
    ]);
    expect(made.filter(({ keepsState }) => keepsState === true).map(({ name }) => name)).toEqual([
      'pagerduty',
      'opsgenie',
    ]);
  });

  it('make links absolute where it is known what they begin with', () => {
    const transition = transitionFor('a');
    expect(
      withLinks(transition, {
        linkBase: 'https://ml.example/',
        runbookBase: 'https://e.org/runbook.md',
        environment: 'test',
      }),
    ).toMatchObject({
      link: 'https://ml.example/#/models/a',
      runbook: 'https://e.org/runbook.md#drift',
    });
    expect(withLinks(transition, { linkBase: undefined, runbookBase: undefined, environment: 'test' })).toMatchObject({
      link: '/#/models/a',
    });
    const given = { ...transition, link: 'https://x.org/a', runbook: 'https://x.org/own' };
    expect(
      withLinks(given, { linkBase: 'https://ml.example', runbookBase: 'https://e.org', environment: 'test' }),
    ).toEqual(given);
  });
});

describe('links to Grafana', () => {
  const bases = { environment: 'test', dashboardBase: 'https://g.example/d/mlmon' };
  const given = { ...transitionFor('a b'), link: '' };
  const { signal, since } = given.episode;

  it('lead what has no page to the dashboard of its model, of this platform, from before it began', () => {
    expect(signal).toBe('drift');
    const { link } = withLinks({ ...given, episode: { ...given.episode, features: [] } }, bases);
    const url = new URL(link);
    expect(`${url.origin}${url.pathname}`).toBe('https://g.example/d/mlmon-model/model');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      'var-instance': 'test',
      'var-model': 'a b',
      to: given.episode.closed === null ? 'now' : expect.stringMatching(/^\d+$/),
    });
    expect(Number(url.searchParams.get('from'))).toBeLessThan(Date.parse(since));
  });

  it('lead to a page where there is one', () => {
    const paged = transitionFor('a');
    expect(withLinks(paged, { ...bases, linkBase: 'https://ml.example' }).link).toBe('https://ml.example/#/models/a');
    expect(withLinks({ ...paged, link: 'https://x.org/a' }, bases).link).toBe('https://x.org/a');
  });

  it('are none for an alarm that names no dashboard, and of several models lead to all that is open', () => {
    const [alarm] = transitionsOf({ id: 'm', subject: 'S', text: 'disk full', at: given.at });
    expect(withLinks(alarm!, bases).link).toBe('');
    const group = groupOf([given, { ...given, key: 'other', episode: { ...given.episode, model: 'b' } }], given.at);
    expect(withLinks(group, bases).link).toMatch(
      /^https:\/\/g\.example\/d\/mlmon-alerts\/alerts\?var-instance=test&from=\d+&to=/,
    );
  });

  it('stand in what is delivered', async () => {
    const { parts, store, sent } = await setUp(alerting([topic], { dashboardBase: bases.dashboardBase }));
    await addTransitions(store, [{ ...transitionFor('a'), link: '' }]);
    await notifierHandler(parts)({}, context);
    expect(sent.map(({ Message }) => Message).join('\n')).toMatch(
      /^Open: https:\/\/g\.example\/d\/mlmon-\w+\/\w+\?var-instance=test&var-model=a&/m,
    );
  });
});

describe('the bundle', () => {
  let aws: FakeAws;
  let bundles: Bundles;
  let receiver: Listener;
  beforeAll(async () => {
    [aws, bundles, receiver] = await Promise.all([startFakeAws(), bundlesOf('notifier'), listen({ status: 200 })]);
  });
  afterAll(async () => {
    receiver.close();
    await Promise.all([aws.close(), bundles.remove()]);
  });

  it('delivers to Slack and PagerDuty with secrets of its own', async () => {
    const pagerDuty = {
      type: 'pagerduty',
      name: 'pagerduty',
      secretArn: `${SECRET}pd`,
      url: `${receiver.url}/v2/enqueue`,
    };
    await aws.store.putIfAbsent(keys.alerting(), encodeJson(alerting([slack, pagerDuty])));
    aws.secrets.set(slack.secretArn, `${receiver.url}/slack`);
    aws.secrets.set(pagerDuty.secretArn, '0123456789abcdef0123456789abcdef');
    await addTransitions(aws.store, [transitionFor('churn')]);
    const handler = await bundles.load<ReturnType<typeof notifierHandler>>('notifier', environmentOf(aws, BUCKET));
    await handler({}, context);
    await handler({}, context);
    expect(receiver.got.map(({ path }) => path).sort()).toEqual(['/slack', '/v2/enqueue']);
    const event = JSON.parse(receiver.got.find(({ path }) => path !== '/slack')!.body) as Record<string, unknown>;
    expect(event).toMatchObject({
      routing_key: '0123456789abcdef0123456789abcdef',
      event_action: 'trigger',
      dedup_key: 'mlmon/churn/churn-e1',
    });
    expect(await aws.store.list(keys.allPending())).toEqual([]);
  });
});
