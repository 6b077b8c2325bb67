/** ln k! of whole numbers, from a table while small. */
import { logGamma } from './special.ts';

const SIZE = 4_096;
let table: Float64Array | undefined;

export function logFactorial(k: number): number {
  if (k >= SIZE) return logGamma(k + 1);
  if (table === undefined) {
    table = new Float64Array(SIZE);
    for (let i = 2; i < SIZE; i++) table[i] = logGamma(i + 1);
  }
  return table[k]!;
}
