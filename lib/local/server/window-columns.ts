/** The counts behind a result, gathered again from profiles and packs when somebody looks at a feature closely. */
import type { DistributionView } from '../../contracts/api.ts';
import type { TestResult, WindowResult } from '../../contracts/result.ts';
import { otherTests } from '../../engine/other-tests.ts';
import { Profile } from '../../engine/profile.ts';
import type { Shape } from '../../engine/shape.ts';
import { binWindow, verdictBins } from '../../engine/verdict-bins.ts';
import { binLabel } from '../../engine/verdict-words.ts';
import { readCursors } from '../../pipeline/cursor.ts';
import {
  addOpenGroups,
  addStoredGroups,
  coverGroup,
  type Group,
  hoursOf,
  listProfiles,
  openPacks,
} from '../../pipeline/grain-sources.ts';
import { addProfiles } from '../../pipeline/merge-profiles.ts';
import type { PackReader } from '../../pipeline/pack-reader.ts';
import type { ObjectStore } from '../../pipeline/ports.ts';
import type { Registry } from '../../pipeline/registry.ts';

/** Windows whose merged profile is kept: somebody walks through the features of one window. */
const KEPT = 4;
/** Bars shown; the smallest of the rest are drawn together. */
const BARS = 40;

export class WindowColumns {
  readonly #store: ObjectStore;
  readonly #registry: Registry;
  readonly #reader: PackReader;
  readonly #profiles = new Map<string, { readonly shape: Shape; readonly profile: Promise<Profile> }>();

  constructor(options: { readonly store: ObjectStore; readonly registry: Registry; readonly reader: PackReader }) {
    this.#store = options.store;
    this.#registry = options.registry;
    this.#reader = options.reader;
  }

  /** One column closely: bars, baseline against window, and every test that fits; `null` when there is no baseline or the profiles are gone. */
  async look(
    result: WindowResult,
    name: string,
  ): Promise<{ readonly distribution: DistributionView; readonly tests: readonly TestResult[] } | null> {
    const merged = await this.#profile(result);
    if (merged === null) return null;
    const { shape, profile } = merged;
    const column = shape.columns.find((one) => one.name === name);
    if (column === undefined || column.baseline === null) return null;
    const bins = verdictBins(column.baseline);
    const counts = profile.column(column.index);
    const window = binWindow(bins, counts);
    if (window === null) return null;
    const current = sum(window.counts);
    const bars = Array.from({ length: bins.size }, (_, bin) => ({
      label: binLabel(column.baseline!, bins, bin),
      reference: bins.rows === 0 ? 0 : bins.baseline[bin]! / bins.rows,
      current: current === 0 ? 0 : window.counts[bin]! / current,
      special: bin >= bins.values || (bins.type === 'numeric' && (bin === 0 || bin === bins.values - 1)),
    })).filter(({ reference, current: share, special }) => !special || reference > 0 || share > 0);
    const shown = shortened(bars).map(({ label, reference, current: share }) => ({ label, reference, current: share }));
    return { distribution: { bins: shown }, tests: otherTests(column.baseline, bins, counts, 'all') };
  }

  async #profile(result: WindowResult): Promise<{ shape: Shape; profile: Profile } | null> {
    const start = Date.parse(result.start);
    const end = Date.parse(result.end);
    await this.#registry.refresh();
    const resolved = this.#registry.shapeFor(result.model, result.version, end - 1);
    if (resolved === null) return null;
    const { shape } = resolved;
    const scale = shape.windows.scales.find((one) => one.name === result.length)?.index;
    if (scale === undefined) return null;
    const name = [
      result.model,
      result.version,
      result.start,
      result.length,
      result.provenance.revision,
      shape.digest,
    ].join('/');
    let known = this.#profiles.get(name);
    if (known === undefined) {
      known = { shape, profile: this.#gather(result, { shape, start, end, scale }) };
      this.#profiles.set(name, known);
      known.profile.catch(() => this.#profiles.delete(name));
      for (const oldest of this.#profiles.keys()) {
        if (this.#profiles.size <= KEPT) break;
        this.#profiles.delete(oldest);
      }
    }
    return { shape, profile: await known.profile };
  }

  async #gather(
    { model, version, provenance }: WindowResult,
    { shape, start, end, scale }: { shape: Shape; start: number; end: number; scale: number },
  ): Promise<Profile> {
    // Cursors first: what leaves them meanwhile is in a stored profile by then.
    const open = openPacks(await readCursors(this.#store));
    const groups = new Map<string, Group>();
    await addOpenGroups(groups, open, this.#reader, { hours: hoursOf(start, end), model, version });
    const profiles = await listProfiles(this.#store, model, version, { start, end });
    await addStoredGroups(groups, this.#reader, { model, version, profiles });
    const profile = new Profile(shape);
    for (const group of groups.values()) {
      if (group.shapeDigest !== shape.digest || group.grainStart < start || group.grainStart >= end) continue;
      const sources = await coverGroup(group, this.#reader);
      // The first revision counted what was on time at its scale, later ones all.
      await addProfiles(profile, shape, this.#reader, {
        sources,
        take: ({ stage }) => provenance.revision > 0 || stage <= scale,
      });
    }
    return profile;
  }
}

interface Bar {
  readonly label: string;
  readonly reference: number;
  readonly current: number;
  readonly special: boolean;
}

/** At most 40 bars: of values, those with the least on both sides are drawn as one. */
function shortened(bars: readonly Bar[]): readonly Bar[] {
  if (bars.length <= BARS) return bars;
  const ranked = bars
    .filter(({ special }) => !special)
    .sort((a, b) => Math.max(a.reference, a.current) - Math.max(b.reference, b.current));
  const dropped = new Set(ranked.slice(0, bars.length - BARS + 1));
  const rest = [...dropped].reduce(
    (all, { reference, current }) => ({ reference: all.reference + reference, current: all.current + current }),
    { reference: 0, current: 0 },
  );
  const kept = bars.filter((bar) => !dropped.has(bar));
  const at = kept.findLastIndex(({ special }) => !special) + 1;
  return kept.toSpliced(at, 0, { label: `${dropped.size} others`, ...rest, special: false });
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
