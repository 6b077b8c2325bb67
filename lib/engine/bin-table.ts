/**
 * For each numeric column the index of the bin that holds a value: how many edges are at or below it. A grid over the middle
 * of the edges makes the usual case a multiplication and about one comparison: a value's cell is a monotone function of the
 * value, so edges of lower cells lie below it, edges of higher cells above it, and only those of its own cell are compared.
 * The answer is exact. All columns lie in a few arrays, for the sake of the caches.
 */
const CELLS = 512;
/** Two more: one for edges at the end of the grid, one to end the last cell with. */
const CELL_SPAN = CELLS + 2;
/**
 * Edges that are compared without a branch: in the cell itself and, where it has fewer, beyond it, which changes nothing,
 * since those lie above the value. A cell that has more is searched. So many infinities follow each column's edges.
 */
const AT_ONCE = 4;
/** Doubles a column: the grid covers [low, high) with `scale` cells a unit. */
const PARAMETERS = 3;

export class BinTable {
  private readonly edges: Float64Array;
  /** For each column where its edges begin; one more at the end. */
  private readonly starts: Int32Array;
  private readonly parameters: Float64Array;
  /** For each cell of a column the number of the column's edges in lower cells. */
  private readonly cells: Uint16Array;

  /** One list of edges a column, each ascending strictly, finite, at most 65,535 long. Columns without edges have one bin. */
  constructor(columns: readonly (readonly number[])[]) {
    const beyond = new Array<number>(AT_ONCE).fill(Number.POSITIVE_INFINITY);
    this.edges = Float64Array.from(columns.flatMap((edges) => [...edges, ...beyond]));
    this.starts = new Int32Array(columns.length + 1);
    this.parameters = new Float64Array(columns.length * PARAMETERS);
    this.cells = new Uint16Array(columns.length * CELL_SPAN);
    for (const [column, edges] of columns.entries()) {
      this.starts[column + 1] = this.starts[column]! + edges.length + AT_ONCE;
      this.makeGrid(column, edges);
    }
  }

  /** 0..edges. `x` is not NaN. */
  find(column: number, x: number): number {
    const { parameters } = this;
    const at = column * PARAMETERS;
    const low = parameters[at]!;
    if (x >= low && x < parameters[at + 1]!) {
      const { cells, edges } = this;
      const cell = column * CELL_SPAN + (((x - low) * parameters[at + 2]!) | 0);
      const lower = cells[cell]!;
      if (cells[cell + 1]! - lower <= AT_ONCE) {
        const edge = this.starts[column]! + lower;
        return (
          lower +
          Number(edges[edge]! <= x) +
          Number(edges[edge + 1]! <= x) +
          Number(edges[edge + 2]! <= x) +
          Number(edges[edge + 3]! <= x)
        );
      }
    }
    return this.search(column, x);
  }

  private search(column: number, x: number): number {
    const start = this.starts[column]!;
    let from = start;
    let to = this.starts[column + 1]! - AT_ONCE;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.edges[middle]! <= x) from = middle + 1;
      else to = middle;
    }
    return from - start;
  }

  /** One percent of the edges at either end is left out, so that a long tail does not make the cells wide. */
  private makeGrid(column: number, edges: readonly number[]): void {
    const left = Math.floor(edges.length / 100);
    const low = edges[left] ?? 0;
    const high = edges[edges.length - 1 - left] ?? 0;
    const scale = CELLS / (high - low);
    // Too narrow or too wide for doubles: an empty range, and every value is searched for.
    const usable = high > low && scale > 0 && Number.isFinite(scale);
    this.parameters.set(usable ? [low, high, scale] : [0, 0, 0], column * PARAMETERS);
    if (!usable) return;
    const cellOf = (edge: number) => (edge < low ? -1 : edge < high ? ((edge - low) * scale) | 0 : CELLS + 1);
    let edge = 0;
    for (let cell = 0; cell < CELL_SPAN; cell++) {
      while (edge < edges.length && cellOf(edges[edge]!) < cell) edge++;
      this.cells[column * CELL_SPAN + cell] = edge;
    }
  }
}
