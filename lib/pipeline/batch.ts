/**
 * What one batch of records of a partition adds: profiles by model, version, grain, stage and shape, and the ledger. It is a function of
 * the records alone (and of what was published), so a retry of the same records makes the same pack.
 */
import { createHash } from 'node:crypto';
import { EVENT_LIMITS, type QuarantineReason } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import { type ReadEvent, readRecord, recordLine } from '../engine/event-reader.ts';
import { encodePack, type LedgerRow, type PackEntry } from '../engine/pack.ts';
import { Profile } from '../engine/profile.ts';
import type { Shape } from '../engine/shape.ts';
import { addTotals, EMPTY_TOTALS, HOUR_MS, type LedgerTotals } from './cursor.ts';
import { holdsBack } from './field-policy.ts';
import { breachOf } from './policy-breach.ts';
import type { LogRecord, Position } from './ports.ts';
import { QuarantineBatch } from './quarantine.ts';
import type { Registry } from './registry.ts';
import type { Timeline } from './timeline.ts';

export const BATCH_LIMITS = {
  /** Hours of event time that one record may touch; events of further hours are quarantined as `too-large`. */
  hoursPerRecord: 1_000,
  /** A batch ends after the record that reached this many hours, or profiles. */
  hours: 1_000,
  profiles: 4_000,
} as const;

/** Profiles of one grain of one version, and what its records are judged by. */
interface Grain {
  readonly start: number;
  /** Event times [from, to) that surely belong here. */
  readonly from: number;
  readonly to: number;
  readonly shape: Shape;
  readonly timeline: Timeline | null;
  /** Append times from which a record is too late for scale i. */
  readonly deadlines: readonly number[];
  readonly beyondFrom: number;
  /** By stage. */
  readonly profiles: (Profile | undefined)[];
  /** The record that touched it last. */
  touched: number;
}

interface Counts {
  received: number;
  beyond: number;
  labels: number;
  quarantined: Partial<Record<QuarantineReason, number>>;
}

/** One version of one model within the batch; model '' stands for input that names no known model. */
interface Slot {
  readonly model: string;
  readonly version: string;
  /** By grain start and shape. */
  readonly grains: Map<string, Grain>;
  grain: Grain | null;
  /** By hour of append time. */
  readonly ledger: Map<number, Counts>;
  counts: Counts | null;
  countsHour: number;
}

export class Batch {
  readonly #registry: Registry;
  readonly #slots = new Map<string, Map<string, Slot>>();
  readonly #partition: string;
  readonly #hours = new Set<number>();
  readonly #recordHours = new Set<number>();
  readonly quarantine: QuarantineBatch;
  #lastSlot: Slot | null = null;
  #profiles = 0;
  #records = 0;
  #first: LogRecord | null = null;
  #record: LogRecord | null = null;

  constructor(registry: Registry, partition: string) {
    this.#registry = registry;
    this.#partition = partition;
    this.quarantine = new QuarantineBatch(partition);
  }

  get records(): number {
    return this.#records;
  }

  /** It should be committed before more is added. */
  get isFull(): boolean {
    return this.#hours.size >= BATCH_LIMITS.hours || this.#profiles >= BATCH_LIMITS.profiles;
  }

  /** Position of the last record added; `null` when empty. */
  get through(): Position | null {
    return this.#record?.position ?? null;
  }

  /** Append time of the last record added. */
  get appendTime(): number {
    return this.#record?.appendTime ?? Number.NEGATIVE_INFINITY;
  }

  /** Starts of the hours of event time with rows, milliseconds. */
  get hours(): ReadonlySet<number> {
    return this.#hours;
  }

  add(record: LogRecord): void {
    this.#first ??= record;
    this.#record = record;
    this.#records++;
    this.#recordHours.clear();
    readRecord(record.data, this.#onEvent, this.#onRejection);
  }

  /** The pack and its key; `null` when there is nothing to keep. */
  pack(): { readonly key: string; readonly body: Uint8Array } | null {
    const first = this.#first;
    if (first === null || this.#record === null) return null;
    const body = encodePack(this.#entries(), this.ledger());
    const digest = createHash('sha256').update(body).digest('hex');
    const key = keys.pack(first.appendTime, this.#partition, first.position, this.#record.position, digest);
    return { key, body };
  }

  /** By model, version and hour of append time. */
  ledger(): LedgerRow[] {
    const rows: LedgerRow[] = [];
    for (const { model, version, ledger } of this.#allSlots())
      for (const [hour, counts] of ledger) rows.push({ model, version, hour, ...counts });
    return rows.sort((a, b) => order(a.model, b.model) || order(a.version, b.version) || a.hour - b.hour);
  }

  totals(): LedgerTotals {
    let totals = EMPTY_TOTALS;
    for (const { received, beyond, labels, quarantined } of this.ledger()) {
      const refused = Object.values(quarantined).reduce((sum, count) => sum + (count ?? 0), 0);
      const profiled = received - beyond - labels - refused;
      totals = addTotals(totals, { received, profiled, beyond, labels, quarantined, lost: 0 });
    }
    return totals;
  }

  #entries(): PackEntry[] {
    const entries: PackEntry[] = [];
    for (const { model, version, grains } of this.#allSlots())
      for (const { start, shape, profiles } of grains.values())
        for (const [stage, profile] of profiles.entries())
          if (profile !== undefined)
            entries.push({
              model,
              version,
              grainStart: start,
              stage,
              shapeDigest: shape.digest,
              rows: profile.rows,
              body: profile.encode(),
            });
    return entries;
  }

  *#allSlots(): Generator<Slot> {
    for (const versions of this.#slots.values()) yield* versions.values();
  }

  readonly #onRejection: Parameters<typeof readRecord>[2] = ({ reason, detail }, { bytes }) => {
    this.#reject(this.#slot('', ''), reason, detail, bytes);
  };

  readonly #onEvent = (event: ReadEvent, index: number): void => {
    const { appendTime } = this.#record as LogRecord;
    const { model, version, timeMs } = event;
    if (event.kind === 'label') {
      if (this.#registry.monitorAt(model, timeMs) === null) this.#rejectUnknown(event, index);
      else this.#count(this.#slot(model, version ?? ''), appendTime).labels++;
      return;
    }
    if (timeMs > appendTime + EVENT_LIMITS.futureMs) {
      const isKnown = this.#registry.timeline(model) !== null;
      const detail = `time: ${timeText(timeMs)} is more than five minutes after it was received, ${timeText(appendTime)}`;
      this.#reject(
        isKnown ? this.#slot(model, version ?? '') : this.#slot('', ''),
        'future',
        detail,
        this.#line(index),
      );
      return;
    }
    const slot = this.#slot(model, version ?? '');
    let grain = slot.grain;
    if (grain === null || timeMs < grain.from || timeMs >= grain.to) {
      grain = this.#grain(slot, timeMs);
      if (grain === null) {
        this.#rejectUnknown(event, index);
        return;
      }
      slot.grain = grain;
    }
    const breach = breachOf(grain.shape, event, grain.timeline);
    if (breach !== null) {
      this.#reject(slot, 'policy', breach, this.#line(index));
      return;
    }
    if (appendTime >= grain.beyondFrom) {
      this.#count(slot, appendTime).beyond++;
      return;
    }
    if (grain.touched !== this.#records && !this.#touch(grain)) {
      const detail = `one record with events of more than ${BATCH_LIMITS.hoursPerRecord} hours; send records that belong together`;
      this.#reject(slot, 'too-large', detail, this.#line(index));
      return;
    }
    const { deadlines, profiles } = grain;
    let stage = 0;
    while (stage < deadlines.length && appendTime >= (deadlines[stage] as number)) stage++;
    let profile = profiles[stage];
    if (profile === undefined) {
      profile = new Profile(grain.shape);
      profiles[stage] = profile;
      this.#profiles++;
      this.#hours.add(Math.floor(grain.start / HOUR_MS) * HOUR_MS);
    }
    profile.fold(event);
    this.#count(slot, appendTime);
  };

  /** Whether the record may still touch this grain's hour. A function of the record alone. */
  #touch(grain: Grain): boolean {
    const hour = Math.floor(grain.start / HOUR_MS);
    if (this.#recordHours.size >= BATCH_LIMITS.hoursPerRecord && !this.#recordHours.has(hour)) return false;
    this.#recordHours.add(hour);
    grain.touched = this.#records;
    return true;
  }

  #grain(slot: Slot, timeMs: number): Grain | null {
    const resolved = this.#registry.shapeFor(slot.model, slot.version, timeMs);
    if (resolved === null) return null;
    const { windows } = resolved.shape;
    const start = windows.grainStart(timeMs);
    // Changes lie on window boundaries, so a grain has one shape; one that was forced elsewhere gives it two.
    const name = `${start}/${resolved.shape.digest}`;
    const present = slot.grains.get(name);
    if (present !== undefined) return present;
    const deadlines = windows.scales.map(({ index }) => windows.scaleWindow(index, timeMs).end + windows.latenessMs);
    const grain: Grain = {
      start,
      from: Math.max(start, resolved.from),
      to: Math.min(windows.grainEnd(timeMs), resolved.to),
      shape: resolved.shape,
      timeline: this.#registry.timeline(slot.model),
      deadlines,
      beyondFrom: (deadlines[0] ?? Number.POSITIVE_INFINITY) + windows.reviseMs,
      profiles: [],
      touched: 0,
    };
    slot.grains.set(name, grain);
    return grain;
  }

  #slot(model: string, version: string): Slot {
    const last = this.#lastSlot;
    if (last !== null && last.model === model && last.version === version) return last;
    let versions = this.#slots.get(model);
    if (versions === undefined) {
      versions = new Map();
      this.#slots.set(model, versions);
    }
    let slot = versions.get(version);
    if (slot === undefined) {
      slot = { model, version, grains: new Map(), grain: null, ledger: new Map(), counts: null, countsHour: -1 };
      versions.set(version, slot);
    }
    this.#lastSlot = slot;
    return slot;
  }

  /** Counts one event as received. */
  #count(slot: Slot, appendTime: number): Counts {
    const hour = appendTime - (appendTime % HOUR_MS);
    if (slot.counts === null || slot.countsHour !== hour) {
      let counts = slot.ledger.get(hour);
      if (counts === undefined) {
        counts = { received: 0, beyond: 0, labels: 0, quarantined: {} };
        slot.ledger.set(hour, counts);
      }
      slot.counts = counts;
      slot.countsHour = hour;
    }
    slot.counts.received++;
    return slot.counts;
  }

  #rejectUnknown(event: ReadEvent, index: number): void {
    const detail = `${event.model}: no monitor declares it for events of ${timeText(event.timeMs)}`;
    // Names that nobody declared are not kept apart: anybody could invent any number of them.
    this.#reject(this.#slot('', ''), 'unknown-model', detail, this.#line(index));
  }

  #reject(slot: Slot, reason: QuarantineReason, detail: string, input: Uint8Array): void {
    const { position, appendTime } = this.#record as LogRecord;
    const { quarantined } = this.#count(slot, appendTime);
    quarantined[reason] = (quarantined[reason] ?? 0) + 1;
    if (this.#mayKeep(slot.model, reason)) this.quarantine.add({ position, appendTime, reason, detail, input });
    else this.quarantine.add({ position, appendTime, reason, detail: withoutInput(reason, detail), input: '' });
  }

  /** Whether the input may be kept with its reason: some monitor may hold back what stands in it. */
  #mayKeep(model: string, reason: QuarantineReason): boolean {
    if (reason === 'policy') return false;
    if (model === '') return !this.#registry.holdsBack();
    return !(this.#registry.timeline(model)?.monitors.some(({ monitor }) => holdsBack(monitor)) ?? false);
  }

  #line(index: number): Uint8Array {
    return recordLine((this.#record as LogRecord).data, index);
  }
}

/** A detail that quotes nothing. */
function withoutInput(reason: QuarantineReason, detail: string): string {
  if (reason === 'json') return 'not readable as one JSON object a line';
  if (reason !== 'schema') return detail;
  const [, path, expected] = /^([\w.]+): .*; (expected [^;]*)$/s.exec(detail) ?? [];
  return path === undefined || expected === undefined ? 'not an event' : `${path}: is not valid; ${expected}`;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
