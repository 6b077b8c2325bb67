/** Flights as events and labels. Everything that looks random is drawn from the flight's row, so two replays are equal. */
import type { InferenceEvent, LabelEvent } from '../../lib/contracts/event.ts';
import { type Flight, LATE_AFTER } from './flights.ts';
import { sent } from './incident.ts';
import { inputsOf, type Model, score } from './model.ts';

/** Labels that never come. */
const LOST_LABELS = 0.04;
const HOUR = 3_600_000;

export function predictionOf(model: Model, flight: Flight): InferenceEvent {
  const inputs = sent(inputsOf(flight), flight.departure, draw(flight.row, 1));
  const probability = Number(score(model, inputs).toFixed(6));
  return {
    id: `f-${flight.row}`,
    type: 'inference',
    model: 'flight-delay',
    version: model.version,
    time: new Date(flight.departure).toISOString(),
    numeric: { distance: inputs.distance, hour: inputs.hour },
    categorical: { origin: inputs.origin, destination: inputs.destination },
    score: probability,
    predicted: probability >= model.cutoff ? 'late' : 'on-time',
    latency_ms: latency(flight.row),
  };
}

export function truthOf(flight: Flight): 'late' | 'on-time' {
  return flight.delay > LATE_AFTER ? 'late' : 'on-time';
}

/** The label and when it comes: hours after landing. `null` for the few that never come. */
export function labelOf(flight: Flight): { readonly at: number; readonly event: LabelEvent } | null {
  if (draw(flight.row, 2) < LOST_LABELS) return null;
  // Half an hour on the ground and 7.5 miles a minute in the air, then 1 to 19 hours until the airline reports.
  const landed = flight.departure + (30 + flight.distance / 7.5 + Math.max(0, flight.delay)) * 60_000;
  const at = Math.round(landed + (1 + 18 * draw(flight.row, 3) ** 2) * HOUR);
  const event: LabelEvent = {
    id: `f-${flight.row}`,
    type: 'label',
    model: 'flight-delay',
    time: new Date(at).toISOString(),
    truth: truthOf(flight),
  };
  return { at, event };
}

/** Simulated serving time, milliseconds: log-normal with a median of 12 and a 99th percentile near 50. */
function latency(row: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - draw(row, 4))) * Math.cos(2 * Math.PI * draw(row, 5));
  return Number((12 * Math.exp(0.6 * normal)).toFixed(3));
}

/** Uniform on [0, 1), from the row and the purpose (the finaliser of MurmurHash3). */
export function draw(row: number, purpose: number): number {
  let h = (Math.imul(row, 0x9e3779b1) ^ Math.imul(purpose, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4_294_967_296;
}
