/**
 * How many events a second the collector takes on one core: checked, policy applied, durably appended by group write; over real HTTP on the
 * loopback address. Compared in the same run with a bare `node:http` server that answers 202 and does nothing, under the same requests.
 *
 *   node --import tsx bench/collector.ts [--seconds 5] [--rounds 3] [--connections 32] [--pipeline 16]
 *
 * The server and the load generator are processes of their own, each pinned to a core where `taskset` is available.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ServerMode } from './collector-server.ts';
import { median, noiseOf, tell } from './measurement.ts';

interface Case {
  readonly name: string;
  readonly mode: ServerMode;
  readonly eventsPerRequest: number;
}

const CASES: readonly Case[] = [
  { name: 'bare node:http, answers 202, 1 event a request', mode: 'bare', eventsPerRequest: 1 },
  { name: 'collector, 1 event a request', mode: 'collector', eventsPerRequest: 1 },
  { name: 'collector, 15 events a request', mode: 'collector', eventsPerRequest: 15 },
];

/** Requests prepared before the clock starts; the generator sends slices of them. */
const PREPARED = 256;

function event(i: number): Record<string, unknown> {
  const numeric: Record<string, number> = {};
  for (let f = 0; f < 24; f++)
    numeric[`measure_${String(f).padStart(2, '0')}`] = Math.round(Math.sin(i * 31 + f) * 1e6) / 1e4;
  const categorical: Record<string, string> = {};
  for (let f = 0; f < 8; f++) categorical[`category_${f}`] = `value-${(i * 7 + f) % 40}`;
  return {
    id: `prediction-${String(i).padStart(9, '0')}`,
    type: 'inference',
    model: 'bench',
    version: '3',
    time: new Date(Date.now() - (i % 1000)).toISOString(),
    segment: { region: `r${i % 9}` },
    numeric,
    categorical,
    score: 0.25,
    predicted: 'no',
    latency_ms: 12.5,
  };
}

/** Requests of equal length, one after another. */
function requests(eventsPerRequest: number): {
  readonly bytes: Buffer;
  readonly length: number;
  readonly eventBytes: number;
} {
  const all: Buffer[] = [];
  let eventBytes = 0;
  for (let r = 0; r < PREPARED; r++) {
    const events = Array.from({ length: eventsPerRequest }, (_, e) => event(r * eventsPerRequest + e));
    eventBytes = JSON.stringify(events[0]).length;
    const envelope = {
      specversion: '1.0',
      id: `request-${String(r).padStart(6, '0')}`,
      source: '/bench/service',
      type: 'ml.inference.v1',
      datacontenttype: 'application/json',
      data: eventsPerRequest === 1 ? events[0] : events,
    };
    all.push(Buffer.from(JSON.stringify(envelope)));
  }
  // White space after the JSON makes all of one length.
  const longest = Math.max(...all.map((body) => body.length));
  const framed = all.map((body) =>
    Buffer.concat([
      Buffer.from(
        `POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/cloudevents+json\r\nContent-Length: ${longest}\r\n\r\n`,
      ),
      body,
      Buffer.alloc(longest - body.length, 32),
    ]),
  );
  return { bytes: Buffer.concat([...framed, ...framed]), length: framed[0]!.length, eventBytes };
}

const STATUS = Buffer.from('HTTP/1.1 ');
const ACCEPTED = Buffer.from('202');

/** One connection that keeps `depth` requests under way. */
class Connection {
  answered = 0;
  #carry: Buffer = Buffer.alloc(0);
  #next: number;
  readonly #socket;
  readonly #prepared;
  constructor(port: number, prepared: { bytes: Buffer; length: number }, depth: number, first: number) {
    this.#prepared = prepared;
    this.#next = first % PREPARED;
    this.#socket = connect(port, '127.0.0.1', () => this.#send(depth));
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => undefined);
  }
  #send(count: number): void {
    for (let left = count; left > 0; ) {
      const now = Math.min(left, PREPARED);
      const from = this.#next * this.#prepared.length;
      this.#socket.write(this.#prepared.bytes.subarray(from, from + now * this.#prepared.length));
      this.#next = (this.#next + now) % PREPARED;
      left -= now;
    }
  }
  #read(chunk: Buffer): void {
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let count = 0;
    let at = 0;
    for (;;) {
      const found = data.indexOf(STATUS, at);
      if (found === -1 || found + 12 > data.length) break;
      if (data.compare(ACCEPTED, 0, 3, found + 9, found + 12) !== 0)
        throw new Error(`not accepted: ${data.subarray(found, found + 600).toString()}`);
      count++;
      at = found + 12;
    }
    this.#carry = data.subarray(Math.max(at, data.length - 11));
    this.answered += count;
    if (count > 0) this.#send(count);
  }
  close(): void {
    this.#socket.destroy();
  }
}

const hasTaskset = spawnSync('taskset', ['-V']).status === 0;

async function start(mode: ServerMode): Promise<{ child: ChildProcess; port: number }> {
  const script = fileURLToPath(new URL('./collector-server.ts', import.meta.url));
  const child = fork(script, [mode], {
    execArgv: ['--import', 'tsx', ...(process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [])],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { port: number }).port));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  if (hasTaskset) spawnSync('taskset', ['-a', '-cp', '0', String(child.pid)]);
  return { child, port };
}

function ask<T>(child: ChildProcess, question: string): Promise<T> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(message as T));
    child.send(question);
  });
}

interface Figures {
  readonly events: number;
  readonly requests: number;
  /** Share of one core that the server used. */
  readonly cpu: number;
}

async function measure(one: Case, options: { seconds: number; connections: number; depth: number }): Promise<Figures> {
  const { child, port } = await start(one.mode);
  const prepared = requests(one.eventsPerRequest);
  const connections = Array.from(
    { length: options.connections },
    (_, i) => new Connection(port, prepared, options.depth, i * 37),
  );
  const count = (): number => connections.reduce((sum, { answered }) => sum + answered, 0);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const cpuBefore = await ask<{ cpu: number }>(child, 'cpu');
  const before = count();
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, options.seconds * 1_000));
  const seconds = (performance.now() - begun) / 1_000;
  const done = count() - before;
  const cpuAfter = await ask<{ cpu: number }>(child, 'cpu');
  for (const connection of connections) connection.close();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.send('stop');
  await ended;
  return {
    requests: done / seconds,
    events: (done * one.eventsPerRequest) / seconds,
    cpu: (cpuAfter.cpu - cpuBefore.cpu) / seconds,
  };
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '32' },
    pipeline: { type: 'string', default: '16' },
  },
});
if (hasTaskset) spawnSync('taskset', ['-a', '-cp', '1', String(process.pid)]);
const seen = new Map<Case, Figures[]>(CASES.map((one) => [one, []]));
for (let round = 0; round < Number(values.rounds); round++)
  for (const one of round % 2 === 0 ? CASES : [...CASES].reverse())
    seen.get(one)!.push(
      await measure(one, {
        seconds: Number(values.seconds),
        connections: Number(values.connections),
        depth: Number(values.pipeline),
      }),
    );

const rate = (one: Case, what: keyof Figures): number => median(seen.get(one)!.map((figures) => figures[what]));
const whole = (value: number): string => Math.round(value).toLocaleString('en');
process.stdout.write(
  `An event is ${requests(1).eventBytes} bytes of JSON; ${values.connections} connections with ${values.pipeline} requests under way each; median of ${values.rounds} rounds of ${values.seconds} s.\n\n`,
);
process.stdout.write(
  '| case | requests/s | events/s | core used | events a second of processor time | of bare |\n| --- | ---: | ---: | ---: | ---: | ---: |\n',
);
for (const one of CASES) {
  const share = (100 * rate(one, 'requests')) / rate(CASES[0]!, 'requests');
  // On a busy machine the server does not get its core: what it does with the time it gets still compares.
  const perCpu = median(seen.get(one)!.map(({ events, cpu }) => events / cpu));
  process.stdout.write(
    `| ${one.name} | ${whole(rate(one, 'requests'))} | ${one.mode === 'bare' ? '' : whole(rate(one, 'events'))} | ${(100 * rate(one, 'cpu')).toFixed(0)} % | ${whole(perCpu)} | ${one.eventsPerRequest === 1 ? `${share.toFixed(0)} %` : ''} |\n`,
  );
}

/** Requests a second of the server's processor time: the server has one core at most, and on a busy machine less. */
const perCore = (one: Case): number[] => seen.get(one)!.map(({ requests: answered, cpu }) => answered / cpu);
const [bare, ...collectors] = CASES;
for (const one of collectors) {
  const single = one.eventsPerRequest === 1;
  const least = single ? 20_000 : 60_000;
  const ratios = perCore(one).map((rate, i) => rate / perCore(bare!)[i]!);
  const ours = median(perCore(one)) * one.eventsPerRequest;
  tell({
    benchmark: 'collector',
    measure: `events of ${requests(1).eventBytes} bytes over HTTP, ${one.eventsPerRequest} a request: checked, policy applied, durably appended`,
    ours,
    reference: single ? median(perCore(bare!)) : null,
    against: single ? 'requests of a bare node:http server that answers 202' : undefined,
    ratio: single ? median(ratios) : null,
    unit: 'events a second of processor time',
    target: `≥ ${whole(least)}${single ? ', ratio ≥ 0.40' : ''}`,
    met: ours >= least && (!single || median(ratios) >= 0.4),
    noise: noiseOf(single ? ratios : perCore(one)),
    command: 'node --import tsx bench/collector.ts',
  });
}
