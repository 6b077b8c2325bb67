/** How a function knows that it must come to an end. */

/** The part of Lambda's context that is read. */
export interface InvocationContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** What a commit needs at most, milliseconds; of a function with little time in all, a quarter of it. */
const RESERVE_MS = 10_000;

/** Whether too little time is left to begin anything; begun at the start of the invocation. */
export function lateness(context: InvocationContext): () => boolean {
  const reserve = Math.min(RESERVE_MS, context.getRemainingTimeInMillis() / 4);
  return () => context.getRemainingTimeInMillis() < reserve;
}
