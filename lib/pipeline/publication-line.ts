/** What a publication brings, read and checked: every problem of every line at once, before anything is published. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { alertingSchema, type Delivery, deliverySchema } from '../contracts/alerting.ts';
import type { Baseline } from '../contracts/baseline.ts';
import { type Monitor, parseMonitor } from '../contracts/monitor.ts';
import { noun } from '../contracts/noun.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import type { PublishedLine } from '../contracts/publication.ts';
import { compileShape } from '../engine/shape.ts';
import type { ObjectStore } from './ports.ts';
import { type Bindings, parseBindings } from './sender-rights.ts';

/** One model of it. */
export interface Checked {
  readonly monitor: Monitor;
  readonly baseline: Baseline | null;
  readonly digest: string;
}

/** Problems that are told; a thousand wrong monitors are wrong for few reasons. */
export const TOLD = 50;

/** Digest of each model's line. @throws ProblemError with every problem of every line */
export async function check(store: ObjectStore, lines: AsyncIterable<string>): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  const problems: Problem[] = [];
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    try {
      const { monitor, digest } = await checked(store, line);
      if (digests.has(monitor.model))
        problems.push({
          code: 'twice',
          path: monitor.model,
          message: 'the publication declares it twice',
          expected: 'one monitor a model',
        });
      digests.set(monitor.model, digest);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const name = /"model":\s*"([^"]{1,63})"/.exec(line)?.[1] ?? `line ${number}`;
      problems.push(
        ...error.problems.map((problem) => ({
          ...problem,
          path: [name, problem.path].filter((p) => p !== '').join(': '),
        })),
      );
    }
  }
  if (problems.length > TOLD)
    problems.splice(TOLD, problems.length, {
      code: 'more',
      path: '',
      message: `${problems.length - TOLD} more ${noun(problems.length - TOLD, 'problem')}`,
      fix: 'mend these first; `mlmon validate` shows all',
    });
  if (problems.length > 0) throw new ProblemError(problems);
  return digests;
}

/** @throws ProblemError for whatever is wrong in the line */
export async function checked(store: ObjectStore, line: string): Promise<Checked> {
  let value: Partial<PublishedLine>;
  try {
    value = JSON.parse(line) as Partial<PublishedLine>;
  } catch {
    throw problem('json', '', 'is not readable as JSON', undefined, 'deploy again with the constructs of this release');
  }
  const { monitor, problems } = parseMonitor(value.monitor);
  if (monitor === null) throw new ProblemError(problems);
  const baseline = await baselineOf(store, value.baseline ?? null, monitor);
  try {
    compileShape(monitor, baseline);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw problem(
      'baseline',
      'baseline',
      'does not fit the monitor',
      shown(String(error)),
      'make it again with `mlmon profile`',
    );
  }
  return {
    monitor,
    baseline,
    digest: createHash('sha256')
      .update(JSON.stringify([monitor, baseline]))
      .digest('hex'),
  };
}

async function baselineOf(
  store: ObjectStore,
  given: PublishedLine['baseline'],
  { model }: Monitor,
): Promise<Baseline | null> {
  if (given === null) return null;
  let baseline: Baseline = given as Baseline;
  if ('key' in given) {
    const stored = await store.get(given.key);
    if (stored === null)
      throw problem(
        'no-baseline',
        'baseline.from',
        'there is no such object',
        shown(given.key),
        'put it into the bucket of the platform, or name a file',
      );
    try {
      baseline = JSON.parse(new TextDecoder().decode(stored.body)) as Baseline;
    } catch {
      throw problem(
        'baseline',
        'baseline.from',
        'is not readable as JSON',
        shown(given.key),
        'make it with `mlmon profile`',
      );
    }
  }
  if (baseline.schema !== 'mlmon.baseline/v1')
    throw problem('baseline', 'baseline', 'is no baseline', shown(baseline.schema), 'make it with `mlmon profile`');
  if (baseline.model !== model)
    throw problem(
      'baseline',
      'baseline.model',
      'is the baseline of another model',
      shown(baseline.model),
      `make one of ${model}`,
    );
  return baseline;
}

export function parsedAlerting(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw problem(
      'alerting',
      'Alerting',
      'is not readable as JSON',
      shown(text),
      'deploy again with the constructs of this release',
    );
  }
  const parsed = alertingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError(
    parsed.error.issues.map((issue) => ({
      code: 'alerting',
      path: ['Alerting', ...issue.path].join('.'),
      message: 'is not valid',
      expected: issue.message,
      fix: 'mend channels, routes and mutes of the deployment',
    })),
  );
}

/** @throws ProblemError naming what is wrong in the channels that a publication brings */
export function parsedChannels(text: string): readonly Delivery[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = z.array(deliverySchema).max(50).safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError(
    parsed.error.issues.map((issue) => ({
      code: 'channels',
      path: ['Channels', ...issue.path].join('.'),
      message: 'is not valid',
      expected: issue.message,
      fix: 'mend the channels of the monitor, or deploy again with the constructs of this release',
    })),
  );
}

export function parsedBindings(text: string): Bindings {
  try {
    return parseBindings(text, 'Bindings');
  } catch (error) {
    throw problem(
      'bindings',
      'Bindings',
      error instanceof Error ? error.message.replace(/^Bindings: /, '') : 'is not valid',
    );
  }
}

function problem(code: string, path: string, message: string, got?: string, fix?: string): ProblemError {
  return new ProblemError([{ code, path, message, got, fix }]);
}
