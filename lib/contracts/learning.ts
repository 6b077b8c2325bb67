/** How far the baseline of a model is learned: `learning/<model>.json`, and what of it people are told. */

/**
 * Why it goes on after its days are over. `too-few-rows`: fewer than four windows have the rows that the monitor asks for; `refused`: the
 * baseline could not be made of what was captured.
 */
export const LEARNING_HOLDS = ['too-few-rows', 'refused'] as const;
export type LearningHold = (typeof LEARNING_HOLDS)[number];

export interface LearningState {
  readonly schema: 'mlmon.learning/v1';
  readonly model: string;
  /** Digest of the shape that is learned with: another one begins anew. */
  readonly shape: string;
  /** Event time, milliseconds since 1970: start of the first window that had events. */
  readonly from: number;
  /** The end of the days that the monitor asks for. */
  readonly due: number;
  /** The end of the days that the baseline is made of: later than `due` when there were too few rows by then. */
  readonly until: number;
  readonly status: 'learning' | 'making' | 'learned';
  readonly hold: { readonly reason: LearningHold; readonly detail: string } | null;
  /** What the baseline is made of, decided once. */
  readonly plan: LearningPlan | null;
  readonly baseline: { readonly version: string; readonly n: number; readonly effectiveFrom: string } | null;
}

export interface LearningPlan {
  /** The version with most rows: the baseline is published under it. */
  readonly version: string;
  readonly rows: number;
  readonly windows: number;
  /** So many windows stood out that all were kept; 0 otherwise. */
  readonly unsteady: number;
  /** Windows were compared with each other; very many short ones without days among the scales are not. */
  readonly compared: boolean;
  readonly leftOut: readonly {
    /** Event time, milliseconds since 1970. */
    readonly start: number;
    readonly end: number;
    /** In words. */
    readonly why: string;
  }[];
}

/** The same for people and programs. Times are RFC 3339, event time; `null` before the first event. */
export interface LearningView {
  readonly from: string | null;
  readonly due: string | null;
  readonly until: string | null;
  /** 0..1 of the days that the monitor asks for. */
  readonly progress: number;
  readonly hold: LearningHold | null;
  /** Why it goes on although they are over, in words. */
  readonly held: string | null;
}
