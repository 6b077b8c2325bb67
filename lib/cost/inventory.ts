/** What a deployment has that costs whatever comes: counted in a template, or that of a platform with nothing chosen. */
import type { FunctionName } from '../contracts/functions.ts';

export interface FunctionUse {
  readonly memoryMb: number;
  /** By a schedule; 0 where something else calls it. */
  readonly runsPerMonth: number;
}

export interface Inventory {
  readonly functions: Readonly<Partial<Record<FunctionName, FunctionUse>>>;
  /** Longest that records of the stream are gathered for a batch. */
  readonly batchSeconds: number;
  readonly alarms: number;
  readonly compositeAlarms: number;
  readonly dashboards: number;
  /** Those that the platform makes; yours are not counted. */
  readonly secrets: number;
  /** 1 where one key encrypts everything, whoever made it. */
  readonly keys: number;
  /** Queues that functions wait on. */
  readonly polledQueues: number;
  /** Where senders prove who they are by a token or a key. */
  readonly httpApis: number;
  /** Buses that episodes and results are put on. */
  readonly buses: number;
  /** Of a bus. */
  readonly archives: number;
  /** Interface endpoints, each times its zones. */
  readonly endpointZones: number;
  readonly grafanaWorkspaces: number;
}

const every = (minutes: number, memoryMb: number): FunctionUse => ({ memoryMb, runsPerMonth: 43_800 / minutes });
const called = (memoryMb: number): FunctionUse => ({ memoryMb, runsPerMonth: 0 });

/** Of `ModelMonitoring` with nothing chosen, and of a stack of an environment file that is empty; a test counts them. */
export const DEFAULT_INVENTORY: Inventory = {
  functions: {
    collector: called(512),
    profiler: called(1_769),
    redrive: called(1_769),
    dispatcher: every(1, 1_024),
    evaluator: called(1_769),
    labeler: every(5, 1_769),
    cleaner: every(60, 1_024),
    notifier: every(1, 512),
    exporter: every(1, 1_024),
    publisher: called(1_024),
  },
  batchSeconds: 60,
  alarms: 38,
  compositeAlarms: 0,
  dashboards: 2,
  secrets: 1,
  keys: 0,
  polledQueues: 1,
  httpApis: 0,
  buses: 0,
  archives: 0,
  endpointZones: 0,
  grafanaWorkspaces: 0,
};
