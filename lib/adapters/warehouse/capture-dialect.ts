/**
 * An engine's SQL over the captured events (pipeline/baseline-query.ts), for the query port: all columns are text and the time is
 * milliseconds since 1970, so types need not be asked for.
 */
import type { SqlDialect } from './dialect.ts';

/** @param longest characters of a statement: what the query port puts into it for the capture needs room besides */
export function captureDialect(engine: SqlDialect, longest: number): SqlDialect {
  return {
    ...engine,
    longest,
    isText: () => '1 = 1',
    isFractional: () => '1 = 0',
    fractionText: (column) => column,
    instant: () => 'CAST(NULL AS BIGINT)',
  };
}
