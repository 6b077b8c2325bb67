/** When to ask again. All in milliseconds. */

export interface PaceInput {
  /** Rounds that failed one after another; 0 when the last one was answered. */
  readonly failures: number;
  /** How long the last round took, asking, reading and drawing. */
  readonly took: number;
  /** Nobody looks at the page. */
  readonly hidden: boolean;
}

const USUAL = 2_000;
const LONGEST_BACKOFF = 30_000;
const UNSEEN = 30_000;
/** The page spends at most one part in this many on following the platform. */
const SHARE = 4;

/** 2 s as a rule; doubling up to 30 s while nobody answers; rarer when an answer is so large that asking would fill the time. */
export function nextDelay({ failures, took, hidden }: PaceInput): number {
  const backoff = Math.min(LONGEST_BACKOFF, USUAL * 2 ** Math.min(failures, 10));
  const wanted = Math.max(failures === 0 ? USUAL : backoff, Math.min(LONGEST_BACKOFF, took * SHARE));
  return hidden ? Math.max(UNSEEN, wanted) : wanted;
}
