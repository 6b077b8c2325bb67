/** Flights of the demonstration as a producer puts them on the stream: NDJSON of some events a record, half an hour at a time. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DAY, type Flight, Flights } from '../../../examples/flight-delay/flights.ts';
import type { Model } from '../../../examples/flight-delay/model.ts';
import { MODEL_FILE } from '../../../examples/flight-delay/prepare.ts';
import { labelOf, predictionOf } from '../../../examples/flight-delay/traffic.ts';

export const STEP = 1_800_000;
/** As many events a record as keeps the cost of a stream low. */
const EVENTS_PER_RECORD = 25;

export interface Step {
  /** When the producer sends, milliseconds since 1970. */
  readonly at: number;
  readonly records: readonly { readonly key: string; readonly data: string }[];
}

/** Departures in [from, to) and the labels that come due until `end`; of flights before `from` no label comes. */
export async function* flightsOf(folder: string, from: number, to: number, end = to): AsyncGenerator<Step> {
  const model = JSON.parse(await readFile(join(folder, MODEL_FILE), 'utf8')) as Model;
  const flights = await Flights.open();
  const due = new Map<number, string[]>();
  let departures: Flight[] = [];
  let next = 0;
  for (let step = from; step < end; step += STEP) {
    if (step % DAY === 0 || step === from) {
      departures = step < to ? await flights.between(step, Math.min(to, step - (step % DAY) + DAY)) : [];
      next = 0;
    }
    const lines: string[] = [];
    for (; next < departures.length && departures[next]!.departure < step + STEP; next++) {
      const flight = departures[next]!;
      lines.push(JSON.stringify(predictionOf(model, flight)));
      const label = labelOf(flight);
      if (label === null) continue;
      const bucket = Math.floor(label.at / STEP);
      const waiting = due.get(bucket);
      if (waiting === undefined) due.set(bucket, [JSON.stringify(label.event)]);
      else waiting.push(JSON.stringify(label.event));
    }
    const bucket = Math.floor(step / STEP);
    lines.push(...(due.get(bucket) ?? []));
    due.delete(bucket);
    const records = [];
    for (let i = 0; i < lines.length; i += EVENTS_PER_RECORD)
      records.push({ key: `flight-delay#${i}`, data: `${lines.slice(i, i + EVENTS_PER_RECORD).join('\n')}\n` });
    yield { at: step + STEP, records };
  }
}
