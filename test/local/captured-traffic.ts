/** Events of half a day that are hard to count, and a monitor that learns from them. */
import { type Monitor, type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { seeded } from '../pipeline/simulation.ts';

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const START = Date.parse('2001-02-05T00:00:00Z');
export const HOURS = 12;

export interface Sent {
  readonly at: number;
  readonly line: Uint8Array;
}

const instant = (ms: number): string => new Date(ms).toISOString();

/** Numbers of all sizes, categories that are hard to quote, gaps, events sent twice, halves, late labels. */
export function traffic(task: Monitor['task']): Sent[] {
  const random = seeded(11);
  const sent: Sent[] = [];
  const send = (at: number, event: object): void => {
    sent.push({ at, line: new TextEncoder().encode(JSON.stringify({ model: 'm', arrival: instant(at), ...event })) });
  };
  for (let hour = 0; hour < HOURS; hour++)
    for (let i = 0; i < 60; i++) {
      const time = START + hour * HOUR + i * MINUTE;
      const id = `${hour}-${i}`;
      const x = random() * 20 - 10;
      const base = { id, version: '2', time: instant(time) };
      const said = task === 'regression' ? Number((x * 2).toFixed(3)) : random() < 0.4 ? 'yes' : 'no';
      const prediction = { score: Number(random().toFixed(4)), predicted: said };
      const features = {
        numeric: {
          x: i % 17 === 0 ? null : x,
          whole: Math.floor(random() * 6),
          time: Math.exp(20 * random()) * (hour === 8 ? 1e6 : 1),
          never: null,
        },
        categorical: {
          "o'clock": ['a', "it's", '"quoted"', 'größe', '{capture}', ' '][Math.floor(random() * 6)],
          rare: `r-${Math.floor(random() ** 4 * 300)}`,
        },
      };
      const weight = i % 4 === 0 ? 2.5 : 1;
      if (i % 5 === 0) {
        send(time + MINUTE, { type: 'request', ...base, ...features });
        send(time + 2 * MINUTE, { type: 'response', id, version: '2', time: instant(time), ...prediction });
      } else send(time + MINUTE, { type: 'inference', ...base, ...features, ...prediction, weight });
      if (i % 7 === 0) send(time + 3 * MINUTE, { type: 'inference', ...base, ...features, numeric: { x: 1e9 } });
      if (i % 3 > 0)
        send(time + 4 * MINUTE, {
          type: 'label',
          id,
          time: instant(time),
          truth: task === 'regression' ? String(x) : random() < 0.5 ? 'yes' : 'no',
        });
    }
  return sent.sort((a, b) => a.at - b.at);
}

export function monitorOf(change: Partial<MonitorInput>): Monitor {
  const { monitor, problems } = parseMonitor({
    model: 'm',
    baseline: { learn: '12h' },
    features: {
      x: { type: 'numeric' },
      whole: { type: 'numeric' },
      time: { type: 'numeric' },
      never: { type: 'numeric' },
      "o'clock": { type: 'categorical' },
      rare: { type: 'categorical' },
      secret: { type: 'numeric', policy: 'drop' },
    },
    window: { every: '2h' },
    ...change,
  });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

export const SPAN = { from: START, to: START + HOURS * HOUR };
export const LEFT_OUT = [{ from: START + 8 * HOUR, to: START + 10 * HOUR }];
