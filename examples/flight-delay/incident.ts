/** The scripted incident: for three days a producer sends distance in kilometres and drops the origin of 5 % of the events. */
import { DAY } from './flights.ts';
import type { Inputs } from './model.ts';

export const INCIDENT = {
  from: Date.UTC(2001, 2, 1),
  to: Date.UTC(2001, 2, 1) + 3 * DAY,
  description: 'scripted: a producer sends distance in kilometres and drops origin for 5 % of the events',
} as const;

const KILOMETRES_PER_MILE = 1.609344;
const DROPPED = 0.05;

/** What the producer sends: the inputs as they are, or as the incident spoils them. `draw` is uniform on 0..1. */
export function sent(inputs: Inputs, time: number, draw: number): Inputs {
  if (time < INCIDENT.from || time >= INCIDENT.to) return inputs;
  return {
    ...inputs,
    distance: inputs.distance === null ? null : Math.round(inputs.distance * KILOMETRES_PER_MILE),
    origin: draw < DROPPED ? null : inputs.origin,
  };
}
