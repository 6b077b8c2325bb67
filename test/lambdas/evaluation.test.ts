/** Dispatcher, evaluator and exporter as functions, over ports in memory. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { dispatcherHandler } from '../../lambdas/dispatcher/handler.ts';
import { type EvaluatorParts, type EvaluatorRun, evaluatorHandler } from '../../lambdas/evaluator/handler.ts';
import { exporterHandler } from '../../lambdas/exporter/handler.ts';
import { logOf } from '../../lambdas/log.ts';
import { SqsEvaluationQueue } from '../../lib/adapters/sqs/evaluation-queue.ts';
import { PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import type { EvaluationMessage } from '../../lib/contracts/functions.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { announce, readNews } from '../../lib/pipeline/bulletins.ts';
import { Dispatcher } from '../../lib/pipeline/dispatcher.ts';
import type { JudgeOutcome } from '../../lib/pipeline/evaluator.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { StoreExporter } from '../../lib/pipeline/store-exporter.ts';
import { SimulatedQueue } from '../pipeline/evaluation-queue.ts';
import { type GeneratedEvent, generate, HOUR, Platform, seeded, T0, World, wire } from '../pipeline/simulation.ts';

const NOW = Date.parse('2026-03-02T10:00:00Z');
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 300_000 };
const NOTHING: JudgeOutcome = { results: 0, more: [], left: [], failed: new Map(), through: NOW };

function message(models: readonly string[], close = false): EvaluationMessage {
  return { schema: 'mlmon.evaluate/v1', models, close, at: new Date(NOW).toISOString() };
}

function event(...bodies: unknown[]) {
  return {
    Records: bodies.map((body, i) => ({
      messageId: `m${i}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })),
  };
}

function recorder() {
  const metrics: Record<string, unknown>[] = [];
  const lines: { level: string; message: string; [field: string]: unknown }[] = [];
  return {
    lines,
    write: (line: string) => void metrics.push(JSON.parse(line) as Record<string, unknown>),
    log: logOf('evaluator', { write: (line) => void lines.push(JSON.parse(line) as never) }),
    told: (name: string, of: Record<string, string> = {}): unknown =>
      metrics.find((line) => name in line && Object.entries(of).every(([key, value]) => line[key] === value))?.[name],
  };
}

function evaluator(more: Partial<EvaluatorParts> = {}) {
  const { lines, write, log, told } = recorder();
  const judged: string[][] = [];
  const selected: string[][] = [];
  const run: EvaluatorRun = { isLate: () => false, verdictDelayMs: null };
  const handler = evaluatorHandler({
    evaluator: {
      judge: async (models) => {
        judged.push([...models]);
        return NOTHING;
      },
    },
    grains: { close: async () => ({ closed: 0, more: false }) },
    select: async (models) => void selected.push([...models]),
    run,
    environment: 'test',
    clock: { now: () => NOW },
    log,
    write,
    ...more,
  });
  return { handler, judged, selected, run, lines, told };
}

const failures = (answer: { batchItemFailures: readonly { itemIdentifier: string }[] }): string[] =>
  answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

describe('the evaluator function', () => {
  it('judges what messages name, with what is published of these models alone', async () => {
    const { handler, judged, selected } = evaluator();
    expect(failures(await handler(event(message(['a', 'b']), message(['c'])), context))).toEqual([]);
    expect(judged).toEqual([['a', 'b'], ['c']]);
    expect(selected).toEqual(judged);
  });

  it('goes on at once with models of which more is due', async () => {
    const judged: string[][] = [];
    const { handler } = evaluator({
      evaluator: {
        judge: async (models) => {
          judged.push([...models]);
          return { ...NOTHING, more: judged.length < 3 ? ['b'] : [] };
        },
      },
    });
    expect(failures(await handler(event(message(['a', 'b'])), context))).toEqual([]);
    expect(judged).toEqual([['a', 'b'], ['b'], ['b']]);
  });

  it('hands back, alone, messages that its time did not suffice for, of models not begun, and of passing failures', async () => {
    let remaining = 300_000;
    const outcomes: Record<string, Partial<JudgeOutcome>> = {
      a: {},
      b: { left: ['b'] },
      c: { failed: new Map([['c', new TransientError('503')]]) },
    };
    const { handler, told } = evaluator({
      evaluator: {
        judge: async ([model = '']) => {
          if (model === 'd') remaining = 1_000;
          return { ...NOTHING, ...outcomes[model] };
        },
      },
    });
    const answer = await handler(event(...['a', 'b', 'c', 'd', 'e'].map((model) => message([model]))), {
      ...context,
      getRemainingTimeInMillis: () => remaining,
    });
    expect(failures(answer)).toEqual(['m1', 'm2', 'm4']);
    expect(told('EvaluationFailures')).toBe(1);
  });

  it('counts a model that fails and leaves it to the dispatcher', async () => {
    const { handler, told, lines } = evaluator({
      evaluator: { judge: async () => ({ ...NOTHING, results: 1, failed: new Map([['a', new Error('spoilt')]]) }) },
    });
    expect(failures(await handler(event(message(['a', 'b'])), context))).toEqual([]);
    expect(told('EvaluationFailures')).toBe(1);
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ model: 'a', detail: 'spoilt' }]);
  });

  it('hands back messages that it cannot read or that everything fails for', async () => {
    const { handler, lines } = evaluator({
      evaluator: {
        judge: async ([model]) => {
          if (model === 'x') throw new TransientError('no log');
          return NOTHING;
        },
      },
    });
    const bodies = [
      '{',
      'null',
      { schema: 'mlmon.evaluate/v2' },
      message(['x']),
      message(['a']),
      { ...message(['a']), at: 'soon' },
    ];
    expect(failures(await handler(event(...bodies), context))).toEqual(['m0', 'm1', 'm2', 'm3', 'm5']);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(5);
  });

  it('closes hours until none is due or time is up', async () => {
    let left = 3;
    const { handler, lines } = evaluator({ grains: { close: async () => ({ closed: 4, more: --left > 0 }) } });
    expect(failures(await handler(event(message([], true)), context))).toEqual([]);
    expect(lines).toMatchObject([{ message: 'judged', closed: 12 }]);
    let remaining = 300_000;
    const slow = evaluator({
      grains: {
        close: async () => {
          remaining = 5_000;
          return { closed: 1, more: true };
        },
      },
    });
    const late = { ...context, getRemainingTimeInMillis: () => remaining };
    expect(failures(await slow.handler(event(message([], true)), late))).toEqual(['m0']);
  });

  it('tells the longest time to a verdict, and none where nothing was judged first', async () => {
    const one = evaluator({
      evaluator: {
        judge: async () => {
          one.run.verdictDelayMs = 95_000;
          return NOTHING;
        },
      },
    });
    await one.handler(event(message(['a'])), context);
    expect(one.told('VerdictDelay')).toBe(95);
    const none = evaluator();
    await none.handler(event(message(['a'])), context);
    expect(none.told('VerdictDelay')).toBeUndefined();
    expect(none.told('EvaluationFailures')).toBe(0);
  });
});

describe('the queue of evaluations', () => {
  const queueOf = (send: (input: { Entries: { Id: string; MessageBody: string }[] }) => unknown) => {
    const client = {
      send: async (command: { input: unknown }) => send(command.input as never),
    } as unknown as SQSClient;
    return new SqsEvaluationQueue({ client, queueUrl: 'https://queue' });
  };
  const many = Array.from({ length: 23 }, (_, i) => message([`m${i}`]));

  it('takes ten messages a request', async () => {
    const sent: number[] = [];
    const refused = await queueOf(({ Entries }) => {
      sent.push(Entries.length);
      return {};
    }).send(many);
    expect(sent).toEqual([10, 10, 3]);
    expect(refused).toEqual([]);
  });

  it('hands back what was refused, and what a failed request had', async () => {
    let n = 0;
    const queue = queueOf(({ Entries }) => {
      n++;
      if (n === 2) throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
      return n === 1 ? { Failed: [{ Id: Entries[3]?.Id, Code: 'InternalError', Message: 'oops' }] } : {};
    });
    const refused = await queue.send(many);
    expect(refused.map(({ models }) => models[0])).toEqual([
      'm3',
      ...Array.from({ length: 10 }, (_, i) => `m${i + 10}`),
    ]);
    expect(queue.lastFailure).toContain('slow down');
  });
});

describe('from the dispatcher to the exporter', () => {
  it('judges what is due, tells how long it took, and announces results to the exporter', async () => {
    const world = new World({ partitions: 2 });
    const names = ['a', 'b', 'c'];
    for (const name of names) await world.declare(name);
    for (const [i, one] of generate(3, { count: 30, hours: 1, models: names }).entries())
      world.append(
        `p${one.partition % 2}`,
        [wire(one as GeneratedEvent, i)],
        Math.min(one.appendTime, T0 + 85 * 60_000),
      );
    await new Platform(world).profileAll();
    // A minute and five seconds after the window and its lateness are over.
    world.clock.set(T0 + HOUR + HOUR / 2 + 65_000);
    const { clock, store, log } = world;
    const queue = new SimulatedQueue(seeded(1));
    const one = recorder();
    await dispatcherHandler({
      dispatcher: new Dispatcher({
        log,
        store,
        clock,
        registry: new Registry({ store, clock, baselines: 'none' }),
        queue,
      }),
      refusal: () => null,
      environment: 'test',
      clock,
      log: one.log,
      write: one.write,
    })({}, context);
    expect([one.told('DueModels'), one.told('Overdue'), one.told('Runs', { Function: 'dispatcher' })]).toEqual([
      3, 0, 1,
    ]);

    const platform = new Platform(world);
    const two = recorder();
    const run: EvaluatorRun = { isLate: () => false, verdictDelayMs: null };
    const parts = {
      grains: platform.grains,
      select: (models: readonly string[]) => platform.registry.select(models),
      run,
      environment: 'test',
      clock,
      log: two.log,
      write: two.write,
    };
    const bodies = queue.waiting.splice(0);
    await evaluatorHandler({ ...parts, evaluator: platform.evaluator })(event(...bodies), context);
    const results = await world.results();
    expect([...new Set(results.map(({ model }) => model))].sort()).toEqual(names);
    await announce(world, results);

    const three = recorder();
    const series = { set: async () => undefined, end: async () => undefined };
    let refused = 0;
    const handler = exporterHandler({
      exporter: new StoreExporter({
        log,
        store,
        clock,
        registry: new Registry({ store, clock, baselines: 'none' }),
        series,
        values: null,
      }),
      refused: () => ({ count: refused, reason: 'answered 400' }),
      environment: 'test',
      clock,
      log: three.log,
      write: three.write,
    });
    await handler({}, context);
    expect((await readNews(store)).bulletins).toEqual([]);
    expect([three.told('Models'), three.told('DroppedSamples'), three.told('Runs', { Function: 'exporter' })]).toEqual([
      3, 0, 1,
    ]);
    expect(three.told(PLATFORM_CLOUDWATCH_METRIC.openEpisodes.name, { Severity: 'critical' })).toBe(0);
    refused = 7;
    await handler({}, context);
    expect(three.lines.filter(({ level }) => level === 'warn')).toMatchObject([{ dropped: 7, reason: 'answered 400' }]);
    expect(await store.get(keys.exported())).not.toBeNull();
  });
});
