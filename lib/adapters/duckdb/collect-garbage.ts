/**
 * Blocks that DuckDB hands out hold memory that the JavaScript heap does not see: a block is a few hundred bytes there, so the collector
 * has no reason to run while hundreds of megabytes wait for it. A collection of young objects takes a millisecond and frees them.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | null | undefined;

/** Collects young objects where the engine lets itself be asked. */
export function collectYoung(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('globalThis.gc');
    // As before: what the engine has compiled and kept is taken with the same flags only.
    setFlagsFromString('--no-expose-gc');
    collect = typeof found === 'function' ? (found as Collect) : null;
  }
  collect?.({ type: 'minor' });
}
