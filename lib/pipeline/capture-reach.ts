/**
 * How far the capture reaches, and where in it lies what arrived in a range of time: what the labeler asks of whoever writes it.
 * The archiver knows exactly. Of Firehose nobody is told what it has delivered: a delay is allowed for, and what it wrote last is
 * compared with what the profiler has seen, so that a delivery that stands still holds the labeler up instead of passing for silence.
 */
import { keys } from '../contracts/object-keys.ts';
import { archivedThrough } from './archiver.ts';
import { CaptureListing } from './capture-listing.ts';
import { readCursors } from './cursor.ts';
import type { Clock, EventLog, ObjectStore } from './ports.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface CaptureReach {
  /** Append time up to which everything is captured, milliseconds since 1970. */
  through(): Promise<number>;
  /** Start of the oldest hour that has anything; `null` when nothing was captured. */
  oldestHour(): Promise<number | null>;
  /**
   * Objects, or prefixes of objects, that hold what was appended in [from, to); what else they hold does no harm.
   * @param through as it was told: earlier hours grow no more
   */
  between(from: number, to: number, through: number): Promise<string[]>;
  /** To be called when something that was named is gone. */
  forget(): void;
}

/** What the archiver writes. */
export class ArchivedCapture extends CaptureListing implements CaptureReach {
  private readonly ports: { readonly log: EventLog; readonly store: ObjectStore; readonly clock: Clock };

  constructor(ports: { readonly log: EventLog; readonly store: ObjectStore; readonly clock: Clock }) {
    super(ports.store);
    this.ports = ports;
  }

  through(): Promise<number> {
    return archivedThrough(this.ports.log, this.ports.store, this.ports.clock);
  }
}

export interface DeliveredOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** After so long what was appended is surely delivered, milliseconds: the buffer of the delivery and what it may lag. */
  readonly delayMs: number;
}

/** What Firehose delivers: nothing is listed but the newest hours, and what was redriven. */
export class DeliveredCapture implements CaptureReach {
  private readonly options: DeliveredOptions;
  private oldest: number | null = null;

  constructor(options: DeliveredOptions) {
    this.options = options;
  }

  async through(): Promise<number> {
    const { store, clock, delayMs } = this.options;
    const now = clock.now();
    const expected = now - delayMs;
    const profiled = Math.max(
      Number.NEGATIVE_INFINITY,
      ...(await readCursors(store)).map(({ cursor }) => cursor.appendTime ?? Number.NEGATIVE_INFINITY),
    );
    const newest = await this.newest(now);
    if (newest !== null && profiled <= newest + delayMs) return expected;
    if (newest === null && profiled < expected - DAY) return expected;
    // Delivery stands still, or has only begun. What is not there after a day is not waited for: completeness tells of it.
    return Math.max(expected - DAY, Math.min(expected, newest ?? Number.NEGATIVE_INFINITY));
  }

  async oldestHour(): Promise<number | null> {
    this.oldest ??= await new CaptureListing(this.options.store).oldestHour();
    return this.oldest;
  }

  async between(from: number, to: number): Promise<string[]> {
    const { clock, delayMs } = this.options;
    const until = Math.min(clock.now(), to + DAY);
    const hours: string[] = [];
    // A delivery that lagged, or the hour of an object's oldest record: both put a record into another hour than its own.
    const first = Math.max(from - delayMs, (await this.oldestHour()) ?? from);
    for (let hour = floor(first); hour <= until; hour += HOUR) hours.push(keys.captureHour(hour));
    return [...hours, ...(await this.redriven(floor(first), until))];
  }

  forget(): void {
    this.oldest = null;
  }

  /** The hours that have redriven lines: few, mostly none. */
  private async redriven(from: number, until: number): Promise<string[]> {
    const { store } = this.options;
    const hours: string[] = [];
    const last = keys.redrivenHour(until);
    // Nothing in the folder of the first hour is skipped: `/` precedes what its objects are named with.
    let after = keys.redrivenHour(from);
    for (;;) {
      const [key] = await store.list(keys.allRedriven(), { after, limit: 1 });
      const hour = key?.slice(0, key.lastIndexOf('/') + 1);
      if (hour === undefined || hour > last) return hours;
      hours.push(hour);
      after = `${hour.slice(0, -1)}0`;
    }
  }

  /** When the newest object began to collect; `null` when nothing was delivered for a day. */
  private async newest(now: number): Promise<number | null> {
    for (let hour = floor(now); hour > now - DAY; hour -= HOUR) {
      let newest: number | null = null;
      for (let after: string | undefined; ; ) {
        const page = await this.options.store.list(keys.captureHour(hour), { after });
        for (const key of page) newest = Math.max(newest ?? hour, begunAt(key) ?? Math.min(now, hour + HOUR));
        after = page.at(-1);
        if (page.length < 1_000) break;
      }
      if (newest !== null) return newest;
    }
    return null;
  }
}

/** From the name that Firehose gives: `<stream>-<version>-YYYY-MM-DD-HH-MM-SS-<id>`. */
function begunAt(key: string): number | null {
  const match = /-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-[^/]*$/.exec(key);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? null : at;
}

function floor(ms: number): number {
  return Math.floor(ms / HOUR) * HOUR;
}
