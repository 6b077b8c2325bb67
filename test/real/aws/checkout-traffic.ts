/**
 * A made-up model that is judged every hour: amounts and countries of orders, and whether they were fraud. A month of reference data, and hours
 * of traffic, in which something can be wrong.
 */
import { draw } from '../../../examples/flight-delay/traffic.ts';

const HOUR = 3_600_000;
export const MODEL = 'checkout-fraud';
export const EVENTS_AN_HOUR = 300;

export const MONITOR = `model: ${MODEL}
owner: team-payments
task: binary-classification
positive: fraud
columns: { id: id, time: time, prediction: predicted, score: score, truth: truth, version: version }
features:
  amount: { type: numeric }
  country: { type: categorical }
baseline: { from: ${MODEL}-baseline.json }
window: { every: 1h, lateness: 5m, revise: 1h, minimumRows: 100 }
truth: { horizon: 3h, minimumCoverage: 0.5 }
budget: 1 per 30d
drift: { smallestEffect: medium, scales: [1h] }
alerts: { severity: { drift: critical } }
`;

export interface Order {
  readonly id: string;
  readonly time: number;
  readonly amount: number;
  readonly country: string;
  readonly score: number;
  readonly predicted: 'fraud' | 'fine';
  readonly truth: 'fraud' | 'fine';
}

/** Orders of an hour, in order of time. Equal for equal arguments. `wrong`: amounts come in cents. */
export function ordersOf(hour: number, wrong = false): Order[] {
  return Array.from({ length: EVENTS_AN_HOUR }, (_, i) => {
    const row = (hour / HOUR) * 1_000 + i;
    const time = hour + Math.floor((i * HOUR) / EVENTS_AN_HOUR);
    const amount = Math.round(-5_000 * Math.log(1 - draw(row, 11))) / 100;
    const pick = draw(row, 12);
    const score = Number((draw(row, 13) ** 3).toFixed(4));
    return {
      id: `o-${row}`,
      time,
      amount: wrong ? Math.round(amount * 100) : amount,
      country: pick < 0.5 ? 'DE' : pick < 0.8 ? 'FR' : 'ES',
      score,
      predicted: score >= 0.5 ? 'fraud' : 'fine',
      truth: draw(row, 14) < score ? 'fraud' : 'fine',
    };
  });
}

/** Reference data for `mlmon profile`. */
export function referenceCsv(from: number, hours: number): string {
  const lines = ['id,version,time,amount,country,score,predicted,truth'];
  for (let hour = 0; hour < hours; hour++)
    for (const { id, time, amount, country, score, predicted, truth } of ordersOf(from + hour * HOUR))
      lines.push([id, '1', new Date(time).toISOString(), amount, country, score, predicted, truth].join(','));
  return `${lines.join('\n')}\n`;
}

export function inferenceOf({ id, time, amount, country, score, predicted }: Order): Record<string, unknown> {
  return {
    ...{ id, type: 'inference', model: MODEL, version: '1', time: new Date(time).toISOString() },
    ...{ numeric: { amount }, categorical: { country }, score, predicted },
  };
}

/** The truth, an hour later. */
export function labelOf({ id, time, truth }: Order): Record<string, unknown> {
  return { id, type: 'label', model: MODEL, time: new Date(time + HOUR).toISOString(), truth };
}
