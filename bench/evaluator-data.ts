/** What bench/evaluator.ts prepares and the functions that it starts agree on. */
import { BASELINE_START, HOUR } from './evaluation-data.ts';

const START = BASELINE_START + 28 * 24 * HOUR;

export const FACTS = {
  models: 1_000,
  modelsPerMessage: 20,
  start: START,
  /** The window and its lateness are over. */
  now: START + HOUR + 6 * 60_000,
  log: 'bench',
  partitions: 2,
  /** Packs of each partition in the hour. */
  packs: 5,
  /** Rows of a model in one pack. */
  rows: 100,
} as const;

export function modelNames(): string[] {
  return Array.from({ length: FACTS.models }, (_, i) => `model-${String(i).padStart(4, '0')}`);
}

export interface EvaluatorFigures {
  /** Of the processor, for all models. */
  readonly seconds: number;
  readonly elapsed: number;
  /** Of the processor, message by message. */
  readonly messages: readonly number[];
  readonly peakMb: number;
  readonly requests: number;
  readonly resultBytes: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly failed: readonly string[];
}
