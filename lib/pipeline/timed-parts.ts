/** Moving parts that do something again and again, made of what does it once. `waitMs`: between steps that found nothing to do. */
import type { Archiver } from './archiver.ts';
import type { Eraser } from './eraser.ts';
import { applyEventRetention, type EventRetentionOptions, type ExpiryOptions, expireByAge } from './event-retention.ts';
import type { Labeler } from './labeler.ts';
import type { Learner } from './learner.ts';
import type { Registry } from './registry.ts';
import { applyRetention } from './retention.ts';
import type { Part } from './run.ts';

export function every(name: string, waitMs: number, work: () => Promise<unknown>): Part {
  return {
    name,
    step: async () => {
      await work();
      return { waitMs };
    },
  };
}

/** Waits before its first step: after a long stop, what is on the log is read before old segments go. */
export function afterwards(part: Part, waitMs: number): Part {
  let begun = false;
  return {
    ...part,
    step: async (signal) => {
      if (begun) return part.step(signal);
      begun = true;
      return { waitMs };
    },
  };
}

export function archiverPart(archiver: Archiver, waitMs: number): Part {
  return { name: 'archiver', step: async () => ({ waitMs: (await archiver.step()).objects > 0 ? 0 : waitMs }) };
}

export function labelerPart(labeler: Labeler, waitMs: number): Part {
  return { name: 'labeler', step: async () => ({ waitMs: (await labeler.step()).windows > 0 ? 0 : waitMs }) };
}

/** Looks for what landed of predictions that are to be erased. */
export function eraserPart(eraser: Pick<Eraser, 'again'>, waitMs: number): Part {
  return {
    name: 'eraser',
    step: async () => ({ waitMs, problem: (await eraser.again())?.problems[0] ?? null }),
  };
}

/** Deletes what is older than it is to be kept. */
export function retentionPart(options: Omit<EventRetentionOptions & ExpiryOptions, 'signal'>, waitMs: number): Part {
  return {
    name: 'retention',
    step: async (signal) => {
      const given = { ...options, signal };
      await expireByAge(given);
      await applyRetention(given);
      await applyEventRetention(given);
      return { waitMs };
    },
  };
}

export function learnerPart(learner: Learner, registry: Registry, waitMs: number): Part {
  return {
    name: 'learner',
    step: async () => {
      const { published, failed } = await learner.step();
      // What was published must be known to this process as soon as to any other.
      if (published > 0) registry.invalidate();
      const [first] = failed;
      return { waitMs, problem: first === undefined ? null : `${first[0]}: ${first[1].message}` };
    },
  };
}
