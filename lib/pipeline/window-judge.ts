/** One window of one model version: gathers its rows, has them judged, and words the result. */
import type { WindowResult } from '../contracts/result.ts';
import { version as engineVersion } from '../contracts/version.ts';
import type { PackIndexEntry } from '../engine/pack.ts';
import { Profile } from '../engine/profile.ts';
import type { Shape } from '../engine/shape.ts';
import { coverGroup, type Group, type GroupSource } from './grain-sources.ts';
import { addProfiles } from './merge-profiles.ts';
import { isUnreadable, type PackReader } from './pack-reader.ts';
import type { Resolved } from './registry.ts';
import type { ScheduledWindow } from './window-schedule.ts';

export interface JudgeInput {
  readonly shape: Shape;
  readonly profile: Profile;
  readonly scale: { readonly name: string; readonly index: number; readonly start: number; readonly end: number };
  /** Rows by the start of the grain they came from, ascending. */
  readonly parts: readonly { readonly start: number; readonly rows: number }[];
}

/** What the engine makes of a window's counts. Pure. */
export type Judgement = Pick<
  WindowResult,
  'status' | 'features' | 'quality' | 'volume' | 'latency' | 'segments' | 'null' | 'reason'
>;

export type Judge = (input: JudgeInput) => Judgement;

export interface WindowRequest {
  readonly model: string;
  readonly version: string;
  readonly window: ScheduledWindow;
  readonly resolved: Resolved;
  readonly revision: number;
  /** Everything known of the version within the window, under any shape. */
  readonly groups: readonly Group[];
  /** Why not all of it could be read; the window is `failed` then. */
  readonly unreadable: Error | null;
  readonly partitions: { readonly seen: number; readonly all: number };
  /** Why a baseline that should be learned by then is not; `null` otherwise. */
  readonly held?: string | null;
  readonly now: number;
}

const NOTHING: Judgement = {
  status: 'failed',
  features: [],
  quality: [],
  volume: null,
  latency: null,
  segments: [],
  null: 'independent',
};

/**
 * The result of a window. Its first revision counts what was on time, later ones all rows. Statistics depend on the rows alone.
 * A window that not all partitions were seen of is `stale`; one whose packs cannot be read, or that cannot be judged, is `failed`.
 */
export async function judgeRequest(request: WindowRequest, reader: PackReader, judge: Judge): Promise<WindowResult> {
  const { window, resolved, revision, partitions } = request;
  const { shape } = resolved;
  const { start, end, length, scale } = window;
  let gathered: Gathered;
  let verdict: Judgement;
  try {
    gathered = await gather(request, reader);
    const { profile, parts } = gathered;
    verdict =
      partitions.seen < partitions.all
        ? { ...NOTHING, status: 'stale', reason: staleReason(partitions) }
        : attempt(() => judge({ shape, profile, parts, scale: { name: length, index: scale, start, end } }));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    gathered = {
      profile: new Profile(shape),
      inputs: [],
      parts: [],
      rows: { onTime: 0, revising: 0, otherBaseline: 0 },
    };
    verdict = { ...NOTHING, reason: (error as Error).message.slice(0, 300) };
  }
  const { profile, inputs, rows } = gathered;
  if (resolved.baseline?.provisional === true)
    verdict = { ...verdict, features: verdict.features.map((feature) => ({ ...feature, provisional: true })) };
  if (verdict.status === 'learning' && request.held != null) verdict = { ...verdict, reason: request.held };
  return {
    schema: 'mlmon.result/v1',
    model: request.model,
    version: request.version,
    start: timeText(start),
    end: timeText(end),
    length,
    base: scale === 0,
    segment: null,
    rows: profile.rows,
    weightedRows: profile.weightedRows,
    ...verdict,
    provenance: {
      revision,
      inputs,
      monitor: resolved.monitorN,
      baseline: resolved.baseline,
      engine: engineVersion,
      evaluatedAt: timeText(request.now),
      rows,
      partitions,
    },
  };
}

interface Gathered {
  readonly profile: Profile;
  readonly inputs: readonly string[];
  readonly parts: readonly { readonly start: number; readonly rows: number }[];
  readonly rows: { onTime: number; revising: number; otherBaseline: number };
}

async function gather(request: WindowRequest, reader: PackReader): Promise<Gathered> {
  const { window, resolved, revision, groups, unreadable } = request;
  if (unreadable !== null) throw unreadable;
  const { shape } = resolved;
  const takes = (entry: PackIndexEntry): boolean => revision > 0 || entry.stage <= window.scale;
  const profile = new Profile(shape);
  const inputs = new Set<string>();
  const parts = new Map<number, number>();
  const rows = { onTime: 0, revising: 0, otherBaseline: 0 };
  for (const group of groups) {
    const sources = (await coverGroup(group, reader)).filter(({ entries }) => entries.some(takes));
    if (group.shapeDigest !== shape.digest) {
      rows.otherBaseline += rowsOf(sources, takes);
      continue;
    }
    rows.onTime += rowsOf(sources, (entry) => takes(entry) && entry.stage <= window.scale);
    rows.revising += rowsOf(sources, (entry) => takes(entry) && entry.stage > window.scale);
    for (const { key } of sources) inputs.add(key);
    const counted = rowsOf(sources, takes);
    if (counted > 0) parts.set(group.grainStart, (parts.get(group.grainStart) ?? 0) + counted);
    await addProfiles(profile, shape, reader, { sources, take: takes });
  }
  const byGrain = [...parts].sort(([a], [b]) => a - b).map(([start, count]) => ({ start, rows: count }));
  return { profile, inputs: [...inputs].sort(), parts: byGrain, rows };
}

/** Judging is pure: what fails once would fail again, so the window says so and the others go on. */
function attempt(judge: () => Judgement): Judgement {
  try {
    return judge();
  } catch (error) {
    return { ...NOTHING, reason: `could not be judged: ${String(error).slice(0, 300)}` };
  }
}

/** Rows under the judged shape, whatever their stage: what the next revision would count. */
export async function rowsKnown(groups: readonly Group[], digest: string, reader: PackReader): Promise<number> {
  let rows = 0;
  for (const group of groups)
    if (group.shapeDigest === digest) rows += rowsOf(await coverGroup(group, reader), () => true);
  return rows;
}

/** The part of a result that depends on the accepted records alone, in canonical bytes. */
export function statisticsBytes(result: WindowResult): string {
  const { provenance, ...statistics } = result;
  void provenance;
  return JSON.stringify(statistics);
}

function rowsOf(sources: readonly GroupSource[], take: (entry: PackIndexEntry) => boolean): number {
  return sources.reduce(
    (sum, { entries }) => sum + entries.reduce((rows, entry) => rows + (take(entry) ? entry.rows : 0), 0),
    0,
  );
}

function staleReason({ seen, all }: { seen: number; all: number }): string {
  return `only ${seen} of ${all} partitions have been read up to the end of the window`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
