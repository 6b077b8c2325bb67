/**
 * The law of the ledger under random faults: what was received is delivered, shed, cut, ignored, refused, lost or waits, and nothing is twice.
 * The oracle keeps what was acknowledged, and looks for it at the collector.
 */
import { fdatasync, ftruncate, write } from 'node:fs';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SegmentIo } from '../../lib/adapters/disk/segment-io.ts';
import { Delivery } from '../../lib/sidecar/delivery.ts';
import { Intake } from '../../lib/sidecar/intake.ts';
import { Ledger } from '../../lib/sidecar/ledger.ts';
import { PayloadReader } from '../../lib/sidecar/payload-reader.ts';
import { Spool } from '../../lib/sidecar/spool.ts';
import { CHURN, cloudEvent, folder, until } from './stand.ts';

interface World {
  disk: 'works' | 'full' | 'partly';
  collector: 'takes' | 'away' | 'busy' | 'loses the answer';
}

function faultyIo(world: World): SegmentIo {
  const error = (): Error => Object.assign(new Error('no space'), { code: 'ENOSPC' });
  return {
    async write(file, buffer, offset, length, position) {
      if (world.disk === 'full') throw error();
      // Half is written before there is no room.
      const some = world.disk === 'partly' ? length >> 1 : length;
      const written = await new Promise<number>((resolve, reject) => {
        write(file, buffer, offset, some, position, (failure, bytes) => (failure ? reject(failure) : resolve(bytes)));
      });
      if (world.disk === 'partly') throw error();
      return written;
    },
    sync: promisify(fdatasync),
    truncate: promisify(ftruncate),
  };
}

type Step =
  | { readonly do: 'post'; readonly events: number; readonly waits: boolean }
  | { readonly do: 'half' | 'exchange' | 'get' | 'poison' | 'stranger' | 'restart' | 'pause' }
  | { readonly do: 'disk'; readonly is: World['disk'] }
  | { readonly do: 'collector'; readonly is: World['collector'] };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('post' as const),
      events: fc.integer({ min: 1, max: 30 }),
      waits: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('half' as const, 'exchange' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('get' as const, 'poison' as const, 'stranger' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('restart' as const, 'pause' as const, 'pause' as const, 'pause' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('disk' as const),
      is: fc.constantFrom<World['disk']>('works', 'works', 'full', 'partly'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('collector' as const),
      is: fc.constantFrom<World['collector']>('takes', 'takes', 'away', 'busy', 'loses the answer'),
    }),
  },
);

it('holds under random faults, and nothing that was acknowledged is missing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 40 }), async (steps) => {
      const world: World = { disk: 'works', collector: 'takes' };
      const path = await folder();
      const arrived = new Map<string, number>();
      let lostAnswers = false;
      const acknowledged = new Set<string>();
      let received = 0;
      let poison = 0;
      let number = 0;
      const clock = { now: () => Date.now() };

      const open = async () => {
        const ledger = new Ledger();
        const spool = await Spool.open({
          folder: path,
          diskBytes: 64_000_000,
          memoryBytes: 8_000_000,
          durability: 'os',
          clock,
          ledger,
          note: () => undefined,
          io: faultyIo(world),
          longestRetryMs: 5,
        });
        const delivery = new Delivery({
          spool,
          ledger,
          note: () => undefined,
          source: '/test',
          firstWaitMs: 1,
          longestWaitMs: 4,
          lingerMs: 0,
          reader: new PayloadReader({
            models: [{ monitor: CHURN, baseline: null }],
            clock,
            model: null,
            version: null,
          }),
          post: async (_type, body) => {
            if (world.collector === 'away') throw new Error('connection refused');
            if (world.collector === 'busy') return { status: 503, retryAfterMs: 1, text: '' };
            const text = body.toString('utf8');
            if (text.includes('poison')) return { status: 400, retryAfterMs: null, text: '' };
            for (const { data } of JSON.parse(text) as {
              data: { id: string; type?: string } | { id: string; type?: string }[];
            }[])
              for (const { id, type = 'inference' } of Array.isArray(data) ? data : [data]) {
                const name = `${type} ${id}`;
                arrived.set(name, (arrived.get(name) ?? 0) + 1);
              }
            if (world.collector === 'loses the answer') {
              lostAnswers = true;
              throw new Error('socket hang up');
            }
            return { status: 202, retryAfterMs: null, text: '{}' };
          },
        });
        return { ledger, spool, delivery, intake: new Intake(spool, ledger, clock) };
      };

      let now = await open();
      const sum = (counts: Readonly<Record<string, number>>): number =>
        Object.values(counts).reduce((a, b) => a + b, 0);
      const check = (): void => expect(now.ledger.unsettled).toBe(now.spool.records);
      try {
        for (const one of steps) {
          const id = `e${number++}`;
          switch (one.do) {
            case 'post': {
              const ids = Array.from({ length: one.events }, (_, i) => `${id}-${i}`);
              const texts = ids.map((each) => JSON.stringify(cloudEvent(each)));
              if (one.waits) {
                const taken = await now.intake.store(texts).catch(() => null);
                if (taken !== null) {
                  received += ids.length;
                  for (const each of ids) acknowledged.add(`inference ${each}`);
                }
              } else {
                expect(now.intake.events(texts)).toEqual({ accepted: ids.length, shed: 0 });
                received += ids.length;
              }
              break;
            }
            case 'half':
            case 'get':
            case 'stranger': {
              const headers = [
                'ce-id',
                id,
                'ce-type',
                'org.kubeflow.serving.inference.request',
                'ce-inferenceservicename',
              ];
              now.intake.half(
                id,
                [...headers, one.do === 'stranger' ? 'other' : 'churn-svc'],
                Buffer.from(one.do === 'get' ? '' : '{"instances":[1]}'),
              );
              received++;
              break;
            }
            case 'exchange': {
              const copy = (body: string) => ({
                pieces: [Buffer.from(body)],
                encoding: undefined,
                jsonLength: undefined,
              });
              const [request, response] = [copy('{"instances":[1]}'), copy('{"predictions":[0.5]}')];
              now.spool.memory.reserve(40);
              now.intake.inference({ id, path: '/m:predict', time: 1, latencyMs: 2, request, response, reserved: 40 });
              received++;
              break;
            }
            case 'poison':
              now.intake.events(['{"poison":true']);
              received++;
              poison++;
              break;
            case 'pause':
              await new Promise((resolve) => setTimeout(resolve, 8));
              break;
            case 'restart':
              world.disk = 'works';
              await now.delivery.stop();
              await now.spool.close();
              check();
              // Nothing was held in memory, so the next process finds all of it.
              {
                const left = now.spool.records;
                const before = sum(now.ledger.received) + now.ledger.recovered - now.ledger.unsettled;
                received -= before;
                poison -= now.ledger.refused.collector;
                now = await open();
                expect(now.ledger.recovered).toBe(left);
              }
              break;
            case 'disk':
              world.disk = one.is;
              break;
            case 'collector':
              world.collector = one.is;
              break;
          }
          check();
        }
        world.disk = 'works';
        world.collector = 'takes';
        await until(() => now.spool.records === 0);
        check();
        const { ledger } = now;
        expect(sum(ledger.received) + ledger.recovered).toBe(received);
        expect(ledger.refused.collector).toBe(poison);
        expect([sum(ledger.shed), ledger.lost, ledger.cut]).toEqual([0, 0, 0]);
        for (const name of acknowledged) expect(arrived.has(name), name).toBe(true);
        // Only an answer that was lost makes an event come twice, with the same id.
        if (!lostAnswers) for (const [name, times] of arrived) expect(times, name).toBe(1);
        expect(now.spool.memory.used).toBe(0);
      } finally {
        world.disk = 'works';
        await now.delivery.stop();
        await now.spool.close();
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
