import { describe, expect, it } from 'vitest';
import { FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { PlatformStatus } from '../../lib/pipeline/platform-status.ts';
import { TransientError } from '../../lib/pipeline/ports.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { retried } from '../../lib/pipeline/retry.ts';
import { type Part, runParts } from '../../lib/pipeline/run.ts';
import { streamParts } from '../../lib/pipeline/stream-parts.ts';
import { countingJudge, HOUR, lines, T0, World, wire } from './simulation.ts';

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

describe('running parts', () => {
  it('tries a failing part again, says so, and lets the others go on', async () => {
    const stop = new AbortController();
    let tries = 0;
    let steps = 0;
    const failing: Part = {
      name: 'failing',
      step: async () => {
        if (++tries < 4) throw new Error('the disk is full');
        return { waitMs: 1 };
      },
    };
    const steady: Part = { name: 'steady', step: async () => ({ waitMs: steps++ < 0 ? 1 : 0 }) };
    const seen: string[] = [];
    const running = runParts([failing, steady], {
      signal: stop.signal,
      firstWaitMs: 1,
      longestWaitMs: 2,
      onFailure: (part, error) => seen.push(`${part}: ${error.message}`),
    });
    await until(() => running.states()[0]?.state === 'failing');
    expect(running.states()[0]).toMatchObject({ state: 'failing', error: 'the disk is full' });
    await until(() => tries >= 4 && running.states()[0]?.state === 'running');
    expect(running.states()[0]).toEqual({ name: 'failing', state: 'running', error: null, failures: 0 });
    expect(seen).toEqual(Array.from({ length: 3 }, () => 'failing: the disk is full'));
    expect(steps).toBeGreaterThan(3);
    stop.abort();
    await running.stopped;
    expect(running.states().map(({ state }) => state)).toEqual(['stopped', 'stopped']);
  });

  it('shows a problem that did not stop the step', async () => {
    const stop = new AbortController();
    let problem: string | null = 'one of two partitions';
    const running = runParts([{ name: 'p', step: async () => ({ waitMs: 0, problem }) }], { signal: stop.signal });
    await until(() => running.states()[0]?.state === 'failing');
    expect(running.states()[0]?.error).toBe('one of two partitions');
    problem = null;
    await until(() => running.states()[0]?.state === 'running');
    stop.abort();
    await running.stopped;
  });

  it('finishes what was begun, also after a failure, and interrupts waits', async () => {
    const stop = new AbortController();
    const order: string[] = [];
    const part = (name: string, fails: boolean): Part => ({
      name,
      step: async () => {
        order.push(`${name} step`);
        return { waitMs: 3_600_000 };
      },
      stop: async () => {
        order.push(`${name} stop`);
        if (fails) throw new Error('no room');
      },
    });
    const running = runParts([part('a', true), part('b', false)], { signal: stop.signal });
    await until(() => order.length === 2);
    stop.abort();
    await running.stopped;
    expect(order.sort()).toEqual(['a step', 'a stop', 'b step', 'b stop']);
    expect(running.states().map(({ error }) => error)).toEqual(['no room', null]);
  });

  it('retries passing failures only, and not for ever', async () => {
    let calls = 0;
    const attempt = (error: Error, fails: number) => async () => {
      if (calls++ < fails) throw error;
      return 'done';
    };
    const options = { firstWaitMs: 0 };
    expect(await retried(attempt(new TransientError('503'), 3), options)).toBe('done');
    expect(calls).toBe(4);
    calls = 0;
    await expect(retried(attempt(new TransientError('503'), 99), { ...options, attempts: 5 })).rejects.toThrow('503');
    expect(calls).toBe(5);
    calls = 0;
    await expect(retried(attempt(new Error('403'), 99), options)).rejects.toThrow('403');
    expect(calls).toBe(1);
  });
});

describe('the stream parts', () => {
  it('profile and judge what arrives, through 503s, and tell their health', async () => {
    const world = new World({ partitions: 2 });
    await world.declare('m');
    const injector = new FaultInjector({ seed: 3, transient: 0.1 });
    const process = injector.process();
    const [log, store] = [process.log(world.log), process.store(world.store)];
    const registry = new Registry({ store, clock: world.clock });
    const judged: number[] = [];
    const counted: number[] = [];
    const { profiler, evaluator, lastEvaluation } = streamParts({
      log,
      store,
      clock: world.clock,
      registry,
      judge: countingJudge,
      onResult: ({ rows }) => void judged.push(rows),
      onCommit: ({ ledger }) => void counted.push(ledger.reduce((sum, row) => sum + row.received, 0)),
      commitEveryMs: 1,
      evaluateEveryMs: 1,
      settleMs: 0,
    });
    const stop = new AbortController();
    const running = runParts([profiler, evaluator], { signal: stop.signal, firstWaitMs: 1, longestWaitMs: 5 });
    const event = { partition: 0, appendTime: 0, time: T0, model: 'm', version: '1', amount: 5, kind: 'a' };
    for (let i = 0; i < 100; i++)
      world.log.put(`p${i % 2}`, lines([wire(event, i), i % 10 === 0 ? 'poison' : wire(event, -i)]), T0);
    await until(async () => (await world.totals()).received === 200);
    world.clock.set(T0 + 2 * HOUR);
    await until(() => judged.length > 0);
    injector.disable();
    stop.abort();
    await running.stopped;
    expect(judged).toEqual([190]);
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(200);
    const status = new PlatformStatus({
      log: world.log,
      store: world.store,
      clock: world.clock,
      registry,
      parts: () => running.states(),
      lastEvaluation,
    });
    world.log.put('p1', lines([wire(event, 1)]), T0 + 2 * HOUR);
    expect(await status.health()).toMatchObject({
      status: 'ok',
      problems: [],
      partitions: [
        { id: 'p0', head: '49', profiled: '49', archived: null, lag: 0, closed: false },
        { id: 'p1', head: '50', profiled: '49', archived: null, lag: 1, closed: false },
      ],
      counts: { received: 200, profiled: 190, beyond: 0, labels: 0, quarantined: { json: 10 }, lost: 0 },
      lastEvaluation: new Date(T0 + 2 * HOUR).toISOString(),
      parts: [
        { name: 'profiler', state: 'stopped', error: null },
        { name: 'evaluator', state: 'stopped', error: null },
      ],
    });
  });
});
