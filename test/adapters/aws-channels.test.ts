/** Channels of a deployment: what they send, to local listeners in place of the services, through the real clients. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FunctionChannel } from '../../lib/adapters/function/function-channel.ts';
import { OpsgenieChannel, opsgenieAlert } from '../../lib/adapters/opsgenie/opsgenie-channel.ts';
import { chatNotification } from '../../lib/adapters/sns/chat-notification.ts';
import { SnsChannel, subjectOf } from '../../lib/adapters/sns/sns-channel.ts';
import { SqsChannel } from '../../lib/adapters/sqs/sqs-channel.ts';
import { escapeMarkdown, TeamsChannel, teamsBody } from '../../lib/adapters/teams/teams-channel.ts';
import { cutBytes, transitionJson } from '../../lib/adapters/transition-text.ts';
import { retryAfterMs } from '../../lib/adapters/webhook/http-post.ts';
import type { EpisodeFeature } from '../../lib/contracts/episode.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';
import { type Answer, closing, type Listener, listen, NASTY, transitionOf } from './transitions.ts';

const listeners: Listener[] = [];
const listener = async (...answers: (Answer | null)[]): Promise<Listener> => {
  const one = await listen(...answers);
  listeners.push(one);
  return one;
};
afterEach(() => {
  for (const one of listeners.splice(0)) one.close();
});

const once = { repeat: false };
const feature = (name: string, summary = 'moved'): EpisodeFeature => ({
  name,
  aspect: null,
  effect: 0.5,
  summary,
  since: '2001-03-01T00:00:00.000Z',
});
const aws = (endpoint: string) => ({
  endpoint,
  region: 'eu-west-1',
  maxAttempts: 1,
  credentials: { accessKeyId: 'a', secretAccessKey: 's' },
});

describe('TeamsChannel', () => {
  it('posts one adaptive card, and takes 202 for delivered', async () => {
    const { got, url } = await listener({ status: 202 });
    await new TeamsChannel({ url }).deliver(transitionOf(), once);
    const message = JSON.parse(got[0]!.body) as {
      type: string;
      attachments: { contentType: string; content: { type: string; version: string; actions: { url: string }[] } }[];
    };
    expect(message.type).toBe('message');
    expect(message.attachments).toHaveLength(1);
    const { contentType, content } = message.attachments[0]!;
    expect(contentType).toBe('application/vnd.microsoft.card.adaptive');
    expect(content).toMatchObject({ type: 'AdaptiveCard', version: '1.4' });
    expect(content.actions.map((action) => action.url)).toEqual([
      'https://example.org/#/models/m',
      'https://example.org/runbook#drift',
    ]);
  });

  it('lets no text from data make a link, a mention, emphasis or a list', () => {
    expect(escapeMarkdown(NASTY)).not.toMatch(/\]\(|\*\*|<[@!a]|:\/\/|^\s*(?:[-+]|\d+\.)\s/m);
    const body = teamsBody(
      transitionOf({}, { summary: NASTY, owner: NASTY, features: [feature(NASTY, NASTY)] }),
      false,
    );
    expect(body).not.toContain('](https://evil');
    expect(body).not.toContain('<at>');
  });

  it('stays below what Teams takes, whatever is said', () => {
    const long = 'ä'.repeat(2_000);
    const body = teamsBody(
      transitionOf(
        { context: Array.from({ length: 40 }, () => long) },
        { summary: long, features: Array.from({ length: 200 }, (_, i) => feature(`f${i}`, long)) },
      ),
      true,
    );
    expect(Buffer.byteLength(body)).toBeLessThan(28_000);
    expect(body).toContain('(repeated)');
  });

  it('has no buttons without an absolute address', () => {
    expect(teamsBody(transitionOf({ link: '', runbook: '#drift' }), false)).toContain('"actions":[]');
  });
});

describe('OpsgenieChannel', () => {
  it('makes an alert with an alias and a priority, and closes it by the same alias', async () => {
    const { got, url } = await listener({ status: 202 });
    const channel = new OpsgenieChannel({ key: 'k', url: `${url}/v2/alerts` });
    await channel.deliver(transitionOf(), once);
    await channel.deliver(closing(), once);
    expect(got[0]).toMatchObject({ path: '/v2/alerts', headers: { authorization: 'GenieKey k' } });
    expect(JSON.parse(got[0]!.body)).toMatchObject({
      alias: 'mlmon/m/e1',
      priority: 'P3',
      source: 'mlmon',
      tags: ['drift', 'm', 'team'],
    });
    expect(got[1]!.path).toBe('/v2/alerts/mlmon%2Fm%2Fe1/close?identifierType=alias');
  });

  it('takes an alert that is gone for closed, and nothing else that is refused', async () => {
    const gone = await listener({ status: 404 });
    await new OpsgenieChannel({ key: 'k', url: gone.url }).deliver(closing(), once);
    await expect(
      new OpsgenieChannel({ key: 'k', url: (await listener({ status: 422 })).url }).deliver(closing(), once),
    ).rejects.toThrow('answered 422');
    await expect(
      new OpsgenieChannel({ key: 'k', url: gone.url, name: 'ops' }).deliver(transitionOf(), once),
    ).rejects.toThrow(/^ops: answered 404/);
  });

  it('keeps to the limits', () => {
    const long = 'x'.repeat(40_000);
    const alert = opsgenieAlert(
      transitionOf({ link: `https://e.org/${long}` }, { id: long, owner: long, summary: long }),
      false,
    ) as {
      message: string;
      alias: string;
      description: string;
      tags: string[];
      details: Record<string, string>;
    };
    expect(alert.message.length).toBeLessThanOrEqual(130);
    expect(alert.alias.length).toBeLessThanOrEqual(512);
    expect(alert.description.length).toBeLessThanOrEqual(15_000);
    for (const tag of alert.tags) expect(tag.length).toBeLessThanOrEqual(50);
    expect(Object.values(alert.details).join('').length).toBeLessThan(8_000);
  });
});

describe('HTTP channels', () => {
  it('pass on for how long they were asked to wait', async () => {
    const { url } = await listener({ status: 429, headers: { 'retry-after': '120' } });
    const failure = new TeamsChannel({ url }).deliver(transitionOf(), once);
    await expect(failure).rejects.toBeInstanceOf(TransientError);
    await expect(failure).rejects.toMatchObject({ retryAfterMs: 120_000 });
  });

  it('read Retry-After as seconds or as a date, and nothing else', () => {
    const now = Date.parse('2001-03-01T00:00:00Z');
    expect(retryAfterMs('30', now)).toBe(30_000);
    expect(retryAfterMs('Thu, 01 Mar 2001 00:01:00 GMT', now)).toBe(60_000);
    expect(retryAfterMs('Wed, 28 Feb 2001 00:00:00 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs(null, now)).toBeUndefined();
  });
});

const PUBLISHED =
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';
const REFUSED =
  '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>';
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:t';

describe('SnsChannel', () => {
  const publish = async (format: 'text' | 'chat' | 'json', topicArn = TOPIC, transition = transitionOf()) => {
    const { got, url } = await listener({ status: 200, headers: { 'content-type': 'text/xml' }, body: PUBLISHED });
    await new SnsChannel({ client: new SNSClient(aws(url)), topicArn, format }).deliver(transition, once);
    return new URLSearchParams(got[0]!.body);
  };

  it('publishes text with a subject, for people', async () => {
    const sent = await publish('text');
    expect(sent.get('Subject')).toBe('Drift on m 1');
    expect(sent.get('Message')).toContain('- distance: mean up by 0.7');
    expect(sent.get('Message')).toContain('Runbook: https://example.org/runbook#drift');
  });

  it('publishes what chat applications show, or JSON, without a subject', async () => {
    expect(JSON.parse((await publish('chat')).get('Message') ?? '')).toMatchObject({
      version: '1.0',
      source: 'custom',
    });
    const json = await publish('json');
    expect(JSON.parse(json.get('Message') ?? '')).toMatchObject({ schema: 'mlmon.transition/v1', kind: 'opened' });
    expect(json.get('Subject')).toBeNull();
  });

  it('says in attributes what subscriptions may filter by', async () => {
    const sent = Object.fromEntries(await publish('json'));
    const names = Object.entries(sent).filter(([name]) => /\.Name$/.test(name));
    expect(names.map(([, value]) => value).sort()).toEqual(['key', 'kind', 'model', 'owner', 'severity', 'signal']);
  });

  it('lets a FIFO topic drop repeats', async () => {
    const first = await publish('json', `${TOPIC}.fifo`);
    const again = await publish('json', `${TOPIC}.fifo`);
    expect(first.get('MessageDeduplicationId')).toBe(again.get('MessageDeduplicationId'));
    expect(first.get('MessageGroupId')).toMatch(/^[0-9a-f]{64}$/);
    expect((await publish('json')).get('MessageGroupId')).toBeNull();
  });

  it('has a subject that the service takes, whatever the names', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.boolean(), (model, repeat) => {
        const subject = subjectOf(transitionOf({}, { model }), repeat);
        expect(subject.length).toBeLessThan(100);
        expect(subject).toMatch(/^[\x21-\x7e][\x20-\x7e]*$/);
      }),
    );
  });

  it('tells a refusal from a passing failure', async () => {
    const refused = await listener({ status: 403, headers: { 'content-type': 'text/xml' }, body: REFUSED });
    const failing = await listener({ status: 503, body: '' });
    const deliver = (url: string) =>
      new SnsChannel({ client: new SNSClient(aws(url)), topicArn: TOPIC, format: 'json' }).deliver(
        transitionOf(),
        once,
      );
    await expect(deliver(refused.url)).rejects.toThrow(/^sns: publish: AuthorizationError.*\(403\)/);
    await expect(deliver(refused.url)).rejects.not.toBeInstanceOf(TransientError);
    await expect(deliver(failing.url)).rejects.toBeInstanceOf(TransientError);
    await expect(deliver('http://127.0.0.1:9')).rejects.toBeInstanceOf(TransientError);
  });
});

describe('chat notifications', () => {
  it('follow the schema, with the opening and the closing in one thread', () => {
    const opened = chatNotification(transitionOf(), false) as { metadata: { threadId: string } };
    const closed = chatNotification(closing(), false) as { metadata: { threadId: string } };
    expect(opened).toMatchObject({
      version: '1.0',
      source: 'custom',
      content: { textType: 'client-markdown', description: expect.stringContaining('distance') },
    });
    expect(opened.metadata.threadId).toBe(closed.metadata.threadId);
  });

  it('mention nobody and stay small', () => {
    const note = chatNotification(
      transitionOf(
        { context: [NASTY] },
        { summary: NASTY, owner: NASTY, features: Array.from({ length: 300 }, () => feature(NASTY, NASTY.repeat(50))) },
      ),
      false,
    ) as { content: { title: string; description: string; keywords: string[] } };
    expect(note.content.description).not.toMatch(/<[!@]|\]\(/);
    expect(note.content.description.length).toBeLessThanOrEqual(4_000);
    expect(note.content.title.length).toBeLessThanOrEqual(200);
  });
});

describe('SqsChannel', () => {
  it('sends one message with the transition as it is', async () => {
    const { got, url } = await listener({
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: '{"MessageId":"1"}',
    });
    await new SqsChannel({ client: new SQSClient({ ...aws(url), md5: false }), queueUrl: `${url}/1/q` }).deliver(
      transitionOf(),
      { repeat: true },
    );
    const sent = JSON.parse(got[0]!.body) as { MessageBody: string; QueueUrl: string };
    expect(sent.QueueUrl).toBe(`${url}/1/q`);
    expect(JSON.parse(sent.MessageBody)).toEqual({ schema: 'mlmon.transition/v1', repeat: true, ...transitionOf() });
  });

  it('tells a refusal from a passing failure', async () => {
    const answer = (status: number, type: string): Answer => ({
      status,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ __type: type, message: 'no' }),
    });
    const deliver = async (one: Answer): Promise<void> => {
      const { url } = await listener(one);
      return new SqsChannel({ client: new SQSClient(aws(url)), queueUrl: `${url}/1/q` }).deliver(transitionOf(), once);
    };
    await expect(deliver(answer(400, 'com.amazonaws.sqs#QueueDoesNotExist'))).rejects.toThrow('check the queue');
    await expect(deliver(answer(503, 'com.amazonaws.sqs#ServiceUnavailable'))).rejects.toBeInstanceOf(TransientError);
  });
});

describe('FunctionChannel', () => {
  const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:mine';
  const deliver = async (answer: Answer | null, timeout?: number) => {
    const { got, url } = await listener(answer);
    await new FunctionChannel({ client: new LambdaClient(aws(url)), functionArn: arn, timeout }).deliver(
      transitionOf(),
      once,
    );
    return got;
  };

  it('invokes it and waits for its answer', async () => {
    const got = await deliver({ status: 200, body: 'null' });
    expect(decodeURIComponent(got[0]!.path)).toContain(`/functions/${arn}/invocations`);
    expect(got[0]!.headers['x-amz-invocation-type']).toBe('RequestResponse');
    expect(JSON.parse(got[0]!.body)).toMatchObject({ kind: 'opened', repeat: false });
  });

  it('tries again what the function throws or does not answer, without passing on its words', async () => {
    const thrown = deliver({
      status: 200,
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: '{"errorMessage":"secret"}',
    });
    await expect(thrown).rejects.toBeInstanceOf(TransientError);
    await expect(thrown).rejects.not.toThrow('secret');
    await expect(deliver(null, 50)).rejects.toBeInstanceOf(TransientError);
    await expect(deliver({ status: 403, body: '{"Message":"no"}' })).rejects.toThrow(
      'check that the function is there',
    );
  });
});

describe('text that is cut', () => {
  it('keeps whole characters and the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 4, max: 100 }), (text, limit) => {
        const result = cutBytes(text, limit);
        expect(Buffer.byteLength(result)).toBeLessThanOrEqual(limit);
        expect(result).not.toContain('\ufffd');
      }),
    );
  });

  it('leaves out features rather than half of one', () => {
    const json = transitionJson(
      transitionOf({}, { features: Array.from({ length: 5_000 }, (_, i) => feature(`f${i}`, 'x'.repeat(200))) }),
      false,
      240_000,
    );
    expect(json.length).toBeLessThanOrEqual(240_000);
    expect((JSON.parse(json) as { episode: { features: unknown[] } }).episode.features.length).toBeGreaterThan(500);
  });
});
