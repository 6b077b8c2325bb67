/**
 * Judges the models that messages name, and closes hours where one asks for it. A message that could not be finished, for lack of time or a
 * passing failure, goes back to the queue alone. A model that fails for another reason is counted and left to the dispatcher, which asks
 * for it less and less often: it takes no other model with it, and no message in circles.
 */
import { type CloudWatchValue, PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import type { EvaluationMessage } from '../../lib/contracts/functions.ts';
import type { Evaluator } from '../../lib/pipeline/evaluator.ts';
import type { Grains } from '../../lib/pipeline/grains.ts';
import type { Clock } from '../../lib/pipeline/ports.ts';
import { writeMetrics } from '../embedded-metrics.ts';
import { failureFields, type Log } from '../log.ts';
import { type InvocationContext, lateness } from '../remaining-time.ts';

/** The part of an event of SQS that is read. */
export interface QueueEvent {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[];
}

export interface QueueAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** What the parts behind the evaluator tell of one invocation. */
export interface EvaluatorRun {
  isLate: () => boolean;
  /** Longest time from the moment at which a window could be complete to its first verdict, milliseconds; `null` without any. */
  verdictDelayMs: number | null;
}

export interface EvaluatorParts {
  readonly evaluator: Pick<Evaluator, 'judge'>;
  readonly grains: Pick<Grains, 'close'>;
  /** Makes what is published of these models known. */
  readonly select: (models: readonly string[]) => Promise<void>;
  readonly run: EvaluatorRun;
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

/** Times that one message is gone on with because more is due: windows to make up for, or another evaluator was quicker. */
const MOST_ROUNDS = 100;

export function evaluatorHandler(
  parts: EvaluatorParts,
): (event: QueueEvent, context: InvocationContext) => Promise<QueueAnswer> {
  const { run, environment, clock, write } = parts;
  return async ({ Records }, context) => {
    const log = parts.log.for(context.awsRequestId);
    run.isLate = lateness(context);
    run.verdictDelayMs = null;
    let failures = 0;
    const unfinished: string[] = [];
    for (const { messageId, body } of Records) {
      try {
        const done = run.isLate() ? { isFinished: false, failures: 0 } : await work(parts, parseMessage(body), log);
        failures += done.failures;
        if (!done.isFinished) unfinished.push(messageId);
      } catch (error) {
        unfinished.push(messageId);
        failures++;
        log.error('a message could not be worked on and goes back to the queue', failureFields(error));
      }
    }
    const measured: CloudWatchValue[] = [{ metric: PLATFORM_CLOUDWATCH_METRIC.evaluationFailures, value: failures }];
    if (run.verdictDelayMs !== null)
      measured.push({ metric: PLATFORM_CLOUDWATCH_METRIC.verdictDelay, value: run.verdictDelayMs / 1_000 });
    writeMetrics(measured, { environment, now: clock.now(), write });
    return { batchItemFailures: unfinished.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

async function work(
  { evaluator, grains, select, run }: EvaluatorParts,
  message: EvaluationMessage,
  log: Log,
): Promise<{ isFinished: boolean; failures: number }> {
  let isFinished = true;
  let failures = 0;
  let results = 0;
  let { models } = message;
  for (let round = 0; models.length > 0 && round < MOST_ROUNDS; round++) {
    await select(models);
    const outcome = await evaluator.judge(models, { isLate: run.isLate, since: Date.parse(message.at) });
    results += outcome.results;
    for (const [model, error] of outcome.failed) {
      failures++;
      if (error.name === 'TransientError') isFinished = false;
      log.error('a model could not be judged', { model, ...failureFields(error) });
    }
    if (outcome.left.length > 0) isFinished = false;
    models = outcome.more;
    if (models.length > 0 && run.isLate()) {
      isFinished = false;
      break;
    }
  }
  let closed = 0;
  if (message.close)
    for (let more = true; more && isFinished; ) {
      const outcome = await grains.close();
      closed += outcome.closed;
      more = outcome.more;
      if (more && run.isLate()) isFinished = false;
    }
  log.info('judged', { models: message.models.length, results, closed, failures, isFinished });
  return { isFinished, failures };
}

function parseMessage(body: string): EvaluationMessage {
  const message = JSON.parse(body) as Partial<EvaluationMessage> | null;
  const isNamed = Array.isArray(message?.models) && message.models.every((model) => typeof model === 'string');
  if (message?.schema !== 'mlmon.evaluate/v1' || !isNamed || Number.isNaN(Date.parse(message.at ?? '')))
    throw new Error(`message of schema ${String(message?.schema)}: expected mlmon.evaluate/v1 with models and a time`);
  return message as EvaluationMessage;
}
