/** How a query fails: by itself, for this time, or not at all yet. */
import type { QueryExecution } from '@aws-sdk/client-athena';

/** The query cannot succeed as it is. */
export class QueryFailedError extends Error {
  override readonly name = 'QueryFailedError';
  readonly execution: string;

  constructor(execution: string, workgroup: string, reason: string) {
    const limit = /bytes scanned limit/i.test(reason)
      ? `; the workgroup ${workgroup} lets one query read no more: raise its limit, or shorten the horizons and revisions of monitors`
      : '';
    super(`query ${execution}: ${reason}${limit}`);
    this.execution = execution;
  }
}

/** It runs on; asked again, the same query answers with its result. */
export class QueryUnfinishedError extends Error {
  override readonly name = 'QueryUnfinishedError';
  readonly execution: string;

  constructor(execution: string) {
    super(`query ${execution}: runs on, and is taken up when the same is asked again`);
    this.execution = execution;
  }
}

/** Why an execution ended without success, and whether another may succeed. */
export function reasonOf(execution: QueryExecution): { readonly reason: string; readonly again: boolean } {
  const { State, StateChangeReason, AthenaError } = execution.Status ?? {};
  const reason = AthenaError?.ErrorMessage ?? StateChangeReason ?? `${State ?? 'ended'} without a reason`;
  const isLimit = /bytes scanned limit/i.test(`${reason} ${StateChangeReason ?? ''}`);
  // Somebody or something cancelled it; a category of 1 is the service's own failure.
  const again =
    !isLimit && (State === 'CANCELLED' || AthenaError?.Retryable === true || AthenaError?.ErrorCategory === 1);
  return { reason: isLimit && StateChangeReason !== undefined ? StateChangeReason : reason, again };
}
