/**
 * Index of the bin that holds a number: how many edges are at or below it. A grid over the middle of the edges makes the
 * usual case a multiplication and about one comparison: a value's cell is a monotone function of the value, so edges of
 * lower cells lie below it, edges of higher cells above it, and only those of its own cell are compared. Exact.
 */
const CELLS = 512;
/** Edges of one cell beyond which comparing in turn is slower than halving. */
const IN_TURN = 8;

export class BinLookup {
  readonly edges: Float64Array;
  /** The grid covers [low, high), from an edge to an edge. */
  private readonly low: number;
  private readonly high: number;
  private readonly scale: number;
  /** For each cell the number of edges in lower cells; one more at the end. */
  private readonly first: Uint16Array;

  /** `edges` ascend strictly and are finite; at most 65,535. */
  constructor(edges: Float64Array) {
    this.edges = edges;
    const inner = Math.floor(edges.length / 100);
    const low = edges[inner] ?? 0;
    const high = edges[edges.length - 1 - inner] ?? 0;
    const scale = CELLS / (high - low);
    const usable = high > low && Number.isFinite(scale) && Number.isFinite(high - low);
    this.low = usable ? low : Number.POSITIVE_INFINITY;
    this.high = usable ? high : Number.NEGATIVE_INFINITY;
    this.scale = usable ? scale : 0;
    this.first = new Uint16Array(CELLS + 2);
    let edge = 0;
    for (let cell = 0; cell < this.first.length; cell++) {
      while (edge < edges.length && this.cellOf(edges[edge]!) < cell) edge++;
      this.first[cell] = edge;
    }
  }

  /** 0..edges.length. `x` is finite. */
  find(x: number): number {
    const edges = this.edges;
    let from = 0;
    let to = edges.length;
    if (x >= this.low && x < this.high) {
      const cell = ((x - this.low) * this.scale) | 0;
      from = this.first[cell]!;
      to = this.first[cell + 1]!;
      if (to - from <= IN_TURN) {
        while (from < to && edges[from]! <= x) from++;
        return from;
      }
    }
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (edges[middle]! <= x) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Edges below the grid are in cell -1, those at or above its end in the last. */
  private cellOf(x: number): number {
    if (x < this.low) return -1;
    return x < this.high ? ((x - this.low) * this.scale) | 0 : CELLS + 1;
  }
}
