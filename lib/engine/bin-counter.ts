/**
 * Counts many values of one column by bin: how many edges are at or below a value. A grid over the middle of the edges has so many cells
 * that most hold no edge, and then the cell is the answer. A value's cell is a monotone function of the value, so edges of lower cells lie
 * below it and edges of higher cells above it: the counts are exact. (`BinTable` counts few values of many columns, with small grids.)
 */
const CELLS = 16_384;
/** In a cell: there are edges in it, from this one on. */
const EDGES = 0x8000;
/** Shares of the edges that the grid may leave out at either end; values there are searched for. */
const LEFT_OUT = [0, 0.004, 0.01, 0.03, 0.1, 0.2, 0.3];

export class BinCounter {
  /** Values by bin so far, one more than there are edges. */
  readonly counts: Float64Array;
  /** Infinity follows, so that a search ends. */
  private readonly edges: Float64Array;
  /** For each cell its bin, or EDGES and the first of its edges. One more, since a product may be rounded up to the end. */
  private cells: Uint16Array = new Uint16Array(0);
  /** The grid covers [low, high) with `scale` cells a unit. */
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;
  private scale = 0;

  /** Edges ascend strictly, are finite and fewer than 32,768. */
  constructor(edges: readonly number[]) {
    if (edges.length >= EDGES) throw new RangeError(`fewer than ${EDGES} edges are possible, got ${edges.length}`);
    this.edges = Float64Array.from([...edges, Number.POSITIVE_INFINITY]);
    this.counts = new Float64Array(edges.length + 1);
  }

  /** Finite values. */
  add(values: Float64Array): void {
    if (this.cells.length === 0) this.makeGrid();
    const { counts, edges, cells, low, high, scale } = this;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value >= low && value < high) {
        let bin = cells[((value - low) * scale) | 0]!;
        if (bin >= EDGES) {
          bin -= EDGES;
          while (edges[bin]! <= value) bin++;
        }
        counts[bin]! += 1;
      } else counts[this.find(value)]! += 1;
    }
  }

  /** A finite value that occurs so often. */
  addSome(value: number, count: number): void {
    this.counts[this.find(value)]! += count;
  }

  /** The one of several that leaves the fewest edges to be searched. */
  private makeGrid(): void {
    const { edges } = this;
    const finite = edges.subarray(0, -1);
    let least = Number.POSITIVE_INFINITY;
    for (const share of LEFT_OUT) {
      const left = Math.floor(finite.length * share);
      const low = finite[left] ?? 0;
      const high = finite[finite.length - 1 - left] ?? 0;
      const scale = CELLS / (high - low);
      // Too narrow or too wide for doubles.
      if (!(high > low && scale > 0 && Number.isFinite(scale))) continue;
      const searched = searchedIn(finite, low, high, scale);
      if (searched >= least) continue;
      least = searched;
      this.low = low;
      this.high = high;
      this.scale = scale;
    }
    this.cells = this.high > this.low ? gridOf(edges, this.low, this.high, this.scale) : new Uint16Array(1);
  }

  private find(value: number): number {
    const { edges } = this;
    let from = 0;
    let to = edges.length - 1;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (edges[middle]! <= value) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Edges that lie beyond the grid, or in a cell with others: a measure of the values that take long. */
function searchedIn(edges: Float64Array, low: number, high: number, scale: number): number {
  let searched = edges.length;
  let cell = -1;
  let isAlone = false;
  for (const edge of edges) {
    if (edge < low || edge >= high) continue;
    const own = ((edge - low) * scale) | 0;
    // The first of a cell is taken for one alone until there is another.
    if (own !== cell) searched -= 1;
    else if (isAlone) searched += 1;
    isAlone = own !== cell;
    cell = own;
  }
  return searched;
}

function gridOf(edges: Float64Array, low: number, high: number, scale: number): Uint16Array {
  const cells = new Uint16Array(CELLS + 1);
  let edge = edges.findIndex((value) => value >= low);
  for (let cell = 0; cell <= CELLS; cell++) {
    const first = edge;
    while (edges[edge]! < high && (((edges[edge]! - low) * scale) | 0) === cell) edge++;
    cells[cell] = edge > first ? first + EDGES : edge;
  }
  return cells;
}
