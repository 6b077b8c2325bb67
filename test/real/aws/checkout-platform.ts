/** A deployed platform that is fed with orders by the hour, half by the collector and half by a producer, and what it made of them. */
import { GetQueryExecutionCommand, GetQueryResultsCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../../../lib/contracts/result.ts';
import { eventually } from '../programs.ts';
import { type Credentials, signedRequest } from './caller.ts';
import { EVENTS_AN_HOUR, inferenceOf, labelOf, MODEL, type Order, ordersOf } from './checkout-traffic.ts';
import { Clients, type Outputs } from './deployment.ts';
import type { Emulator } from './emulator.ts';
import type { Receivers } from './receivers.ts';

export const HOUR = 3_600_000;
export const MINUTE = 60_000;
/** Milliseconds between two orders, so that they are spread over what a deployment takes. */
const PAUSE = 150;
/** Lateness, the batching window, and a minute for those who look. */
const AFTER_THE_HOUR = [2, 7, 8];

export interface Sender {
  /** Events or labels through the collector, which must take them all. */
  collect(events: readonly Record<string, unknown>[], kind: 'inference' | 'label'): Promise<void>;
}

/** Signs requests to the address of the collector's function. */
export function signingSender(emulator: Emulator, url: string, credentials: Credentials): Sender {
  return {
    async collect(events, kind) {
      const { status, body } = await signedRequest(emulator, `${url}${pathOf(kind)}`, credentials, {
        contentType: 'application/cloudevents+json',
        body: envelope(events, kind),
      });
      if (status !== 202) throw new Error(`the collector answered ${status}: ${body}`);
    },
  };
}

export const pathOf = (kind: 'inference' | 'label'): string => (kind === 'inference' ? 'v1/events' : 'v1/labels');

export function envelope(events: readonly Record<string, unknown>[], kind: 'inference' | 'label'): string {
  return JSON.stringify({
    ...{ specversion: '1.0', id: `${events[0]?.['id']}-${kind}`, source: 'checkout', type: `ml.${kind}.v1` },
    data: events,
  });
}

export class CheckoutPlatform {
  readonly clients: Clients;
  readonly #emulator: Emulator;
  readonly #receivers: Receivers;
  readonly #start: number;
  outputs: Outputs = {};
  sender: Sender | undefined;

  /** @param start of hour 0, milliseconds since 1970 */
  constructor(emulator: Emulator, receivers: Receivers, start: number) {
    this.clients = new Clients(emulator);
    this.#emulator = emulator;
    this.#receivers = receivers;
    this.#start = start;
  }

  get bucket(): string {
    return this.outputs['BucketName'] ?? '';
  }

  hour(n: number): number {
    return this.#start + n * HOUR;
  }

  async collect(orders: readonly Order[]): Promise<void> {
    await this.sender?.collect(orders.map(inferenceOf), 'inference');
  }

  /** Straight to the stream, fifteen events a record. */
  produce(events: readonly Record<string, unknown>[]): Promise<void> {
    const records = [];
    for (let i = 0; i < events.length; i += 15)
      records.push({
        key: `${MODEL}#${i % 7}`,
        data: events
          .slice(i, i + 15)
          .map((event) => `${JSON.stringify(event)}\n`)
          .join(''),
      });
    return this.clients.put(this.outputs['StreamName'] ?? '', records);
  }

  /** An hour of orders and the labels of the one before; then what became due. */
  async passHour(n: number, wrong = false): Promise<void> {
    const orders = ordersOf(this.hour(n), wrong);
    const half = EVENTS_AN_HOUR / 2;
    await this.#emulator.clock(this.hour(n) + 30 * MINUTE);
    await this.collect(orders.slice(0, half));
    await this.#emulator.clock(this.hour(n + 1) - MINUTE);
    await this.produce(orders.slice(half).map(inferenceOf));
    await this.endHour(n);
  }

  /** The labels of the hour before, and what became due. */
  async endHour(n: number): Promise<void> {
    if (n > 0) await this.produce(ordersOf(this.hour(n - 1)).map(labelOf));
    for (const minute of AFTER_THE_HOUR) {
      await this.#emulator.clock(this.hour(n + 1) + minute * MINUTE);
      await this.#emulator.tick();
    }
  }

  /** An hour of orders, one by one for as long as something else takes: by turns to the collector and to the stream. The rest comes at its end. */
  async passHourDuring<T>(n: number, wrong: boolean, something: () => Promise<T>): Promise<T> {
    const orders = ordersOf(this.hour(n), wrong);
    let isOver = false;
    const sending = (async () => {
      let sent = 0;
      for (; sent < orders.length - 1 && !isOver; sent++) {
        const order = orders[sent]!;
        await this.#emulator.clock(order.time);
        if (sent % 2 === 0) await this.collect([order]);
        else await this.produce([inferenceOf(order)]);
        if (sent % 10 === 9) await this.#emulator.beat();
        await new Promise((again) => setTimeout(again, PAUSE));
      }
      // At least one comes after the change.
      await this.#emulator.clock(this.hour(n + 1) - MINUTE);
      await this.produce(orders.slice(sent).map(inferenceOf));
      return sent;
    })();
    try {
      return await something();
    } finally {
      isOver = true;
      const sent = await sending;
      process.stdout.write(`${sent} of ${orders.length} orders were sent one by one meanwhile\n`);
      await this.endHour(n);
    }
  }

  /** Texts in Slack that name it, oldest first. */
  told(what: string): readonly string[] {
    return this.#receivers
      .at('/slack')
      .map(({ text }) => String(text))
      .filter((text) => text.includes(what));
  }

  /** The latest revision. */
  result(n: number): Promise<WindowResult> {
    return this.#latest<WindowResult>(n, 'r');
  }

  performance(n: number): Promise<PerformanceResult> {
    return this.#latest<PerformanceResult>(n, 'performance-r');
  }

  async #latest<T>(n: number, kind: string): Promise<T> {
    const revision = (key: string): number => Number(/r(\d+)\.json$/.exec(key)?.[1]);
    const found = await this.clients.keys(this.bucket, `${keys.results(MODEL, '1', this.hour(n))}1h/${kind}`);
    const [latest] = found.sort((a, b) => revision(b) - revision(a));
    if (latest === undefined) throw new Error(`hour ${n} has no ${kind}`);
    return this.clients.json<T>(this.bucket, latest);
  }

  /** Answers of a query, without the line of names. */
  async rows(sql: string): Promise<(string | undefined)[][]> {
    const { athena } = this.clients;
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: this.outputs['Workgroup'] }),
    );
    await eventually(
      () => athena.send(new GetQueryExecutionCommand({ QueryExecutionId })),
      ({ QueryExecution }) => /SUCCEEDED|FAILED/.test(QueryExecution?.Status?.State ?? ''),
    );
    const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
    return (ResultSet?.Rows ?? []).slice(1).map(({ Data }) => (Data ?? []).map(({ VarCharValue }) => VarCharValue));
  }

  destroy(): void {
    this.clients.destroy();
  }
}
