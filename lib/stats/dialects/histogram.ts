/**
 * Equal-width histograms as NumPy makes them: number of bins by its rules `sturges` and `doane`, edges as `linspace` spaces them, values
 * counted in [edge, next), the last bin closed. The same doubles, so that the same rows fall into the same bins.
 */
import { meanOf, populationDeviation } from '../sample.ts';

export type BinRule = 'sturges' | 'doane';

/** `values` are finite, in any order, not empty. Ascending edges, at least two. */
export function histogramEdges(values: ArrayLike<number>, rule: BinRule | number): Float64Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  const width = typeof rule === 'number' ? 0 : widthOf(values, rule, high - low);
  // A range that overflows has no width: one bin.
  if (!Number.isFinite(high - low)) return Float64Array.of(low, high);
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const bins = typeof rule === 'number' ? rule : width > 0 ? Math.ceil((high - low) / width) : 1;
  return linspace(low, high, bins);
}

function widthOf(values: ArrayLike<number>, rule: BinRule, range: number): number {
  const n = values.length;
  if (rule === 'sturges') return range / (Math.log2(n) + 1);
  if (n <= 2) return 0;
  const spread = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
  const deviation = populationDeviation(values);
  if (!(deviation > 0)) return 0;
  const mean = meanOf(values);
  let skewness = 0;
  for (let i = 0; i < n; i++) skewness += ((values[i]! - mean) / deviation) ** 3 / n;
  return range / (1 + Math.log2(n) + Math.log2(1 + Math.abs(skewness) / spread));
}

function linspace(low: number, high: number, bins: number): Float64Array {
  const step = (high - low) / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => i * step + low);
  edges[bins] = high;
  return edges;
}

/** Rows in each bin of equally spaced edges; values outside are counted in none. O(n). */
export function histogramCounts(values: ArrayLike<number>, edges: Float64Array): Float64Array {
  const bins = edges.length - 1;
  const counts = new Float64Array(bins);
  const low = edges[0]!;
  const high = edges[bins]!;
  const range = high - low;
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (!(x >= low && x <= high)) continue;
    let bin = bins === 1 ? 0 : Math.floor(((x - low) / range) * bins);
    if (bin === bins) bin--;
    // The quotient may be off by one where x lies on an edge.
    if (x < edges[bin]!) bin--;
    else if (bin !== bins - 1 && x >= edges[bin + 1]!) bin++;
    counts[bin] = counts[bin]! + 1;
  }
  return counts;
}
