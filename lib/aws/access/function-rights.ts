/**
 * What each function may do with the bucket and the stream: nothing that it does not need. Other rights (queues, secrets, Athena) are given by
 * the constructs that own those.
 */

import {
  ATHENA_RESULTS_PREFIX,
  CAPTURE_ERROR_PREFIX,
  CAPTURE_PREFIX,
  CAPTURE_REDRIVEN_PREFIX,
} from '../../contracts/capture.ts';
import type { FunctionName } from '../../contracts/functions.ts';
import { PREFIXES } from '../../contracts/object-keys.ts';

/** `inspect`: which shards there are, and how far they reach. */
export type StreamRight = 'none' | 'inspect' | 'append';

export interface FunctionRights {
  /** Prefixes of objects that it reads and lists. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly remove: readonly string[];
  readonly stream: StreamRight;
}

/** What says how a model is monitored: read by whatever meets its events. */
const DECLARED = [PREFIXES.monitors, PREFIXES.baselines];

export const FUNCTION_RIGHTS: Readonly<Record<FunctionName, FunctionRights>> = {
  collector: {
    read: [...DECLARED, PREFIXES.configuration, PREFIXES.quarantine],
    write: [PREFIXES.quarantine],
    remove: [],
    stream: 'append',
  },
  authorizer: { read: [], write: [], remove: [], stream: 'none' },
  // Its files lie in a bucket of the user's.
  'sagemaker-capture': {
    read: [...DECLARED, PREFIXES.quarantine, PREFIXES.sageMaker],
    write: [PREFIXES.quarantine, PREFIXES.sageMaker],
    remove: [],
    stream: 'append',
  },
  // The on-failure prefix: Lambda puts given-up batches there with the function's role.
  profiler: {
    // A cursor that is full is relieved by closing its oldest hours.
    read: [...DECLARED, PREFIXES.cursors, PREFIXES.ranges, PREFIXES.packs, PREFIXES.profiles, PREFIXES.quarantine],
    write: [
      PREFIXES.cursors,
      PREFIXES.ranges,
      PREFIXES.packs,
      PREFIXES.profiles,
      PREFIXES.quarantine,
      PREFIXES.onFailure,
    ],
    remove: [],
    stream: 'inspect',
  },
  redrive: {
    read: [
      ...DECLARED,
      PREFIXES.cursors,
      PREFIXES.ranges,
      PREFIXES.packs,
      PREFIXES.profiles,
      PREFIXES.quarantine,
      PREFIXES.onFailure,
      CAPTURE_ERROR_PREFIX,
      CAPTURE_REDRIVEN_PREFIX,
    ],
    write: [
      PREFIXES.cursors,
      PREFIXES.ranges,
      PREFIXES.packs,
      PREFIXES.profiles,
      PREFIXES.quarantine,
      CAPTURE_REDRIVEN_PREFIX,
    ],
    remove: [],
    stream: 'inspect',
  },
  dispatcher: {
    read: [
      ...DECLARED,
      PREFIXES.cursors,
      PREFIXES.packs,
      PREFIXES.profiles,
      PREFIXES.results,
      PREFIXES.evaluations,
      PREFIXES.episodes,
      PREFIXES.dispatch,
    ],
    write: [PREFIXES.dispatch],
    remove: [],
    stream: 'inspect',
  },
  evaluator: {
    read: [
      ...DECLARED,
      PREFIXES.cursors,
      PREFIXES.packs,
      PREFIXES.profiles,
      PREFIXES.results,
      PREFIXES.evaluations,
      PREFIXES.episodes,
      PREFIXES.learning,
      PREFIXES.configuration,
      // The store looks whether what is there already is its own, after a request that was repeated.
      PREFIXES.bulletins,
      PREFIXES.pending,
    ],
    // A closed grain leaves the cursor, and many packs of one become a single one.
    write: [
      PREFIXES.cursors,
      PREFIXES.packs,
      PREFIXES.profiles,
      PREFIXES.results,
      PREFIXES.evaluations,
      PREFIXES.episodes,
      PREFIXES.bulletins,
      PREFIXES.pending,
    ],
    remove: [],
    stream: 'inspect',
  },
  labeler: {
    read: [
      ...DECLARED,
      PREFIXES.cursors,
      PREFIXES.packs,
      PREFIXES.profiles,
      PREFIXES.results,
      PREFIXES.evaluations,
      PREFIXES.episodes,
      PREFIXES.labels,
      PREFIXES.learning,
      PREFIXES.audit,
      PREFIXES.bulletins,
      PREFIXES.pending,
      // What was erased is not lost.
      PREFIXES.erasures,
      CAPTURE_PREFIX,
      CAPTURE_REDRIVEN_PREFIX,
      ATHENA_RESULTS_PREFIX,
    ],
    write: [
      ATHENA_RESULTS_PREFIX,
      PREFIXES.results,
      PREFIXES.episodes,
      PREFIXES.labels,
      PREFIXES.bulletins,
      PREFIXES.pending,
      // A baseline that was learned.
      PREFIXES.learning,
      PREFIXES.baselines,
      PREFIXES.audit,
    ],
    remove: [],
    stream: 'inspect',
  },
  exporter: {
    read: [
      ...DECLARED,
      PREFIXES.cursors,
      PREFIXES.results,
      PREFIXES.evaluations,
      PREFIXES.episodes,
      PREFIXES.labels,
      PREFIXES.learning,
      PREFIXES.onFailure,
      PREFIXES.bulletins,
      PREFIXES.exports,
    ],
    write: [PREFIXES.exports],
    remove: [PREFIXES.bulletins],
    stream: 'inspect',
  },
  notifier: {
    read: [
      ...DECLARED,
      PREFIXES.episodes,
      PREFIXES.configuration,
      PREFIXES.pending,
      PREFIXES.notifier,
      PREFIXES.channelTests,
    ],
    write: [PREFIXES.episodes, PREFIXES.notifier, PREFIXES.channelTests],
    remove: [PREFIXES.pending, PREFIXES.channelTests],
    stream: 'none',
  },
  announcer: { read: [PREFIXES.results, PREFIXES.baselines], write: [], remove: [], stream: 'none' },
  publisher: {
    read: [...DECLARED, PREFIXES.configuration, PREFIXES.publications, PREFIXES.audit, PREFIXES.uploads],
    write: [...DECLARED, PREFIXES.configuration, PREFIXES.publications, PREFIXES.audit],
    remove: [PREFIXES.configuration, PREFIXES.publications],
    stream: 'none',
  },
  scaler: { read: [], write: [], remove: [], stream: 'none' },
  grafana: { read: [PREFIXES.grafana], write: [PREFIXES.grafana], remove: [PREFIXES.grafana], stream: 'none' },
  cleaner: {
    // Profiles and results go where monitors say how long they are kept, and the audit log says which.
    read: [
      PREFIXES.cursors,
      PREFIXES.ranges,
      PREFIXES.packs,
      PREFIXES.monitors,
      PREFIXES.profiles,
      PREFIXES.results,
      PREFIXES.retention,
      PREFIXES.audit,
    ],
    write: [PREFIXES.retention, PREFIXES.audit],
    remove: [PREFIXES.ranges, PREFIXES.packs, PREFIXES.profiles, PREFIXES.results],
    stream: 'none',
  },
};
