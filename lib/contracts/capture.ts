/** Columns of a capture object, one to one with the keys of an event (docs/reference/events.md). Times are UTC. */
export const CAPTURE_COLUMNS = [
  'id',
  'type',
  'source',
  'model',
  'version',
  'time',
  'arrival',
  'segment',
  'numeric',
  'categorical',
  'invalid',
  'score',
  'predicted',
  'latency_ms',
  'weight',
  'truth',
  'policy_key',
] as const;
export type CaptureColumn = (typeof CAPTURE_COLUMNS)[number];
