/** Bad days of a sidecar: what is behind it fails, its disk fails, it is ended or killed. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemIo } from '../../lib/adapters/disk/segment-io.ts';
import { Intake } from '../../lib/sidecar/intake.ts';
import { Ledger } from '../../lib/sidecar/ledger.ts';
import { ModelProxy } from '../../lib/sidecar/proxy.ts';
import { Spool } from '../../lib/sidecar/spool.ts';
import { type Arrived, cloudEvent, folder, post, serve, standInCollector, start, until } from './stand.ts';

function weightOf(events: readonly Arrived[]): number {
  return events.reduce((sum, { weight = 1 }) => sum + weight, 0);
}

describe('the collector', () => {
  it('away, busy, refusing and back: every event comes once', async () => {
    const collector = await standInCollector();
    collector.answer = (requests) => [500, 429, 503, 401, 404, 408][requests - 1] ?? null;
    const sidecar = await start({ collectorPort: collector.port, spool: { folder: await folder() } });
    const ids = Array.from({ length: 700 }, (_, i) => `e${i}`);
    for (let i = 0; i < ids.length; i += 100)
      expect(
        (
          await post(
            `${sidecar.url}/v1/events`,
            ids.slice(i, i + 100).map((id) => cloudEvent(id)),
          )
        ).status,
      ).toBe(202);
    await until(() => sidecar.ledger.delivered === ids.length);
    expect(collector.events.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(sidecar.notes.join()).toMatch(/warn: the collector answered 500.*info: the collector takes events again/s);
    expect(sidecar.problems()).toEqual([]);
  });

  it('that is slow delays nobody', async () => {
    const collector = await standInCollector();
    let open: (() => void) | null = null;
    collector.answer = () => new Promise((resolve) => (open = () => resolve(null)));
    const model = await serve((_request, _body, response) => response.end('{"predictions":[0.5]}'));
    const sidecar = await start({
      collectorPort: collector.port,
      spool: { folder: await folder() },
      proxy: { upstream: `127.0.0.1:${model.port}` },
    });
    for (let i = 0; i < 30; i++) {
      const answer = await fetch(`http://127.0.0.1:${sidecar.proxyPort}/m:predict`, {
        method: 'POST',
        body: '{"instances":[1]}',
      });
      expect(await answer.json()).toEqual({ predictions: [0.5] });
      expect((await post(`${sidecar.url}/v1/events`, cloudEvent(`e${i}`))).status).toBe(202);
    }
    expect(collector.events).toEqual([]);
    expect(sidecar.waiting).toBe(60);
    collector.answer = () => null;
    await until(() => open !== null);
    (open as unknown as () => void)();
    await until(() => sidecar.ledger.delivered === 60);
  });

  it('that cannot read an event gets the others', async () => {
    const collector = await standInCollector();
    collector.answer = (_requests, body) => (body.includes('"e37"') ? 413 : null);
    const sidecar = await start({ collectorPort: collector.port });
    const ids = Array.from({ length: 64 }, (_, i) => `e${i}`);
    await post(
      `${sidecar.url}/v1/events`,
      ids.map((id) => cloudEvent(id)),
    );
    await until(() => sidecar.ledger.unsettled === 0 && sidecar.ledger.delivered > 0);
    expect(sidecar.ledger.delivered).toBe(63);
    expect(sidecar.ledger.refused.collector).toBe(1);
    expect(new Set(collector.events.map(({ id }) => id))).toEqual(new Set(ids.filter((id) => id !== 'e37')));
  });

  it('gets the token of a file, and the new one when it was rotated', async () => {
    const collector = await standInCollector();
    const file = join(await folder(), 'token');
    await writeFile(file, 'old\n');
    collector.answer = () => (collector.tokens.at(-1) === 'Bearer new' ? null : 401);
    const sidecar = await start({ collectorPort: collector.port, tokenFile: file });
    await post(`${sidecar.url}/v1/events`, cloudEvent('a'));
    await until(() => collector.tokens.includes('Bearer old'));
    await writeFile(file, 'new\n');
    await until(() => sidecar.ledger.delivered === 1);
  });
});

describe('room', () => {
  /** A spool without a delivery, nearly full. */
  async function crowded(taken: number) {
    const ledger = new Ledger();
    const spool = await Spool.open({
      folder: null,
      diskBytes: 1,
      memoryBytes: 4_194_304,
      durability: 'os',
      clock: { now: () => 0 },
      ledger,
      note: () => undefined,
    });
    spool.memory.reserve(taken * 4_194_304);
    return { ledger, spool, intake: new Intake(spool, ledger, { now: () => 0 }) };
  }

  it('that runs out sheds by the hash of ids, with weights that stand for what was shed', async () => {
    const { ledger, spool, intake } = await crowded(0);
    const count = 40_000;
    for (let i = 0; i < count; i++) intake.events([JSON.stringify(cloudEvent(`event-${i}`))]);
    await spool.flush();
    const records: Arrived[] = [];
    for (
      let batch = await spool.next({ records: 10_000, bytes: 1e9 });
      batch !== null;
      batch = await spool.next({ records: 10_000, bytes: 1e9 })
    )
      for (const record of batch.records)
        records.push((JSON.parse(Buffer.from(record.subarray(28)).toString()) as { data: Arrived }).data);
    expect(ledger.received.events).toBe(count);
    expect(ledger.shed.sampled).toBeGreaterThan(1_000);
    expect(records.length + ledger.shed.sampled + ledger.shed.full).toBe(count);
    expect(ledger.unsettled).toBe(spool.records);
    const variance = records.reduce((sum, { weight = 1 }) => sum + weight * (weight - 1), 0);
    // What came when nothing was kept at all nobody can stand for.
    expect(Math.abs(weightOf(records) - (count - ledger.shed.full))).toBeLessThan(6 * Math.sqrt(variance));
  });

  it('that runs out turns away who waits, and tells who does not', async () => {
    const sidecar = await start({ collectorPort: 1, spool: { memoryBytes: 4_194_304 } });
    const url = `${sidecar.url}/v1/events`;
    const long = cloudEvent('long', { categorical: { text: 'x'.repeat(400_000) } });
    let status = 202;
    for (let i = 0; i < 30 && status === 202; i++) status = (await post(url, { ...long, id: `l${i}` })).status;
    expect(status).toBe(429);
    const refused = await post(url, long);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    let shed = 0;
    for (let i = 0; i < 40; i++) {
      const answer = await post(url, cloudEvent(`async-${i}`), { prefer: 'respond-async' });
      expect(answer.status).toBe(202);
      shed += ((await answer.json()) as { shed: number }).shed;
    }
    expect(shed).toBeGreaterThan(0);
    expect(sidecar.ledger.unsettled).toBe(sidecar.waiting);
    expect(sidecar.problems().join()).toMatch(/events are sampled/);
  });

  it('is not for labels alone to lose: they are kept while events are sampled', async () => {
    const { ledger, intake } = await crowded(0.97);
    const label = (i: number) =>
      JSON.stringify({
        specversion: '1.0',
        id: `l${i}`,
        source: '/a',
        type: 'ml.label.v1',
        data: { id: `l${i}`, model: 'churn', truth: 1 },
      });
    expect(intake.events(Array.from({ length: 100 }, (_, i) => label(i)))).toEqual({ accepted: 100, shed: 0 });
    expect(
      intake.events(Array.from({ length: 100 }, (_, i) => JSON.stringify(cloudEvent(`e${i}`)))).shed,
    ).toBeGreaterThan(90);
    expect(ledger.shed.full).toBe(0);
  });

  it('keeps or sheds both halves of an inference', async () => {
    const { intake } = await crowded(0.8);
    const kept = (type: string) =>
      Array.from({ length: 500 }, (_, i) => intake.half(`id-${i}`, ['ce-type', type], Buffer.from('{}')).accepted);
    const requests = kept('org.kubeflow.serving.inference.request');
    expect(kept('org.kubeflow.serving.inference.response')).toEqual(requests);
    expect(requests).toContain(0);
    expect(requests).toContain(1);
  });
});

describe('the disk', () => {
  it('full: events wait in memory, who wants them durable is refused, and nothing is missing afterwards', async () => {
    const collector = await standInCollector();
    collector.answer = () => 503;
    let full = true;
    const notes: string[] = [];
    const ledger = new Ledger();
    const spool = await Spool.open({
      folder: await folder(),
      diskBytes: 16_000_000,
      memoryBytes: 8_000_000,
      durability: 'os',
      clock: { now: () => Date.now() },
      ledger,
      note: (level, message) => notes.push(`${level}: ${message}`),
      longestRetryMs: 3,
      io: {
        ...systemIo,
        write: (...args) =>
          full ? Promise.reject(Object.assign(new Error('x'), { code: 'ENOSPC' })) : systemIo.write(...args),
      },
    });
    const intake = new Intake(spool, ledger, { now: () => Date.now() });
    const text = (id: string) => JSON.stringify(cloudEvent(id));
    expect(intake.events([text('a'), text('b')])).toEqual({ accepted: 2, shed: 0 });
    await expect(intake.store([text('c')])).rejects.toThrow(/disk is full/);
    expect(ledger.unsettled).toBe(2);
    // It is tried again and again meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect([spool.records, spool.isDurable]).toEqual([2, false]);
    full = false;
    await until(() => spool.isDurable);
    expect(await intake.store([text('d')])).toEqual({ accepted: 1, shed: 0 });
    await spool.flush();
    expect(spool.records).toBe(3);
    expect(spool.memory.used).toBe(0);
    const batch = await spool.next({ records: 10, bytes: 1e6 });
    expect(batch!.records.length).toBe(3);
    batch!.settle();
    expect(spool.records).toBe(0);
    expect(notes[0]).toMatch(/error: .*the disk is full.*events wait in memory/);
    expect(notes[1]).toMatch(/info: .*on disk again/);
    await spool.close();
  });

  it('that hangs delays nobody: events wait in memory, and what has no room is shed and counted', async () => {
    let hangs = true;
    let release = (): void => undefined;
    const ledger = new Ledger();
    const clock = { now: () => Date.now() };
    const spool = await Spool.open({
      folder: await folder(),
      diskBytes: 16_000_000,
      memoryBytes: 1_000_000,
      durability: 'os',
      clock,
      ledger,
      note: () => undefined,
      io: {
        ...systemIo,
        write: async (...args) => {
          if (hangs) await new Promise<void>((resolve) => (release = resolve));
          return systemIo.write(...args);
        },
      },
    });
    const intake = new Intake(spool, ledger, clock);
    const model = await serve((_request, _body, response) => response.end('{"predictions":[0.5]}'));
    const proxy = await ModelProxy.listen({
      host: '127.0.0.1',
      port: 0,
      upstream: { host: '127.0.0.1', port: model.port },
      rules: { paths: [/:predict$/], idHeader: 'x-request-id', copyBytes: 1_000_000 },
      budget: spool.memory,
      clock,
      sink: intake,
    });
    const long = JSON.stringify({ instances: ['x'.repeat(100_000)] });
    for (let i = 0; i < 30; i++) {
      const answer = await fetch(`http://127.0.0.1:${proxy.port}/m:predict`, { method: 'POST', body: long });
      expect(await answer.json()).toEqual({ predictions: [0.5] });
    }
    await until(() => ledger.received.proxy === 30);
    expect(ledger.shed.sampled + ledger.shed.full).toBeGreaterThan(15);
    expect(ledger.unsettled).toBe(spool.records);
    expect(spool.records).toBeGreaterThan(5);
    expect(spool.memory.used).toBeLessThanOrEqual(1_000_000);
    hangs = false;
    release();
    await spool.flush();
    expect(spool.memory.used).toBe(0);
    expect(ledger.unsettled).toBe(spool.records);
    await proxy.drain(0);
    await spool.close();
  });

  it('that cannot be used at all costs durability and not the sidecar', async () => {
    const collector = await standInCollector();
    const path = join(await folder(), 'file');
    await writeFile(path, '');
    const sidecar = await start({ collectorPort: collector.port, spool: { folder: path } });
    expect((await post(`${sidecar.url}/v1/events`, cloudEvent('a'))).status).toBe(503);
    expect((await post(`${sidecar.url}/v1/events`, cloudEvent('b'), { prefer: 'respond-async' })).status).toBe(202);
    await until(() => collector.events.length === 1);
    expect(sidecar.samples().find(({ name }) => name === 'mlmon_sidecar_disk_failing')?.value).toBe(1);
    expect(sidecar.problems()[0]).toMatch(/in memory alone/);
  });

  it('with a torn end gives back all before it, and counts the tear', async () => {
    const path = await folder();
    const first = await start({ collectorPort: 1, spool: { folder: path } });
    await post(`${first.url}/v1/events`, [cloudEvent('a'), cloudEvent('b')]);
    await first.stop();
    const segment = join(path, readdirSync(path).find((name) => name.endsWith('.segment'))!);
    const file = openSync(segment, 'r+');
    writeSync(file, Buffer.from('half a frame'), 0, 12, statSync(segment).size);
    closeSync(file);
    const collector = await standInCollector();
    const second = await start({ collectorPort: collector.port, spool: { folder: path } });
    await until(() => second.ledger.delivered === 2);
    expect(second.ledger.recovered).toBe(2);
    expect(second.samples().find(({ name }) => name === 'mlmon_sidecar_torn_writes_total')?.value).toBe(1);
  });

  it('gives back the room of what was sent', async () => {
    const collector = await standInCollector();
    const path = await folder();
    const sidecar = await start({ collectorPort: collector.port, spool: { folder: path, diskBytes: 8_388_608 } });
    const long = 'x'.repeat(200_000);
    for (let i = 0; i < 60; i++) {
      expect((await post(`${sidecar.url}/v1/events`, cloudEvent(`e${i}`, { categorical: { long } }))).status).toBe(202);
      await until(() => sidecar.ledger.delivered === i + 1);
    }
    const segments = () => readdirSync(path).filter((name) => name.endsWith('.segment'));
    await until(() => segments().length <= 2);
    expect(sidecar.ledger.unsettled).toBe(0);
  });
});

it('takes times from a clock that jumps, and order from none', async () => {
  const collector = await standInCollector();
  collector.answer = () => 503;
  let now = Date.parse('2026-03-01T00:00:00Z');
  const path = await folder();
  const settings = { collectorPort: collector.port, spool: { folder: path } };
  const sidecar = await start(settings, { clock: { now: () => now } });
  const headers = { 'ce-type': 'org.kubeflow.serving.inference.request', 'ce-inferenceservicename': 'churn-svc' };
  for (const [i, jump] of [0, -86_400_000, 172_800_000, -3_600_000].entries()) {
    now += jump;
    await fetch(`${sidecar.url}/v1/kserve`, {
      method: 'POST',
      headers: { ...headers, 'ce-id': `e${i}` },
      body: '{"instances":[{"age":1}]}',
    });
  }
  collector.answer = () => null;
  await until(() => sidecar.ledger.delivered === 4);
  expect(collector.events.map(({ id, time }) => [id, time])).toEqual([
    ['e0', '2026-03-01T00:00:00.000Z'],
    ['e1', '2026-02-28T00:00:00.000Z'],
    ['e2', '2026-03-02T00:00:00.000Z'],
    ['e3', '2026-03-01T23:00:00.000Z'],
  ]);
});

describe('the process', () => {
  async function child(path: string, collectorPort: number, upstreamPort: number) {
    const process = fork(join(import.meta.dirname, 'child.ts'), [path, `${collectorPort}`, `${upstreamPort}`], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    onTestFinished(() => void process.kill('SIGKILL'));
    const [ports] = (await once(process, 'message')) as [{ http: number; proxy: number; recovered: number }];
    return { process, ...ports };
  }

  async function ended(process: ChildProcess): Promise<number | null> {
    if (process.exitCode !== null || process.signalCode !== null) return process.exitCode;
    return ((await once(process, 'exit')) as [number | null])[0];
  }

  it('killed with SIGKILL under load loses nothing that it acknowledged', async () => {
    const collector = await standInCollector();
    collector.answer = () => 503;
    const path = await folder();
    const first = await child(path, collector.port, 1);
    const acknowledged: string[] = [];
    let number = 0;
    const sender = async (): Promise<void> => {
      for (;;) {
        const id = `e${number++}`;
        try {
          if ((await post(`http://127.0.0.1:${first.http}/v1/events`, cloudEvent(id))).status === 202)
            acknowledged.push(id);
        } catch {
          return;
        }
      }
    };
    const senders = Array.from({ length: 8 }, sender);
    await until(() => acknowledged.length > 500);
    first.process.kill('SIGKILL');
    await ended(first.process);
    await Promise.all(senders);
    collector.answer = () => null;
    const second = await child(path, collector.port, 1);
    expect(second.recovered).toBeGreaterThanOrEqual(acknowledged.length);
    // What was written and not acknowledged any more may come too.
    expect(second.recovered - acknowledged.length).toBeLessThanOrEqual(8);
    await until(() => collector.events.length >= second.recovered);
    const arrived = new Set(collector.events.map(({ id }) => id));
    expect(acknowledged.filter((id) => !arrived.has(id))).toEqual([]);
  }, 30_000);

  it('ended with SIGTERM under load refuses no request and sends everything', async () => {
    const collector = await standInCollector();
    const model = await serve((_request, body, response) =>
      setTimeout(() => response.end(`{"predictions":[${body.length}]}`), 3),
    );
    const running = await child(await folder(), collector.port, model.port);
    let answered = 0;
    const failed: unknown[] = [];
    let stop = false;
    const caller = async (): Promise<void> => {
      while (!stop) {
        try {
          const answer = await fetch(`http://127.0.0.1:${running.proxy}/m:predict`, {
            method: 'POST',
            body: '{"instances":[{"age":1}]}',
          });
          expect(answer.status).toBe(200);
          await answer.text();
          answered++;
        } catch (error) {
          failed.push(error);
          return;
        }
      }
    };
    const callers = Array.from({ length: 4 }, caller);
    await until(() => answered > 50);
    running.process.kill('SIGTERM');
    // As when a cluster takes the pod out of its service: calls go on for a while, then none come.
    await new Promise((resolve) => setTimeout(resolve, 150));
    stop = true;
    await Promise.all(callers);
    expect(failed).toEqual([]);
    expect(await ended(running.process)).toBe(0);
    expect(collector.events.length).toBe(answered);
  }, 30_000);
});
