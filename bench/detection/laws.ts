/**
 * The laws that columns are drawn from, each as a fixed set of values (atoms) with their shares, so that a window of any size is one
 * draw of counts. Numbers are a latent variable cut at fixed places; categories are shares that tilt. What happens to a window, by
 * itself (`effect`, in standard deviations) or because something changed (`change`), moves the shares.
 */
import { normalCdf } from '../../lib/stats/special.ts';
import { type ShareTable, shareTable } from './draw.ts';

export type Change =
  /** Mean up by so many standard deviations; of a positive law by a factor that does so. */
  | { readonly kind: 'mean'; readonly by: number }
  | { readonly kind: 'scale'; readonly by: number }
  /** A share of the values times thirty. */
  | { readonly kind: 'tail'; readonly by: number }
  /** Rows that leave the most frequent category for two others; of a rare event its rate times so much. */
  | { readonly kind: 'share'; readonly by: number }
  /** Every category up or down by a factor e^±by. */
  | { readonly kind: 'diffuse'; readonly by: number }
  /** The rate of missing values becomes this. */
  | { readonly kind: 'missing'; readonly by: number };

export interface Law {
  readonly name: LawName;
  readonly type: 'numeric' | 'categorical';
  /** Values of numbers, ascending; of categories their place in the vocabulary. */
  readonly values: Float64Array;
  readonly integer: boolean;
  /** Shares of the atoms, and last of what is missing, when windows move by `effect`. */
  readonly table: (effect: number, change: Change | null) => ShareTable;
}

export const LAW_NAMES = ['normal', 'lognormal', 'heavy', 'integers', 'rare', 'cat10', 'cat50', 'zipf'] as const;
export type LawName = (typeof LAW_NAMES)[number];

/** Effects are drawn to this grain, so that tables are made once. */
const GRAIN = 0.005;
const THIRTY = 30;
/** Of the latent variable: shares below the cuts. Just below the quantiles that bins begin at, and finer. */
const LEVELS = [
  1e-6,
  1e-5,
  3e-5,
  1e-4,
  3e-4,
  9e-4,
  0.003,
  0.0095,
  0.02,
  0.035,
  0.0485,
  0.0735,
  ...Array.from({ length: 33 }, (_, i) => 0.0985 + 0.025 * i),
  0.9235,
  0.9485,
  0.965,
  0.98,
  0.9895,
  0.997,
  0.9989,
  0.9996,
  0.9998,
  0.99995,
  0.99999,
  0.999999,
];
/** Cuts beyond those, where values times thirty lie. */
const FAR = [7, 10, 15, 25, 45];
const LOGNORMAL_VARIATION = Math.sqrt(Math.E - 1);
/** Rows of the rare event, and of missing values. */
const RARE = 0.005;
const MISSING = 0.02;

/** Student's t with three degrees of freedom, scaled to variance 1. */
function heavyCdf(x: number): number {
  return 0.5 + (Math.atan(x) + x / (1 + x * x)) / Math.PI;
}

interface Latent {
  readonly cdf: (z: number) => number;
  readonly cuts: readonly number[];
  readonly values: readonly number[];
  readonly integer?: boolean;
  /** Share of missing values; none without. */
  readonly missing?: number;
  /** What the mean of the values rises by is a rise of the latent variable. */
  readonly rise: (deviations: number) => number;
  /** Latent values times thirty, or more by a constant. */
  readonly thirty: (z: number) => number;
}

function ordered(name: LawName, latent: Latent): Law {
  const { cdf, cuts, values, rise, thirty } = latent;
  const below = (z: number, effect: number, change: Change | null): number => {
    const shift = effect + (change?.kind === 'mean' ? rise(change.by) : 0);
    const scale = change?.kind === 'scale' ? change.by : 1;
    const core = cdf((z - shift) / scale);
    if (change?.kind !== 'tail') return core;
    return (1 - change.by) * core + change.by * cdf(thirty(z - shift));
  };
  return {
    name,
    type: 'numeric',
    values: Float64Array.from(values),
    integer: latent.integer ?? false,
    table: remembered((effect, change) => {
      const shares = new Float64Array(values.length + 1);
      const rare = change?.kind === 'share' && values.length === 2 ? change.by : 1;
      let before = 0;
      cuts.forEach((cut, i) => {
        const through = below(cut, effect, change);
        shares[i] = Math.max(0, through - before);
        before = through;
      });
      shares[values.length - 1] = 1 - before;
      if (rare !== 1) {
        shares[values.length - 1] = Math.min(1, rare * (1 - before));
        shares[0] = 1 - shares[values.length - 1]!;
      }
      const missing = missingShare(latent.missing ?? 0, effect, change);
      for (let i = 0; i < values.length; i++) shares[i]! *= 1 - missing;
      shares[values.length] = missing;
      return shares;
    }),
  };
}

function missingShare(share: number, effect: number, change: Change | null): number {
  if (share === 0) return 0;
  const usual = change?.kind === 'missing' ? change.by : share;
  return 1 / (1 + Math.exp(-Math.log(usual / (1 - usual)) - 2 * effect));
}

function categories(name: LawName, base: readonly number[]): Law {
  const all = base.reduce((sum, share) => sum + share, 0);
  const usual = base.map((share) => share / all);
  // A fixed pattern of mean 0 and variance 1 under the usual shares: an effect of 0.1 is one of 0.1 standard deviations.
  const raw = usual.map((_, k) => Math.sin(1 + 2.4 * k));
  const mean = usual.reduce((sum, share, k) => sum + share * raw[k]!, 0);
  const spread = Math.sqrt(usual.reduce((sum, share, k) => sum + share * (raw[k]! - mean) ** 2, 0));
  const pattern = raw.map((value) => (value - mean) / spread);
  return {
    name,
    type: 'categorical',
    values: Float64Array.from(usual, (_, k) => k),
    integer: false,
    table: remembered((effect, change) => {
      const tilted = usual.map((share, k) => {
        const sign = k % 2 === 0 ? 1 : -1;
        return share * Math.exp(effect * pattern[k]! + (change?.kind === 'diffuse' ? sign * change.by : 0));
      });
      const sum = tilted.reduce((total, share) => total + share, 0);
      const shares = Float64Array.from([...tilted.map((share) => share / sum), 0]);
      if (change?.kind === 'share') {
        const moved = Math.min(change.by, shares[0]!);
        shares[0]! -= moved;
        shares[2]! += moved / 2;
        shares[3]! += moved / 2;
      }
      return shares;
    }),
  };
}

function remembered(shares: (effect: number, change: Change | null) => Float64Array): Law['table'] {
  const known = new Map<string, Map<number, ShareTable>>();
  return (effect, change) => {
    const key = change === null ? '' : `${change.kind} ${change.by}`;
    let tables = known.get(key);
    if (tables === undefined) {
      tables = new Map();
      known.set(key, tables);
    }
    const grain = Math.round(effect / GRAIN);
    let table = tables.get(grain);
    if (table === undefined) {
      table = shareTable(shares(grain * GRAIN, change));
      tables.set(grain, table);
    }
    return table;
  };
}

/** The value in whose neighbourhood an atom lies: the middle of its cuts, the outer ones half a step further. */
function middles(cuts: readonly number[]): number[] {
  const inner = cuts.slice(1).map((cut, i) => (cut + cuts[i]!) / 2);
  const first = cuts[0]! - (cuts[1]! - cuts[0]!) / 2;
  const last = cuts.at(-1)! + (cuts.at(-1)! - cuts.at(-2)!) / 2;
  return [first, ...inner, last];
}

function cutsOf(cdf: (z: number) => number, far: readonly number[]): number[] {
  const inner = LEVELS.map((level) => quantileOf(cdf, level));
  const beyond = far.filter((z) => z > inner.at(-1)! + 1);
  return [...beyond.map((z) => -z).reverse(), ...inner, ...beyond];
}

function quantileOf(cdf: (z: number) => number, level: number): number {
  let low = -200;
  let high = 200;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function lawsOf(): Map<LawName, Law> {
  const times = (z: number): number => z / THIRTY;
  const normalCuts = cutsOf(normalCdf, FAR);
  const logCuts = cutsOf(normalCdf, [5.5, 6.25, 7, 8]).filter((z) => z > -5.2);
  const heavyCuts = cutsOf(heavyCdf, [100, 200]);
  const integers = Array.from({ length: 13 }, (_, k) => k);
  const laws = [
    ordered('normal', {
      cdf: normalCdf,
      cuts: normalCuts,
      values: middles(normalCuts),
      rise: (by) => by,
      thirty: times,
    }),
    ordered('lognormal', {
      cdf: normalCdf,
      cuts: logCuts,
      values: middles(logCuts).map(Math.exp),
      missing: MISSING,
      rise: (by) => Math.log1p(by * LOGNORMAL_VARIATION),
      thirty: (z) => z - Math.log(THIRTY),
    }),
    ordered('heavy', { cdf: heavyCdf, cuts: heavyCuts, values: middles(heavyCuts), rise: (by) => by, thirty: times }),
    ordered('integers', {
      cdf: normalCdf,
      cuts: integers.slice(1).map((k) => (k - 0.5 - 6) / 2.5),
      values: integers,
      integer: true,
      rise: (by) => by,
      thirty: times,
    }),
    ordered('rare', {
      cdf: normalCdf,
      cuts: [quantileOf(normalCdf, 1 - RARE)],
      values: [0, 1],
      integer: true,
      rise: (by) => by,
      thirty: times,
    }),
    categories(
      'cat10',
      Array.from({ length: 10 }, (_, k) => 10 - k),
    ),
    categories(
      'cat50',
      Array.from({ length: 50 }, (_, k) => 100 - k),
    ),
    categories(
      'zipf',
      Array.from({ length: 150 }, (_, k) => (k + 1) ** -1.4),
    ),
  ];
  return new Map(laws.map((law) => [law.name, law]));
}

const LAWS = lawsOf();

export function lawOf(name: LawName): Law {
  return LAWS.get(name)!;
}
