/** Bytes that the copies of what passes may hold, all together: bodies under way, records on their way to disk, the queue in memory. */
export class MemoryBudget {
  readonly limit: number;
  used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Share in use; may exceed 1 by what was taken at once. */
  get fill(): number {
    return this.used / this.limit;
  }

  /** False, and nothing taken, when there is no room. */
  reserve(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.used -= bytes;
  }
}
