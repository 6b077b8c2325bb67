import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { InboxChannel } from '../../lib/adapters/inbox/inbox-channel.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { PagerDutyChannel } from '../../lib/adapters/pagerduty/pagerduty-channel.ts';
import { SlackChannel, slackMessage } from '../../lib/adapters/slack/slack-channel.ts';
import { WebhookChannel } from '../../lib/adapters/webhook/webhook-channel.ts';
import type { Transition } from '../../lib/contracts/episode.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';

interface Got {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A listener that answers with these in turn; `null` never answers. */
async function listener(...answers: ({ status: number; headers?: Record<string, string>; body?: string } | null)[]) {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      const answer = answers[Math.min(got.length, answers.length) - 1];
      if (answer !== null && answer !== undefined)
        response.writeHead(answer.status, answer.headers).end(answer.body ?? 'ok');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path` };
}

function transition(more: Partial<Transition> = {}, feature = 'distance'): Transition {
  return {
    key: 'e1/opened/1',
    kind: 'opened',
    at: '2001-03-02T01:00:00.000Z',
    runbook: 'http://127.0.0.1:1/runbook#drift',
    link: 'http://127.0.0.1:1/#/models/m',
    context: [],
    episode: {
      id: 'e1',
      model: 'm',
      version: '1',
      signal: 'drift',
      severity: 'warning',
      owner: 'team',
      opened: '2001-03-02T00:00:00.000Z',
      closed: null,
      since: '2001-03-01T00:00:00.000Z',
      length: '1d',
      features: [
        {
          name: feature,
          aspect: 'location',
          effect: 0.7,
          summary: 'mean up by 0.7',
          since: '2001-03-01T00:00:00.000Z',
        },
      ],
      summary: `${feature}: mean up by 0.7`,
      provisional: false,
    },
    ...more,
  };
}

const once = { repeat: false };

describe('WebhookChannel', () => {
  it('posts JSON with an idempotency key and a signature that the receiver can check', async () => {
    const { got, url } = await listener({ status: 204 });
    await new WebhookChannel({ url, secret: 'shh' }).deliver(transition(), { repeat: true });
    const { headers, body } = got[0]!;
    expect(JSON.parse(body)).toMatchObject({
      schema: 'mlmon.transition/v1',
      repeat: true,
      kind: 'opened',
      episode: { model: 'm' },
    });
    expect(headers['idempotency-key']).toBe('e1/opened/1');
    const expected = createHmac('sha256', 'shh').update(`${headers['mlmon-timestamp']}.${body}`).digest('hex');
    expect(headers['mlmon-signature']).toBe(`sha256=${expected}`);
    expect(body).not.toContain('shh');
  });

  it('tells a passing failure from a final one, and never names the address', async () => {
    for (const status of [408, 429, 500, 503]) {
      const { url } = await listener({ status });
      await expect(new WebhookChannel({ url }).deliver(transition(), once)).rejects.toBeInstanceOf(TransientError);
    }
    for (const status of [301, 400, 401, 404, 410]) {
      const { url } = await listener({ status, headers: { location: 'http://127.0.0.1:1/' }, body: 'no' });
      const failure = new WebhookChannel({ url }).deliver(transition(), once);
      await expect(failure).rejects.toThrow(`webhook: answered ${status} "no"`);
      await expect(failure).rejects.not.toBeInstanceOf(TransientError);
      await expect(failure).rejects.not.toThrow('secret-path');
    }
  });

  it('gives a silent or absent receiver up for now', async () => {
    const { url } = await listener(null);
    await expect(new WebhookChannel({ url, timeout: 50 }).deliver(transition(), once)).rejects.toBeInstanceOf(
      TransientError,
    );
    await expect(
      new WebhookChannel({ url: 'http://127.0.0.1:9/secret-path' }).deliver(transition(), once),
    ).rejects.toThrow(/^(?!.*secret-path).*webhook: no answer/);
  });
});

describe('SlackChannel', () => {
  it('posts blocks that name features, since when and the runbook', async () => {
    const { got, url } = await listener({ status: 200 });
    await new SlackChannel({ url }).deliver(transition(), once);
    const message = JSON.parse(got[0]!.body) as { text: string; blocks: { type: string; text?: { text: string } }[] };
    expect(message.blocks[0]).toMatchObject({ type: 'header', text: { type: 'plain_text', text: '⚠ Drift on m 1' } });
    expect(JSON.stringify(message)).toContain('2001-03-01T00:00:00.000Z');
    expect(JSON.stringify(message)).toContain('runbook#drift');
    expect(message.text).toContain('distance');
  });

  it('lets no name from data mention or link, nor break the limits', () => {
    const nasty = `<!channel> <https://evil|click> *bold* ${'x'.repeat(5_000)}`;
    const message = slackMessage(transition({ context: [nasty] }, nasty), true) as {
      text: string;
      blocks: {
        type: string;
        text?: { type: string; text: string };
        elements?: { text: string | { text: string } }[];
      }[];
    };
    expect(message.text).not.toContain('<');
    for (const block of message.blocks) {
      if (block.text?.type === 'mrkdwn') {
        expect(block.text.text).not.toContain('<');
        expect(block.text.text.length).toBeLessThanOrEqual(3_000);
      }
      if (block.type === 'context') expect(JSON.stringify(block)).not.toContain('<!');
    }
  });

  it('has no button without an absolute address', () => {
    const { blocks } = slackMessage(transition({ link: '/#/x', runbook: '/runbook' }), false) as {
      blocks: { type: string }[];
    };
    expect(blocks.some(({ type }) => type === 'actions')).toBe(false);
  });
});

describe('PagerDutyChannel', () => {
  it('triggers, and resolves under the same key', async () => {
    const { got, url } = await listener({ status: 202 });
    const channel = new PagerDutyChannel({ routingKey: 'k'.repeat(32), url });
    await channel.deliver(transition());
    const closed = transition({ kind: 'closed', key: 'e1/closed/1' });
    await channel.deliver({ ...closed, episode: { ...closed.episode, closed: '2001-03-05T00:00:00.000Z' } });
    const [trigger, resolve] = got.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(trigger).toMatchObject({
      event_action: 'trigger',
      dedup_key: 'mlmon/m/e1',
      payload: { severity: 'warning', source: 'm', component: 'distance', class: 'drift' },
    });
    expect(resolve).toEqual({ routing_key: 'k'.repeat(32), event_action: 'resolve', dedup_key: 'mlmon/m/e1' });
  });
});

describe('InboxChannel', () => {
  it('keeps a transition once', async () => {
    const store = new MemoryStore();
    const inbox = new InboxChannel(store);
    await inbox.deliver(transition());
    await inbox.deliver(transition());
    expect(await store.list('inbox/')).toHaveLength(1);
  });
});
