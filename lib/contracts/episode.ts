/** Episodes and what is sent about them. `episodes/<model>.json` is replaced only if unchanged. */
import type { Severity, Signal } from './result.ts';

export interface EpisodeFeature {
  readonly name: string;
  /** What moved: `location`, `missing`, `accuracy`, … */
  readonly aspect: string | null;
  readonly effect: number | null;
  readonly summary: string;
  /** Start of the first window that showed it. */
  readonly since: string;
}

export interface Episode {
  /** Stable: digest of model, version, signal and opening window. Also the idempotency key of its transitions. */
  readonly id: string;
  readonly model: string;
  readonly version: string;
  readonly signal: Signal;
  readonly severity: Severity;
  readonly owner: string;
  /** Event time: end of the window that opened it. */
  readonly opened: string;
  /** Event time: end of the window that closed it. */
  readonly closed: string | null;
  /** Start of the first window whose condition counted towards the opening. */
  readonly since: string;
  readonly length: string;
  readonly features: readonly EpisodeFeature[];
  readonly summary: string;
  readonly provisional: boolean;
}

export type TransitionKind = 'opened' | 'closed' | 'corrected';

export interface Transition {
  /** `<episode id>/<kind>/<n>`; receivers de-duplicate by it. */
  readonly key: string;
  readonly kind: TransitionKind;
  /** What messages call it, where it is not an episode of one model: an alarm of the platform, or many transitions in one message. */
  readonly title?: string;
  readonly episode: Episode;
  /** When it was decided, by the platform's clock. */
  readonly at: string;
  readonly runbook: string;
  readonly link: string;
  /** Changes in its window that may explain it: a new baseline, monitor or version. */
  readonly context: readonly string[];
}

export interface OutboxEntry {
  readonly transition: Transition;
  /** Delivered, by channel name. */
  readonly delivered: Readonly<Record<string, string>>;
  /** Attempts begun, by channel name: a repeat after a crash is marked as such. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Given up, by channel name, with the reason: the dead letters. */
  readonly failed: Readonly<Record<string, string>>;
  /** Names of the channels it goes to, fixed when the notifier first sees it: one that is added later gets nothing old. */
  readonly channels?: readonly string[];
  /** Why it goes to none: a mute, or that nobody is to be told. */
  readonly muted?: string;
  /** A maintenance window in which it came: nobody is told before its end (RFC 3339), and then only of what is not over. */
  readonly held?: { readonly until: string; readonly reason: string };
  /** Not to be attempted before, by channel name, wall clock: the pause after a failure, or that an attempt is under way. */
  readonly next?: Readonly<Record<string, string>>;
}

export interface Silence {
  readonly id: string;
  readonly model: string;
  readonly signal: Signal | null;
  readonly from: string;
  readonly until: string;
  readonly by: string;
  readonly reason: string;
}

export interface EpisodeState {
  readonly schema: 'mlmon.episodes/v1';
  readonly model: string;
  /** Results applied, by version: latest revision of each window still open to revision, and the checkpoint before them. */
  readonly appliedThrough: Readonly<Record<string, unknown>>;
  readonly episodes: readonly Episode[];
  readonly acknowledged: Readonly<Record<string, { readonly by: string; readonly at: string; readonly note: string }>>;
  readonly silences: readonly Silence[];
  readonly outbox: readonly OutboxEntry[];
}

/** Transitions to deliver that are no episode of a model: alarms of the platform, a test of the channels. */
export interface Outbox {
  readonly schema: 'mlmon.outbox/v1';
  readonly silences: readonly Silence[];
  readonly outbox: readonly OutboxEntry[];
}
