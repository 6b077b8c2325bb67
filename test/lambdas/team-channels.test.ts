/** Channels of teams through the functions: brought by a publication, and told by the notifier. */
import { describe, expect, it } from 'vitest';
import { logOf } from '../../lambdas/log.ts';
import { notifierHandler } from '../../lambdas/notifier/handler.ts';
import { publisherHandler } from '../../lambdas/publisher/handler.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { testDeployedChannels } from '../../lib/local/channel-test.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import { addTransitions, TestClock, transitionFor } from '../pipeline/outbox-data.ts';

const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 };
const topic = (name: string) => ({
  type: 'sns',
  name,
  topicArn: `arn:aws:sns:eu-west-1:111122223333:${name}`,
  format: 'text',
});

/** A platform with two channels of its own, and a team with one model and a channel. */
async function platform() {
  const store = new MemoryStore();
  const clock = new TestClock();
  const written: string[] = [];
  const write = (line: string): void => void written.push(line);
  await store.putIfAbsent(
    keys.alerting(),
    encodeJson({
      schema: 'mlmon.alerting/v1',
      channels: [topic('mail'), topic('pager')],
      routes: [{ match: { severity: 'critical' }, channels: ['pager'] }],
    }),
  );
  const answers: string[] = [];
  await publisherHandler({
    store,
    clock,
    lines: async function* () {
      yield JSON.stringify({ monitor: { model: 'fraud', features: { amount: { type: 'numeric' } } }, baseline: null });
    },
    policyKey: async () => null,
    put: async (_, body) => void answers.push(body),
    log: logOf('publisher', { write }),
  })(
    {
      RequestType: 'Create',
      ResponseURL: 'https://answers.example.com',
      StackId: 's',
      RequestId: 'r',
      LogicalResourceId: 'l',
      ResourceProperties: {
        AssetBucket: 'assets',
        AssetKey: 'k.ndjson',
        Owner: 'Payments/Fraud/Publication',
        Channels: JSON.stringify([topic('fraud-mail')]),
      },
    },
    context,
  );
  const sent: string[] = [];
  const run = () =>
    notifierHandler({
      store,
      clock,
      environment: 'test',
      heartbeatTopicArn: undefined,
      log: logOf('notifier', { write }),
      write,
      secrets: { text: () => Promise.reject(new Error('there are none')) },
      clients: {
        sns: {
          send: async (command: { input: unknown }) =>
            void sent.push(String((command.input as { TopicArn: string }).TopicArn.split(':').at(-1))),
        },
      } as unknown as Parameters<typeof notifierHandler>[0]['clients'],
    })({}, context);
  return { store, clock, answers, sent, run };
}

describe('channels of a team', () => {
  it('are told of its model, beside what a route of the platform names; of others the platform is told', async () => {
    const { store, answers, sent, run } = await platform();
    expect(answers.map((body) => (JSON.parse(body) as { Status: string }).Status)).toEqual(['SUCCESS']);
    await addTransitions(store, [transitionFor('fraud', 'opened', { severity: 'warning' })]);
    await run();
    expect(sent.splice(0)).toEqual(['fraud-mail']);
    await addTransitions(store, [transitionFor('fraud', 'opened', { id: 'fraud-e2', severity: 'critical' })]);
    await run();
    expect(sent.splice(0).sort()).toEqual(['fraud-mail', 'pager']);
    await addTransitions(store, [transitionFor('other', 'opened', { severity: 'warning' })]);
    await run();
    expect(sent.sort()).toEqual(['mail', 'pager']);
  });

  it('are tested with the others', async () => {
    const { store, clock, sent, run } = await platform();
    const tested = testDeployedChannels({ store, clock, transition: transitionFor('test'), everyMs: 5 });
    // It is asked for before the notifier comes by.
    while ((await store.list(keys.channelTests())).length === 0) await new Promise((resolve) => setImmediate(resolve));
    await run();
    expect((await tested).channels).toEqual(
      ['mail', 'pager', 'fraud-mail'].map((channel) => ({ channel, error: null })),
    );
    expect(sent.sort()).toEqual(['fraud-mail', 'mail', 'pager']);
  });
});
