/**
 * What a sidecar costs the model's path, what it takes, and what an outage of the collector costs it. Everything runs on the loopback
 * address in processes of their own; latencies are compared with calls without the sidecar in the same run, in turn.
 *
 *   node --import tsx bench/sidecar.ts [--seconds 20] [--outage 60] [--rate 5000] [--only latency|throughput|outage]
 *
 * `--outage 600` is the ten minutes of the target; the table says which was run.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as send } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { median, noiseOf, quantile, tell } from './measurement.ts';
import type { Looked, SidecarTold } from './sidecar-process.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    outage: { type: 'string', default: '60' },
    rate: { type: 'string', default: '5000' },
    only: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const command = 'node --import tsx bench/sidecar.ts';
const work = await mkdtemp(join(tmpdir(), 'mlmon-bench-sidecar-'));
// As it is deployed: plain JavaScript, without a compiler in the process.
const script = join(work, 'process.mjs');
await build({
  entryPoints: [join(import.meta.dirname, 'sidecar-process.ts')],
  outfile: script,
  bundle: true,
  platform: 'node',
  format: 'esm',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'error',
});

interface Started {
  readonly child: ChildProcess;
  readonly http: number;
  readonly proxy: number;
}

async function start(kind: 'sidecar' | 'model' | 'sink', told: SidecarTold | { port?: number } = {}): Promise<Started> {
  const child = fork(script, [kind, JSON.stringify(told)], { execArgv: [] });
  const ports = await new Promise<{ http: number; proxy: number }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { http: number; proxy: number }));
    child.once('exit', (code) => reject(new Error(`${kind} ended with ${code}`)));
  });
  return { child, ...ports };
}

function memory({ child }: Started): Promise<string> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(String(message)));
    child.send('memory');
  });
}

function look({ child }: Started): Promise<Looked> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(message as Looked));
    child.send('look');
  });
}

async function end({ child }: Started, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Some 1 kB of JSON. */
function event(i: number): string {
  const numeric: Record<string, number> = {};
  for (let f = 0; f < 20; f++) numeric[`measure_${f}`] = Math.round(Math.sin(i * 31 + f) * 1e6) / 1e4;
  const data = {
    id: `prediction-${String(i).padStart(9, '0')}`,
    model: 'bench',
    version: '3',
    time: '2026-01-02T03:04:05.000Z',
    numeric,
    categorical: { text: 'x'.repeat(330) },
    score: 0.25,
  };
  return JSON.stringify({ specversion: '1.0', id: data.id, source: '/bench', type: 'ml.inference.v1', data });
}

// ---- latency

/** Calls at an even rate, whether earlier ones were answered or not; milliseconds each took. */
async function calls(ports: readonly number[], rate: number, forSeconds: number, agent: Agent): Promise<number[][]> {
  const body = JSON.stringify({ instances: [{ a: 1 }], padding: 'x'.repeat(980) });
  const took: number[][] = ports.map(() => []);
  const open: Promise<void>[] = [];
  const begun = performance.now();
  for (let sent = 0; sent < rate * forSeconds; ) {
    const due = Math.min(rate * forSeconds, Math.floor(((performance.now() - begun) / 1_000) * rate));
    for (; sent < due; sent++) {
      const which = sent % ports.length;
      const at = performance.now();
      open.push(
        new Promise((resolve, reject) => {
          const call = send(
            {
              host: '127.0.0.1',
              port: ports[which]!,
              path: '/v1/models/bench:predict',
              method: 'POST',
              agent,
              headers: { 'content-type': 'application/json', 'content-length': body.length },
            },
            (response) => {
              response.resume();
              response.once('end', () => {
                took[which]!.push(performance.now() - at);
                resolve();
              });
            },
          );
          call.once('error', reject);
          call.end(body);
        }),
      );
    }
    await pause(1);
  }
  await Promise.all(open);
  return took;
}

/** Posts events that nobody waits for, at an even rate, until told. */
function posting(port: number, rate: number, agent: Agent): () => void {
  let sent = 0;
  const begun = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1_000) * rate);
    for (; sent < due; sent++) {
      const body = event(sent);
      const call = send(
        {
          host: '127.0.0.1',
          port,
          path: '/v1/events',
          method: 'POST',
          agent,
          headers: {
            'content-type': 'application/cloudevents+json',
            'content-length': Buffer.byteLength(body),
            prefer: 'respond-async',
          },
        },
        (response) => response.resume(),
      );
      call.on('error', () => undefined);
      call.end(body);
    }
  }, 1);
  return () => clearInterval(timer);
}

async function latency(): Promise<void> {
  const model = await start('model');
  const sink = await start('sink');
  const sidecar = await start('sidecar', {
    collectorPort: sink.http,
    upstreamPort: model.http,
    folder: join(work, 'latency'),
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const rate = 1_000;
  await calls([model.http, sidecar.proxy], rate, 4, agent);
  // Blocks of a second, in turn, so that whatever else the machine does meets both.
  const direct: number[][] = [];
  const through: number[][] = [];
  const beside: number[][] = [];
  const cost: number[] = [];
  const ownCost: number[] = [];
  for (let i = 0; i < seconds; i++) {
    const order = i % 2 === 0 ? ['direct', 'proxy', 'beside'] : ['beside', 'proxy', 'direct'];
    for (const which of order) {
      if (which === 'beside') {
        const stop = posting(sidecar.http, rate, agent);
        beside.push((await calls([model.http], rate, 1, agent))[0]!);
        stop();
      } else if (which === 'direct') direct.push((await calls([model.http], rate, 1, agent))[0]!);
      else {
        const before = [await look(sidecar), await look(model)];
        through.push((await calls([sidecar.proxy], rate, 1, agent))[0]!);
        const after = [await look(sidecar), await look(model)];
        cost.push(((after[0]!.cpu - before[0]!.cpu) / rate) * 1e6);
        ownCost.push(((after[1]!.cpu - before[1]!.cpu) / rate) * 1e6);
      }
    }
  }
  const p = (blocks: readonly (readonly number[])[], at: number): number =>
    median(blocks.map((one) => quantile(one, at)));
  const added = (blocks: readonly (readonly number[])[], at: number): number[] =>
    blocks.map((one, i) => quantile(one, at) - quantile(direct[i]!, at));
  process.stdout.write(
    `milliseconds, ${seconds} blocks of 1 s at ${rate} calls/s, medians over blocks: direct p50 ${p(direct, 0.5).toFixed(2)} p99 ${p(direct, 0.99).toFixed(2)}; through the proxy p50 ${p(through, 0.5).toFixed(2)} p99 ${p(through, 0.99).toFixed(2)}; direct while as many events are posted p50 ${p(beside, 0.5).toFixed(2)} p99 ${p(beside, 0.99).toFixed(2)}\n`,
  );
  const { received, delivered, waiting, shed } = await look(sidecar);
  process.stdout.write(`received ${received}, delivered ${delivered}, waiting ${waiting}, shed ${shed}\n`);
  for (const [name, blocks, limit] of [
    ['proxy: p99 added to calls of 1 kB at 1,000 calls/s', through, 1],
    ['side channel: p99 added to calls while as many events are posted beside them', beside, 0.5],
  ] as const) {
    const ours = median(added(blocks, 0.99));
    tell({
      benchmark: 'sidecar',
      measure: `${name}; p50 added ${median(added(blocks, 0.5)).toFixed(2)} ms`,
      ours: p(blocks, 0.99),
      reference: p(direct, 0.99),
      against: 'the same calls to the model server itself, in turn',
      ratio: p(blocks, 0.99) / p(direct, 0.99),
      unit: 'ms, p99',
      target: `added ≤ ${limit} ms`,
      met: ours <= limit,
      noise: noiseOf(blocks.map((one) => quantile(one, 0.99))),
      command: `${command} --only latency`,
    });
  }
  // Of this a busy machine takes nothing away and adds little.
  tell({
    benchmark: 'sidecar',
    measure: 'processor time of the sidecar for a proxied call of 1 kB: passed on, copied, spooled, mapped, delivered',
    ours: median(cost),
    reference: median(ownCost),
    against: 'that of a bare node:http server that answers the call',
    ratio: median(cost) / median(ownCost),
    unit: 'µs',
    target: null,
    met: null,
    noise: noiseOf(cost),
    command: `${command} --only latency`,
  });
  agent.destroy();
  for (const one of [sidecar, sink, model]) await end(one);
}

// ---- throughput

const ANSWER = Buffer.from('HTTP/1.1 ');

/** A connection that keeps `depth` posts under way, or sends at a rate; counts what was acknowledged. */
class Sender {
  acknowledged = 0;
  sent = 0;
  refused = 0;
  readonly #socket: Socket;
  #carry: Buffer = Buffer.alloc(0);
  readonly #requests: readonly Buffer[];
  readonly #depth: number | null;
  constructor(port: number, requests: readonly Buffer[], depth: number | null) {
    this.#requests = requests;
    this.#depth = depth;
    this.#socket = connect(port, '127.0.0.1', () => this.send(depth ?? 0));
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => undefined);
  }
  /** Of those asked for, as many as wait for no more than 64 answers: a sender that waits does not run away from a slow machine. */
  offer(count: number): void {
    this.send(Math.min(count, 64 - (this.sent - this.acknowledged - this.refused)));
  }
  send(count: number): void {
    if (count <= 0) return;
    const pieces: Buffer[] = [];
    for (let i = 0; i < count; i++) pieces.push(this.#requests[this.sent++ % this.#requests.length]!);
    this.#socket.write(Buffer.concat(pieces));
  }
  #read(chunk: Buffer): void {
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let at = 0;
    let answered = 0;
    for (
      let found = data.indexOf(ANSWER);
      found !== -1 && found + 12 <= data.length;
      found = data.indexOf(ANSWER, at)
    ) {
      if (data.toString('latin1', found + 9, found + 12) === '202') this.acknowledged++;
      else this.refused++;
      answered++;
      at = found + 12;
    }
    this.#carry = data.subarray(Math.max(at, data.length - 11));
    if (this.#depth !== null) this.send(answered);
  }
  close(): void {
    this.#socket.destroy();
  }
}

function posts(eventsPerPost: number): Buffer[] {
  return Array.from({ length: 256 }, (_, r) => {
    const events = Array.from({ length: eventsPerPost }, (__, e) => event(r * eventsPerPost + e));
    const body = Buffer.from(eventsPerPost === 1 ? events[0]! : `[${events.join(',')}]`);
    const type = eventsPerPost === 1 ? 'application/cloudevents+json' : 'application/cloudevents-batch+json';
    return Buffer.concat([
      Buffer.from(
        `POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]);
  });
}

async function throughput(): Promise<void> {
  for (const [durability, eventsPerPost, target, sinkIsUp] of [
    ['os', 1, 20_000, false],
    ['os', 15, 20_000, false],
    ['os', 1, null, true],
    ['fsync', 1, 10_000, false],
  ] as const) {
    const sink = await start('sink');
    if (!sinkIsUp) await end(sink);
    const folder = join(work, `throughput-${durability}-${eventsPerPost}-${sinkIsUp}`);
    const sidecar = await start('sidecar', { collectorPort: sink.http, folder, durability });
    const senders = Array.from({ length: 16 }, () => new Sender(sidecar.http, posts(eventsPerPost), 16));
    const count = (): number => senders.reduce((sum, { acknowledged }) => sum + acknowledged * eventsPerPost, 0);
    await pause(2_000);
    const rates: number[] = [];
    let events = 0;
    // Short of the room on disk, beyond which events would be shed.
    for (let i = 0; i < 5; i++) {
      const [before, counted] = [await look(sidecar), count()];
      await pause(1_500);
      const [after, now] = [await look(sidecar), count()];
      // A sync waits for the device: there the clock on the wall counts.
      rates.push((now - counted) / (durability === 'os' ? after.cpu - before.cpu : 1.5));
      events += now - counted;
    }
    for (const sender of senders) sender.close();
    const refused = senders.reduce((sum, one) => sum + one.refused, 0);
    process.stdout.write(`${Math.round(events / 7.5)} events/s of wall time, ${refused} posts refused\n`);
    tell({
      benchmark: 'sidecar',
      measure: `events of ${event(1).length} bytes, ${eventsPerPost} a post, acknowledged when ${durability === 'os' ? 'appended' : 'synced'}, ${sinkIsUp ? 'collector taking them meanwhile' : 'collector away'}`,
      ours: median(rates),
      reference: null,
      ratio: null,
      unit: durability === 'os' ? 'events a second of processor time' : 'events/s',
      target: target === null ? null : `≥ ${target.toLocaleString('en')}`,
      met: target === null ? null : median(rates) >= target,
      noise: noiseOf(rates),
      command: `${command} --only throughput`,
    });
    await end(sidecar);
    if (sinkIsUp) await end(sink);
    await rm(folder, { recursive: true, force: true });
  }
}

// ---- outage

function residentMiB({ child }: Started): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Sends at a rate over some connections until told. */
function stream(port: number, rate: number): { readonly senders: readonly Sender[]; stop(): void } {
  const requests = posts(1);
  const senders = Array.from({ length: 16 }, () => new Sender(port, requests, null));
  const begun = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1_000) * rate) - sent;
    if (due <= 0) return;
    sent += due;
    for (let i = 0; i < senders.length; i++)
      senders[i]!.offer(Math.floor(due / senders.length) + (i < due % senders.length ? 1 : 0));
  }, 2);
  return { senders, stop: () => clearInterval(timer) };
}

async function outage(): Promise<void> {
  const [length, rate] = [Number(values.outage), Number(values.rate)];
  const folder = join(work, 'outage');
  const away = await start('sink');
  await end(away);
  let sidecar = await start('sidecar', { collectorPort: away.http, folder });
  const coming = stream(sidecar.http, rate);
  const resident: number[] = [];
  for (let i = 0; i < length; i++) {
    await pause(1_000);
    resident.push(residentMiB(sidecar));
    if (i % 10 === 9) process.stdout.write(`${i + 1} s, MiB: ${await memory(sidecar)}\n`);
  }
  coming.stop();
  await pause(1_500);
  const total = (what: 'acknowledged' | 'sent' | 'refused'): number =>
    coming.senders.reduce((sum, one) => sum + one[what], 0);
  const before = await look(sidecar);
  const acknowledged = total('acknowledged');
  process.stdout.write(
    `outage of ${length} s: offered ${length * rate}, sent ${total('sent')}, acknowledged ${acknowledged}, refused with 429 ${total('refused')}; ledger: received ${before.received}, waiting ${before.waiting}\n`,
  );
  for (const sender of coming.senders) sender.close();
  const most = Math.max(...resident);
  tell({
    benchmark: 'sidecar',
    measure: `resident memory while the collector is away for ${length} s at ${rate.toLocaleString('en')} events/s, the most of a look each second (last ${resident.at(-1)!.toFixed(0)} MiB)`,
    ours: most,
    reference: null,
    ratio: null,
    unit: 'MiB',
    target: '≤ 160 MiB',
    met: most <= 160,
    noise: null,
    command: `${command} --only outage --outage ${length}`,
  });

  await end(sidecar, 'SIGKILL');
  const sink = await start('sink', { port: away.http });
  sidecar = await start('sidecar', { collectorPort: sink.http, folder });
  const recovered = (await look(sidecar)).recovered;
  const live = stream(sidecar.http, rate);
  const begun = performance.now();
  let drained = await look(sidecar);
  for (; drained.delivered < recovered; drained = await look(sidecar)) await pause(50);
  const took = (performance.now() - begun) / 1_000;
  const during = await look(sidecar);
  live.stop();
  await pause(1_000);
  const liveAcknowledged = live.senders.reduce((sum, one) => sum + one.acknowledged, 0);
  for (;;) {
    if ((await look(sidecar)).waiting === 0) break;
    await pause(100);
  }
  const taken = (await look(sink)).delivered;
  for (const sender of live.senders) sender.close();
  const lost = acknowledged + liveAcknowledged - taken;
  process.stdout.write(
    `backlog of ${recovered} drained in ${took.toFixed(1)} s while ${during.received} live events came; ${acknowledged + liveAcknowledged} acknowledged, ${taken} taken by the sink\n`,
  );
  tell({
    benchmark: 'sidecar',
    measure: `acknowledged events lost at SIGKILL with ${before.waiting.toLocaleString('en')} waiting`,
    ours: Math.max(0, lost),
    reference: null,
    ratio: null,
    unit: 'events',
    target: '0',
    met: lost <= 0,
    noise: null,
    command: `${command} --only outage --outage ${length}`,
  });
  tell({
    benchmark: 'sidecar',
    measure: `backlog drained while ${rate.toLocaleString('en')} live events/s come`,
    ours: recovered / took,
    reference: during.received / took,
    against: 'live events taken meanwhile',
    ratio: recovered / during.received,
    unit: 'events/s',
    target: '≥ 2 × live',
    met: recovered / during.received >= 2,
    noise: null,
    command: `${command} --only outage --outage ${length}`,
  });
  await end(sidecar);
  await end(sink);
}

try {
  for (const [name, run] of [
    ['latency', latency],
    ['throughput', throughput],
    ['outage', outage],
  ] as const)
    if (values.only === undefined || values.only === name) await run();
} finally {
  await rm(work, { recursive: true, force: true });
}
