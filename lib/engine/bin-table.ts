/**
 * For each numeric column the index of the bin that holds a value: how many edges are at or below it. A grid over the middle
 * of the edges makes the usual case a multiplication and about one comparison: a value's cell is a monotone function of the
 * value, so edges of lower cells lie below it, edges of higher cells above it, and only those of its own cell are compared.
 * The answer is exact. All columns lie in a few arrays, for the sake of the caches.
 */
const CELLS = 1_024;
/** One more, since a product may be rounded up to the end. */
const CELL_SPAN = CELLS + 1;
/**
 * Edges that are compared without a branch: in the cell itself and, where it has fewer, beyond it, which changes nothing,
 * since those lie above the value. A column with a cell that has more goes without a grid. So many infinities follow each
 * column's edges.
 */
const AT_ONCE = 4;
/** Shares of the edges that a grid may leave out at either end; the values there are searched for. */
const LEFT_OUT = [0.01, 0.03, 0.1, 0.2, 0.3];
/** Values that are counted together. */
export const TALLY_LIMIT = 256;
/** Doubles a column: the grid covers [low, high) with `scale` cells a unit. */
const PARAMETERS = 3;

export class BinTable {
  private readonly edges: Float64Array;
  /** For each column where its edges begin; one more at the end. */
  private readonly starts: Int32Array;
  private readonly parameters: Float64Array;
  /** For each cell of a column the number of the column's edges in lower cells. */
  private readonly cells: Uint16Array;
  /** Values that the grid does not place, until the others are counted. */
  private readonly late = new Float64Array(TALLY_LIMIT);

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

  /**
   * Counts the values `values[from]` to `values[to - 1]`, none of them NaN: each adds 1 to the count of its bin, bin 0 being
   * `counts[offset]`. At most 256 of them. The loop calls nothing, so that all it reads from stays in registers.
   */
  tally(column: number, values: Float64Array, from: number, to: number, counts: Float64Array, offset: number): void {
    const { parameters, cells, edges, late } = this;
    const low = parameters[column * PARAMETERS]!;
    const high = parameters[column * PARAMETERS + 1]!;
    const scale = parameters[column * PARAMETERS + 2]!;
    const firstCell = column * CELL_SPAN;
    const start = this.starts[column]!;
    let lateSize = 0;
    for (let i = from; i < to; i++) {
      const x = values[i]!;
      if (x >= low && x < high) {
        const lower = cells[firstCell + (((x - low) * scale) | 0)]!;
        const edge = start + lower;
        const bin =
          lower +
          Number(edges[edge]! <= x) +
          Number(edges[edge + 1]! <= x) +
          Number(edges[edge + 2]! <= x) +
          Number(edges[edge + 3]! <= x);
        counts[offset + bin]! += 1;
      } else late[lateSize++] = x;
    }
    for (let i = 0; i < lateSize; i++) counts[offset + this.find(column, late[i]!)]! += 1;
  }

  /** Ends of the edges are left out, as few as will do, so that long tails do not make the cells wide. */
  private makeGrid(column: number, edges: readonly number[]): void {
    for (const share of LEFT_OUT) {
      const left = Math.floor(edges.length * share);
      const low = edges[left] ?? 0;
      const high = edges[edges.length - 1 - left] ?? 0;
      const scale = CELLS / (high - low);
      // Too narrow or too wide for doubles.
      if (!(high > low && scale > 0 && Number.isFinite(scale))) continue;
      if (this.fillCells(column, edges, low, high, scale) > AT_ONCE) continue;
      this.parameters.set([low, high, scale], column * PARAMETERS);
      return;
    }
  }

  /** Returns the number of edges in the fullest cell. */
  private fillCells(column: number, edges: readonly number[], low: number, high: number, scale: number): number {
    const cellOf = (edge: number) => (edge < low ? -1 : edge < high ? ((edge - low) * scale) | 0 : CELLS + 1);
    let fullest = 0;
    let edge = edges.findIndex((value) => value >= low);
    for (let cell = 0; cell <= CELLS; cell++) {
      this.cells[column * CELL_SPAN + cell] = edge;
      const first = edge;
      while (edge < edges.length && cellOf(edges[edge]!) === cell) edge++;
      fullest = Math.max(fullest, edge - first);
    }
    return fullest;
  }
}
