/**
 * Replays February to June through the public HTTP interface, in order of event time, faster than real time. Each request
 * carries half an hour of departures and of labels that came due, and tells the platform the simulated time.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import type { InferenceEvent, LabelEvent } from '../../lib/contracts/event.ts';
import { DAY, Flights, REPLAY } from './flights.ts';
import type { Model } from './model.ts';
import { MODEL_FILE } from './prepare.ts';
import { labelOf, predictionOf } from './traffic.ts';

/** Header by which a replay moves the clock of a platform that was started with one. */
export const CLOCK_HEADER = 'mlmon-replay-clock';

const STEP = 1_800_000;
/** The last windows need their lateness to pass; longer, and the silence after the data would look like an outage. */
const END = REPLAY.to + 2 * 3_600_000;
const PROGRESS_FILE = 'progress.json';

export interface ReplayOptions {
  readonly platform: string;
  readonly folder: string;
  /** Least real time a simulated day takes, milliseconds. */
  readonly pace: number;
  /** Stop here, milliseconds of simulated time; default the end of the data. */
  readonly until?: number;
  readonly say: (message: string, progress: number) => void;
}

export async function replay({ platform, folder, pace, until: asked = END, say }: ReplayOptions): Promise<void> {
  const model = JSON.parse(await readFile(join(folder, MODEL_FILE), 'utf8')) as Model;
  const flights = await Flights.open();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const labels = new LabelQueue();
  const from = await resume(folder, flights, labels);
  const started = Date.now();
  const until = Math.min(asked, END);
  for (let day = from - (from % DAY); day < until; day += DAY) {
    const departures = day < REPLAY.to ? await flights.between(day, day + DAY) : [];
    let next = 0;
    for (let step = day; step < day + DAY && step < until; step += STEP) {
      const events: (InferenceEvent | LabelEvent)[] = [];
      for (; next < departures.length && departures[next]!.departure < step + STEP; next++) {
        const flight = departures[next]!;
        if (step < from) continue;
        events.push(predictionOf(model, flight));
        const label = labelOf(flight);
        if (label !== null) labels.add(label);
      }
      if (step < from) continue;
      events.push(...labels.due(step + STEP));
      if (events.length > 0) await send(agent, platform, step + STEP, events);
      await remember(folder, step + STEP);
    }
    say(`replaying ${new Date(day).toISOString().slice(0, 10)}`, (day - REPLAY.from) / (until - REPLAY.from));
    const ahead = ((day + DAY - from) / DAY) * pace - (Date.now() - started);
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
  }
  say(
    until === END
      ? 'all five months are replayed; the clock stands still'
      : `replayed until ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')}; the clock stands still`,
    1,
  );
  agent.destroy();
}

/** Whole or not at all: it may be ended at any moment. */
async function remember(folder: string, next: number): Promise<void> {
  const file = join(folder, PROGRESS_FILE);
  await writeFile(`${file}.part`, JSON.stringify({ next }));
  await rename(`${file}.part`, file);
}

/** Where the last run stopped; labels of earlier flights that had not come by then are put back into the queue. */
async function resume(folder: string, flights: Flights, labels: LabelQueue): Promise<number> {
  let next: number;
  try {
    next = (JSON.parse(await readFile(join(folder, PROGRESS_FILE), 'utf8')) as { next: number }).next;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return REPLAY.from;
    throw error;
  }
  // No label comes later than three days after departure.
  for (const flight of await flights.between(Math.max(REPLAY.from, next - 4 * DAY), next)) {
    const label = labelOf(flight);
    if (label !== null && label.at >= next) labels.add(label);
  }
  return next;
}

/** Labels in order of the time they come due, in buckets of one step. */
class LabelQueue {
  readonly #buckets = new Map<number, LabelEvent[]>();
  add({ at, event }: { readonly at: number; readonly event: LabelEvent }): void {
    const bucket = Math.floor(at / STEP);
    const list = this.#buckets.get(bucket);
    if (list === undefined) this.#buckets.set(bucket, [event]);
    else list.push(event);
  }
  due(before: number): LabelEvent[] {
    const bucket = Math.floor(before / STEP) - 1;
    const list = this.#buckets.get(bucket) ?? [];
    this.#buckets.delete(bucket);
    return list;
  }
}

/** Events of one CloudEvent: small enough for a collector's limit. */
const EVENTS_PER_REQUEST = 2_000;

async function send(
  agent: Agent,
  platform: string,
  clock: number,
  events: readonly (InferenceEvent | LabelEvent)[],
): Promise<void> {
  for (let i = 0; i < events.length; i += EVENTS_PER_REQUEST) {
    const data = events.slice(i, i + EVENTS_PER_REQUEST);
    const body = Buffer.from(
      JSON.stringify(
        [
          {
            specversion: '1.0',
            id: `${clock}-${i}`,
            source: 'examples/flight-delay',
            type: 'ml.inference.v1',
            data: data.filter(({ type }) => type === 'inference'),
          },
          {
            specversion: '1.0',
            id: `${clock}-${i}-labels`,
            source: 'examples/flight-delay',
            type: 'ml.label.v1',
            data: data.filter(({ type }) => type === 'label'),
          },
        ].filter((event) => event.data.length > 0),
      ),
    );
    await post(agent, platform, clock, body);
  }
}

/** Sends until it is taken: a platform under load says when to come again. */
async function post(agent: Agent, platform: string, clock: number, body: Buffer): Promise<void> {
  for (;;) {
    const { status, retryAfter, text } = await once(agent, platform, clock, body);
    if (status === 202) return;
    if (status !== 429 && status !== 503)
      throw new Error(`the platform answered ${status} to a batch of events: ${text.slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000 * retryAfter));
  }
}

function once(
  agent: Agent,
  platform: string,
  clock: number,
  body: Buffer,
): Promise<{ status: number; retryAfter: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${platform}/v1/events`,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/cloudevents-batch+json',
          'content-length': body.length,
          [CLOCK_HEADER]: new Date(clock).toISOString(),
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, retryAfter: Number(answer.headers['retry-after'] ?? 1), text }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
