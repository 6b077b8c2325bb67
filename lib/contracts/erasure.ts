/** The erasure of predictions: what is asked, what is remembered of it, and what is answered. */
import type { EventForm } from './retention.ts';

/** How long a request is remembered where nobody said otherwise: longer than a stream and its failed batches keep records by default. */
export const ERASURE_REMEMBERED = '30d';
/** Ids of one request. */
export const ERASURE_MOST_IDS = 1_000;

/** `erasures/requests/<at>-<digest>.json`: kept until nothing of it can land any more. It holds marks of ids, never an id. */
export interface ErasureRequest {
  readonly schema: 'mlmon.erasure/v1';
  readonly model: string;
  /** SHA-256 of `<salt>/<model>/<id>`, hexadecimal, ascending; the salt is the platform's. */
  readonly marks: readonly string[];
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
  readonly until: string;
}

/** `erasures/erased.json`: captured events that were erased lately, by model and the day that they were erased on, YYYY-MM-DD. */
export interface ErasedEvents {
  readonly schema: 'mlmon.erased/v1';
  readonly models: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What was found under one prefix. */
export interface ErasureReach {
  readonly prefix: string;
  readonly form: EventForm;
  /** Objects that were read, old versions included. */
  readonly examined: number;
  /** Objects that were written anew without what is erased, and old versions that were deleted. */
  readonly changed: number;
  /** Events, or entries about them, that were taken out; what an old version held counts again. */
  readonly erased: number;
}

export interface ErasureReport {
  readonly schema: 'mlmon.erasure-report/v1';
  /** `null` for a round over all that is remembered. */
  readonly model: string | null;
  readonly ids: number;
  readonly dryRun: boolean;
  readonly reached: readonly ErasureReach[];
  /** What could not be read or written: it may still hold what was to be erased. Empty when all was reached. */
  readonly problems: readonly string[];
  /** Whether old versions of objects were looked through; `false` where the store has none. */
  readonly versions: boolean;
  /** Requests that are remembered after it, and until when the last of them is. */
  readonly remembered: number;
  readonly until: string | null;
}

/** Where single events can be that no request reaches, and what to do about each. Shown with every answer. */
export const ERASURE_LIMITS: readonly { readonly where: string; readonly because: string }[] = [
  {
    where: 'the stream or log',
    because:
      'records cannot be taken out of it: they go when its retention ends. What is captured from it until then is erased when the platform, or `mlmon erase --again`, next looks',
  },
  {
    where: 'profiles, packs, results and baselines',
    because:
      'they hold counts, histograms and hashes of ids, from which one event cannot be taken out again; `retention.profiles` of the monitor ends profiles and packs',
  },
  {
    where: 'quarantined input that was cut, or that does not contain the id as it is',
    because: 'the first 2,048 bytes of what could not be read are kept; they go by themselves',
  },
  {
    where: 'what left the platform',
    because:
      'exports, backups, replicas of the bucket, copies of query results, messages that channels delivered and files of SageMaker Data Capture are in the hands of whoever made them',
  },
  {
    where: 'producers, sidecars and their spools',
    because: 'what they have not sent yet lands later and is erased then',
  },
];
