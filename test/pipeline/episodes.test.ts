import { describe, expect, it } from 'vitest';
import { CrashError, FaultInjector } from '../../lib/adapters/memory/faults.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { EpisodeState, Transition } from '../../lib/contracts/episode.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { FeatureResult, WindowResult } from '../../lib/contracts/result.ts';
import { EpisodeKeeper } from '../../lib/pipeline/episodes.ts';
import { changeJson, encodeJson, readJson } from '../../lib/pipeline/json-object.ts';
import { Notifier } from '../../lib/pipeline/notifier.ts';
import { type AlertChannel, type ObjectStore, TransientError } from '../../lib/pipeline/ports.ts';

const DAY = 86_400_000;
const START = Date.UTC(2001, 1, 1);
const monitor = parseMonitor({ model: 'm', window: { revise: '3d' } }).monitor;

function feature(name: string, drifted: boolean): FeatureResult {
  return {
    name,
    type: 'numeric',
    role: 'feature',
    status: drifted ? 'drifted' : 'ok',
    test: 'calibrated-scores',
    statistic: 1,
    pValue: drifted ? 1e-9 : 0.5,
    threshold: 1e-4,
    effect: drifted ? 0.4 : 0,
    aspect: drifted ? 'location' : null,
    detectable: 0.1,
    provisional: false,
    referenceCount: 100,
    currentCount: 100,
    missingReference: 0,
    missingCurrent: 0,
    summary: drifted ? 'mean up' : 'no change',
    changes: [],
    others: [],
    mean: 0,
    std: 1,
  };
}

function result(day: number, drifted: boolean, revision = 0): WindowResult {
  return {
    schema: 'mlmon.result/v1',
    model: 'm',
    version: '1',
    start: new Date(START + day * DAY).toISOString(),
    end: new Date(START + (day + 1) * DAY).toISOString(),
    length: '1d',
    base: true,
    segment: null,
    rows: 100,
    weightedRows: 100,
    status: drifted ? 'drifted' : 'ok',
    null: 'calibrated',
    features: [feature('distance', drifted)],
    quality: [],
    volume: null,
    latency: null,
    segments: [],
    provenance: {
      revision,
      inputs: [],
      monitor: 1,
      baseline: null,
      engine: '0',
      evaluatedAt: new Date(START).toISOString(),
      rows: { onTime: 100, revising: 0, otherBaseline: 0 },
      partitions: { seen: 1, all: 1 },
    },
  };
}

function keeper(store: ObjectStore): EpisodeKeeper {
  return new EpisodeKeeper({
    store,
    clock: { now: () => START },
    monitor: () => monitor,
    links: { runbook: ({ signal }) => `/runbook#${signal}`, page: ({ id }) => `/#/alerts/${id}` },
  });
}

class Recorder implements AlertChannel {
  readonly name: string;
  readonly got: { key: string; repeat: boolean }[] = [];
  fail: (transition: Transition) => Error | null = () => null;
  constructor(name = 'recorder') {
    this.name = name;
  }
  async deliver(transition: Transition, { repeat }: { repeat: boolean }): Promise<void> {
    const error = this.fail(transition);
    if (error !== null) throw error;
    this.got.push({ key: transition.key, repeat });
  }
}

const kinds = (transitions: readonly Transition[]): string[] => transitions.map(({ kind }) => kind);

describe('EpisodeKeeper', () => {
  it('sends an opening and a closing, once, however often results are applied', async () => {
    const store = new MemoryStore();
    const days = [false, true, true, false, false, false].map((drifted, day) => result(day, drifted));
    const sent: string[] = [];
    for (const one of [...days, ...days]) sent.push(...kinds(await keeper(store).apply('m', [one])));
    expect(sent).toEqual(['opened', 'closed']);
    const state = (await readJson<EpisodeState>(store, keys.episodes('m')))?.value;
    expect(state?.outbox.map(({ transition }) => transition.key.replace(/^[^/]+/, ''))).toEqual([
      '/opened/1',
      '/closed/1',
    ]);
  });

  it('sends a correction when a revision takes the episode back, and when another brings it again', async () => {
    const store = new MemoryStore();
    expect(kinds(await keeper(store).apply('m', [result(0, true)]))).toEqual(['opened']);
    expect(kinds(await keeper(store).apply('m', [result(0, false, 1)]))).toEqual(['corrected']);
    expect(kinds(await keeper(store).apply('m', [result(1, false)]))).toEqual([]);
    expect(kinds(await keeper(store).apply('m', [result(0, true, 2)]))).toEqual(['corrected']);
    expect(kinds(await keeper(store).apply('m', [result(2, false), result(3, false)]))).toEqual(['closed']);
  });

  it('recovers results that were stored but not folded', async () => {
    const store = new MemoryStore();
    for (const [day, drifted] of [false, true, false].entries()) {
      const one = result(day, drifted);
      await store.putIfAbsent(keys.result('m', '1', START + day * DAY, '1d', 0), encodeJson(one));
    }
    await keeper(store).recover('m');
    await keeper(store).recover('m');
    const state = (await readJson<EpisodeState>(store, keys.episodes('m')))?.value;
    expect(state?.outbox.map(({ transition }) => transition.kind)).toEqual(['opened']);
  });

  it('opens and closes once for what flaps around the threshold (F27)', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const store = new MemoryStore();
      // Equal seeds, equal days: loud or quiet as the bits of a number say.
      const loud = Array.from({ length: 40 }, (_, day) => ((((seed + 1) * 2_654_435_761) >>> (day % 31)) & 1) === 1);
      const sent: { kind: string; day: number }[] = [];
      for (const [day, drifted] of loud.entries())
        for (const { kind } of await keeper(store).apply('m', [result(day, drifted)])) sent.push({ kind, day });
      sent.forEach(({ kind, day }, i) => {
        // Never two openings or two closings in a row, and none closes before three quiet windows.
        expect(kind, `seed ${seed}`).toBe(i % 2 === 0 ? 'opened' : 'closed');
        if (kind === 'closed') expect(loud.slice(day - 2, day + 1), `seed ${seed}`).toEqual([false, false, false]);
      });
    }
    const store = new MemoryStore();
    const sent: string[] = [];
    for (let day = 0; day < 60; day++)
      sent.push(...kinds(await keeper(store).apply('m', [result(day, day % 2 === 0)])));
    expect(sent).toEqual(['opened']);
  });

  it('ends with the same episodes and one opening whatever crashes', async () => {
    const days = [false, true, true, false, false, false, true].map((drifted, day) => result(day, drifted));
    for (let seed = 1; seed <= 100; seed++) {
      const inner = new MemoryStore();
      const injector = new FaultInjector({ seed, crash: 0.2, conflict: 0.1, maxCrashes: 6 });
      const channel = new Recorder();
      let done = 0;
      for (let life = 0; done < days.length + 1; life++) {
        expect(life).toBeLessThan(20);
        const store = injector.process().store(inner);
        const notifier = new Notifier({ store, clock: { now: () => START }, channels: [channel], pauses: [0] });
        try {
          if (done > 0) await keeper(store).recover('m');
          for (; done < days.length; done++) {
            const one = days[done]!;
            await store
              .putIfAbsent(keys.result('m', '1', Date.parse(one.start), '1d', 0), encodeJson(one))
              .catch((error: unknown) => {
                if (error instanceof CrashError) throw error;
              });
            await keeper(store).apply('m', [one]);
            await notifier.tick(['m']);
          }
          await notifier.tick(['m']);
          done++;
        } catch (error) {
          if (!(error instanceof CrashError)) throw error;
        }
      }
      const state = (await readJson<EpisodeState>(inner, keys.episodes('m')))?.value;
      expect(
        state?.outbox.map(({ transition }) => transition.kind),
        `seed ${seed}`,
      ).toEqual(['opened', 'closed', 'opened']);
      // At least once, in order; a second delivery says that it may be a repeat.
      const keysSent = channel.got.map(({ key }) => key);
      expect([...new Set(keysSent)]).toHaveLength(3);
      channel.got.forEach(({ key, repeat }, i) => {
        if (keysSent.indexOf(key) < i) expect(repeat, `seed ${seed}`).toBe(true);
      });
    }
  });
});

describe('Notifier', () => {
  const opened = async (): Promise<MemoryStore> => {
    const store = new MemoryStore();
    await keeper(store).apply('m', [result(0, true)]);
    return store;
  };
  const outbox = async (store: MemoryStore) =>
    (await readJson<EpisodeState>(store, keys.episodes('m')))?.value.outbox ?? [];
  const clock = { now: () => START };

  it('tries again after a passing failure, and says that it may be a repeat', async () => {
    const store = await opened();
    const channel = new Recorder();
    let failures = 2;
    channel.fail = () => (failures-- > 0 ? new TransientError('503') : null);
    const notifier = new Notifier({ store, clock, channels: [channel], pauses: [0, 0, 0] });
    for (let i = 0; i < 4; i++) await notifier.tick(['m']);
    expect(channel.got).toMatchObject([{ repeat: true }]);
    expect(notifier.counts).toEqual({ delivered: 1, retried: 2, failed: 0 });
  });

  it('keeps what cannot be delivered as a dead letter with its reason, and other channels go on', async () => {
    const store = await opened();
    const [broken, whole] = [new Recorder('broken'), new Recorder('whole')];
    broken.fail = () => new Error('answered 400');
    const notifier = new Notifier({ store, clock, channels: [broken, whole], pauses: [0] });
    await notifier.tick(['m']);
    await notifier.tick(['m']);
    expect(whole.got).toHaveLength(1);
    expect((await outbox(store))[0]).toMatchObject({ failed: { broken: 'answered 400' } });
    expect(notifier.counts.failed).toBe(1);
  });

  it('gives up after the last pause', async () => {
    const store = await opened();
    const channel = new Recorder();
    channel.fail = () => new TransientError('no answer');
    const notifier = new Notifier({ store, clock, channels: [channel], pauses: [0, 0] });
    for (let i = 0; i < 6; i++) await notifier.tick(['m']);
    expect(notifier.counts).toEqual({ delivered: 0, retried: 2, failed: 1 });
  });

  it('never lets a closing overtake its opening', async () => {
    const store = await opened();
    await keeper(store).apply(
      'm',
      [1, 2, 3].map((day) => result(day, false)),
    );
    const channel = new Recorder();
    let failures = 1;
    channel.fail = () => (failures-- > 0 ? new TransientError('503') : null);
    const notifier = new Notifier({ store, clock, channels: [channel], pauses: [20] });
    await notifier.tick(['m']);
    expect(channel.got).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await notifier.tick(['m']);
    expect(channel.got.map(({ key }) => key.split('/')[1])).toEqual(['opened', 'closed']);
  });

  it('sends nothing while a silence lasts, and says by which', async () => {
    const store = await opened();
    await changeJson<EpisodeState>(store, keys.episodes('m'), (state) =>
      state === null
        ? null
        : {
            ...state,
            silences: [
              {
                id: 's1',
                model: 'm',
                signal: 'drift',
                from: '2001-01-01T00:00:00Z',
                until: '2001-03-01T00:00:00Z',
                by: 'me',
                reason: 'known',
              },
            ],
          },
    );
    const channel = new Recorder();
    await new Notifier({ store, clock, channels: [channel] }).tick(['m']);
    expect(channel.got).toEqual([]);
    expect((await outbox(store))[0]?.delivered).toEqual({ recorder: 'silenced by s1' });
  });
});
