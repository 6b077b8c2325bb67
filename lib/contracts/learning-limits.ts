/** From what a baseline can be learned: the rules of `baseline.learn`. */
import { durationMs, durationText } from './duration.ts';
import { type Problem, shown } from './problem.ts';

/** Fewer windows tell nothing of how windows differ, and nothing would ever be judged. */
export const LEAST_LEARNED_WINDOWS = 4;
const LONGEST_LEARNING_MS = 90 * 86_400_000;

/** What decides it of a monitor. */
interface Declared {
  readonly baseline: {
    readonly learn?: string | undefined;
    readonly from?: string | undefined;
    readonly fallback: 'last-approved' | 'none';
  };
  readonly features?: Readonly<Record<string, { readonly policy: 'keep' | 'hash' | 'bucket' | 'drop' }>> | undefined;
  readonly window: { readonly every: string };
}

/** Why nothing could be learned as the monitor says. */
export function unlearnable({ baseline, features, window }: Declared): Problem[] {
  const { learn, from, fallback } = baseline;
  if (learn === undefined) return [];
  const problems: Problem[] = [];
  const path = 'baseline.learn';
  const least = LEAST_LEARNED_WINDOWS * durationMs(window.every);
  if (durationMs(learn) < least || durationMs(learn) > LONGEST_LEARNING_MS)
    problems.push({
      code: 'learning-time',
      path,
      message: `is too ${durationMs(learn) < least ? 'short' : 'long'}`,
      got: learn,
      expected: `${durationText(least)} (${LEAST_LEARNED_WINDOWS} windows) to ${durationText(LONGEST_LEARNING_MS)}`,
    });
  if (from !== undefined)
    problems.push({
      code: 'two-baselines',
      path,
      message: 'a baseline is either given or learned',
      got: `from ${shown(from)} and learn ${learn}`,
      fix: 'remove one of them',
    });
  if (Object.values(features ?? {}).every(({ policy }) => policy === 'drop'))
    problems.push({
      code: 'learning-without-features',
      path: 'features',
      message: 'nothing but the monitor says what is to be learned',
      expected: 'the features with their types',
      fix: 'declare them; `mlmon init` writes them from a sample of data',
    });
  for (const [name, { policy }] of Object.entries(features ?? {}))
    if (policy === 'bucket')
      problems.push({
        code: 'learning-of-buckets',
        path: `features.${name}.policy`,
        message: 'buckets come from a baseline, and there is none to learn them with',
        got: policy,
        expected: 'keep, hash or drop',
        fix: 'make the baseline of data with `mlmon profile`',
      });
  if (fallback === 'none')
    problems.push({
      code: 'learning-without-fallback',
      path: 'baseline.fallback',
      message:
        'one baseline is learned for the model, under the version with most rows; other versions would have none',
      got: fallback,
      expected: 'last-approved',
    });
  return problems;
}
