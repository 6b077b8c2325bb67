/** Which events of a platform something is about, as a pattern of EventBridge. */
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import {
  BUS_SOURCE,
  EPISODE_TYPES,
  OUTGOING_TYPES,
  type OutgoingType,
  RESULT_TYPES,
} from '../../contracts/outgoing-events.ts';
import { nearest, type Problem, ProblemError, shown } from '../../contracts/problem.ts';
import type { Severity, Signal, Verdict } from '../../contracts/result.ts';

/** Each narrows; several values of one are alternatives. What an event does not have it does not match: a result has no owner. */
export interface EventChoice {
  /** @default every type */
  readonly types?: readonly OutgoingType[];
  /** @default every model */
  readonly models?: readonly string[];
  /** Of episodes. @default every owner */
  readonly owners?: readonly string[];
  /** Of episodes. @default every signal */
  readonly signals?: readonly Signal[];
  /** Of episodes. @default every severity */
  readonly severities?: readonly Severity[];
  /** Of results. @default every verdict */
  readonly statuses?: readonly Verdict[];
  /** Episodes of which people are not told either: muted, silenced, in maintenance. @default true: the bus is for programs */
  readonly withheld?: boolean;
}

const EPISODE_WORDS = ['owners', 'signals', 'severities', 'withheld'] as const;

/** For rules of yours: `new events.Rule(this, 'Rule', { eventBus: monitoring.eventBus.bus, eventPattern: eventPattern(monitoring.eventBus, …) })`. */
export function eventPattern(events: { readonly source: string }, choice: EventChoice = {}): EventPattern {
  const problems = problemsOf(choice);
  if (problems.length > 0) throw new ProblemError(problems);
  const { types, models, owners, signals, severities, statuses } = choice;
  const data = {
    ...(models === undefined ? {} : { model: [...models] }),
    ...(owners === undefined ? {} : { owner: [...owners] }),
    ...(signals === undefined ? {} : { signal: [...signals] }),
    ...(severities === undefined ? {} : { severity: [...severities] }),
    ...(statuses === undefined ? {} : { status: [...statuses] }),
    ...(choice.withheld === false ? { withheld: [null] } : {}),
  };
  return {
    source: [BUS_SOURCE],
    ...(types === undefined ? {} : { detailType: [...types] }),
    detail: { source: [events.source], ...(Object.keys(data).length === 0 ? {} : { data }) },
  };
}

/** Choices that nothing could ever match are refused: a rule that waits for ever looks like one that has nothing to do. */
function problemsOf(choice: EventChoice): Problem[] {
  const problems: Problem[] = [];
  const known: readonly string[] = Object.values(OUTGOING_TYPES);
  for (const [name, values] of Object.entries(choice))
    if (Array.isArray(values) && values.length === 0)
      problems.push({ code: 'empty', path: name, message: 'is empty, so nothing matches', expected: 'left out: any' });
  for (const type of choice.types ?? [])
    if (!known.includes(type)) {
      const near = nearest(type, known);
      problems.push({
        code: 'unknown-type',
        path: 'types',
        message: 'there are no such events',
        got: shown(type),
        expected: `one of ${known.join(', ')}`,
        fix: near === undefined ? undefined : `did you mean ${near}?`,
      });
    }
  const isAbout = (types: readonly OutgoingType[]): boolean =>
    choice.types === undefined || choice.types.every((type) => types.includes(type));
  for (const word of EPISODE_WORDS)
    if (choice[word] !== undefined && !isAbout(EPISODE_TYPES))
      problems.push({
        code: 'never',
        path: word,
        message: 'only events of episodes have it',
        expected: EPISODE_TYPES.join(', '),
      });
  if (choice.statuses !== undefined && !isAbout(RESULT_TYPES))
    problems.push({
      code: 'never',
      path: 'statuses',
      message: 'only events of results have it',
      expected: RESULT_TYPES.join(', '),
    });
  return problems;
}
