/** What programs outside import: `ml-monitoring-constructs/producer`. */
export { HttpSink, type HttpSinkOptions } from './http-sink.ts';
export { type KinesisPutter, KinesisSink, type KinesisSinkOptions } from './kinesis-sink.ts';
export type { ProducerKey } from './outgoing.ts';
export {
  type OutgoingInference,
  type OutgoingLabel,
  Producer,
  type ProducerCounts,
  type ProducerOptions,
  type ProducerProblem,
} from './producer.ts';
export type { FailedRecord, OutgoingRecord, ProducerSink } from './sink.ts';
