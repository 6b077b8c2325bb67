/** What is known only when deployed can stand wherever a text, a number or a duration can: it raises no false error and leaves no trace of itself. */
import { Duration, Stack, Token } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import type { ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { RECOMMENDED } from './app.ts';
import { light } from './light.ts';
import { OPTIONS } from './options.ts';
import { least, newApp } from './subjects.ts';
import type { Given } from './walk.ts';
import { WALK_OF_DATA } from './walk-of-data.ts';
import { WALK_OF_WATCHING } from './walk-of-watching.ts';
import './without-validation.ts';

const UNITS = ['seconds', 'minutes', 'hours', 'days', 'millis'] as const;
type Unit = (typeof UNITS)[number];

/** The same with a token in place of every text, number and duration; `undefined` where there is none to replace. */
function tokenised(value: unknown, unit: Unit): { readonly value: unknown; readonly timed: boolean } | undefined {
  let replaced = false;
  let timed = false;
  const walk = (one: unknown): unknown => {
    if (typeof one === 'string' && !Token.isUnresolved(one)) {
      replaced = true;
      return Token.asString({ Ref: 'Parameter' });
    }
    if (typeof one === 'number' && !Token.isUnresolved(one)) {
      replaced = true;
      return Token.asNumber({ Ref: 'Parameter' });
    }
    if (one instanceof Duration) {
      replaced = true;
      timed = true;
      return Duration[unit](Token.asNumber({ Ref: 'Parameter' }));
    }
    if (Array.isArray(one)) return one.map(walk);
    // Constructs and choices are classes: what is in them is theirs.
    if (typeof one === 'object' && one !== null && Object.getPrototypeOf(one) === Object.prototype)
      return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner)]));
    return one;
  };
  const made = walk(value);
  return replaced ? { value: made, timed } : undefined;
}

/** Props that name one of few words, dates, or what something is called in this app: there is nothing to know later. */
const CHOSEN: Readonly<Record<string, string>> = {
  'AlarmMutesProps.maintenance': 'times of day and days of the week make cron expressions',
  'BroughtStream.startingPosition': 'one of three words',
  'CapturedEndpoints.sources': 'names of models are keys of the bucket',
  'ChannelOptions.name': 'routes name it, and ids of constructs are made of it',
  'CostReportProps.captureFormat': 'one of two words',
  'CostReportProps.captureRetention': 'the walk is over its budget on purpose; the facade takes it as a token',
  'CostReportProps.budget': 'the facade says that synthesis must know it',
  'CostReportProps.platform': 'the walk is over its budget on purpose',
  'CostReportProps.prices': 'a table with its date',
  'CostReportProps.streamRetention': 'the facade says that synthesis must know it',
  'EventChoice.types': 'one of few words',
  'ModelMetricsProps.detail': 'one of three words',
  'ModelMonitoringProps.maintenance': 'times of day and days of the week make cron expressions',
  'ModelMonitoringProps.prices': 'a table with its date',
  'ModelMonitoringProps.routes': 'they name channels of this app',
  'ModelMonitoringProps.sageMaker': 'names of models are keys of the bucket',
  'MonitoringFunctionProps.name': 'one of the functions',
  'PlatformMetricOptions.function': 'one of the functions, or no dimension of the metric',
  'PlatformMetricOptions.severity': 'one of three words, or no dimension of the metric',
  'ProfilerProps.startingPosition': 'one of three words',
  'PublicationProps.removalPolicy': 'one of few words',
};

interface Case {
  readonly name: string;
  readonly make: (stack: Stack, props: Given) => unknown;
  readonly value: (stack: Stack) => unknown;
  readonly prop: string;
}

const CASES: readonly Case[] = [
  ...Object.entries(OPTIONS).map(([prop, values]) => ({
    name: `ModelMonitoringProps.${prop}`,
    prop,
    make: (stack: Stack, props: Given) => least(stack, props as Partial<ModelMonitoringProps>),
    value: values[0] as (stack: Stack) => unknown,
  })),
  ...Object.entries({ ...WALK_OF_DATA, ...WALK_OF_WATCHING }).flatMap(([name, { make, props }]) =>
    Object.entries(props).map(([prop, value]) => ({ name: `${name}.${prop}`, prop, make, value })),
  ),
];

const TRACE = /\$\{Token\[|TOKEN\.\d|-1\.888\d+e\+289/;

/** What comes of it: `fine`, what was refused for good reason, or what is wrong. */
function outcome({ make, prop }: Case, stack: Stack, value: unknown): string {
  try {
    const returned = make(stack, { [prop]: value });
    const plain = typeof returned === 'object' && returned !== null && 'node' in returned ? null : returned;
    // A stack that holds nothing has no resources.
    const { template, problems } = stack.node.children.length === 0 ? { template: null, problems: [] } : light(stack);
    if (problems.length > 0) return problems.join('; ');
    const text = JSON.stringify([template, stack.resolve(plain)]);
    const trace = TRACE.exec(text);
    if (trace !== null) return `leaves ${text.slice(trace.index - 60, trace.index + 60)}`;
    const ids = stack.node.findAll().map(({ node }) => node.id);
    return ids.some((id) => TRACE.test(id) || id.includes('${')) ? 'is part of the id of a construct' : 'fine';
  } catch (error) {
    if (
      error instanceof ProblemError &&
      error.problems.every(({ message }) => message === 'is known only when deployed')
    )
      return 'told that synthesis must know it';
    return (error as Error).message;
  }
}

/** In whatever unit the service counts; somebody who gives another is told so by the library. */
function best(one: Case): string | undefined {
  const outcomes: string[] = [];
  for (const unit of UNITS) {
    const stack = new Stack(newApp(RECOMMENDED), 'Test', { env: { account: '111122223333', region: 'eu-central-1' } });
    const token = tokenised(one.value(stack), unit);
    if (token === undefined) return undefined;
    const found = outcome(one, stack, token.value);
    if (found === 'fine' || found === 'told that synthesis must know it' || !token.timed) return found;
    outcomes.push(`${unit}: ${found}`);
  }
  return outcomes.join('; ');
}

describe('a token', () => {
  const taken = CASES.map((one) => [one.name, one] as const).filter(([, { value }]) => {
    const stack = new Stack(newApp(RECOMMENDED), 'Look', { env: { account: '111122223333', region: 'eu-central-1' } });
    return tokenised(value(stack), 'days') !== undefined;
  });

  it('is tried in most props', () => {
    expect(taken.length).toBeGreaterThan(90);
    expect(Object.keys(CHOSEN).filter((name) => !taken.some(([one]) => one === name))).toEqual([]);
  });

  it.each(taken.filter(([name]) => !(name in CHOSEN)))('in %s raises no false error', (_, one) => {
    expect(best(one)).toMatch(/^(?:fine|told that synthesis must know it)$/);
  });
});
