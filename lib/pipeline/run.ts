/**
 * Runs any set of moving parts until told to stop. A part that fails is tried again, after longer and longer waits, and says so
 * meanwhile: none dies in silence, and none takes another with it.
 */
import { sleep } from './retry.ts';

export interface StepOutcome {
  /** Milliseconds until the next step; 0 for at once. */
  readonly waitMs: number;
  /** What went wrong although the step went on: the part is shown as failing until a step has none. */
  readonly problem?: string | null;
}

/** One moving part: something that is done again and again. */
export interface Part {
  readonly name: string;
  /** Does what is to be done now. Must be safe to call again after it threw. */
  step(signal: AbortSignal): Promise<StepOutcome>;
  /** Finishes what was begun, once, after the last step. */
  stop?(): Promise<void>;
}

export interface PartState {
  readonly name: string;
  readonly state: 'running' | 'stopped' | 'failing';
  /** Why it is failing, or why it failed to stop. */
  readonly error: string | null;
  /** Steps that failed one after another. */
  readonly failures: number;
}

export interface Running {
  states(): PartState[];
  /** Resolves when all parts have stopped. Never rejects. */
  readonly stopped: Promise<void>;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Bounds of the wait after a failed step, milliseconds. @default 100 and 30000 */
  readonly firstWaitMs?: number;
  readonly longestWaitMs?: number;
  /** Told of every failed step. */
  readonly onFailure?: (part: string, error: Error) => void;
}

export function runParts(parts: readonly Part[], options: RunOptions): Running {
  const states = new Map<Part, PartState>();
  const loops = parts.map((part) => runPart(part, options, (state) => states.set(part, { name: part.name, ...state })));
  return {
    states: () => parts.map((part) => states.get(part) as PartState),
    stopped: Promise.all(loops).then(() => undefined),
  };
}

async function runPart(
  part: Part,
  { signal, firstWaitMs = 100, longestWaitMs = 30_000, onFailure }: RunOptions,
  show: (state: Omit<PartState, 'name'>) => void,
): Promise<void> {
  let failures = 0;
  show({ state: 'running', error: null, failures });
  while (!signal.aborted) {
    let waitMs: number;
    try {
      const outcome = await part.step(signal);
      waitMs = outcome.waitMs;
      failures = 0;
      const problem = outcome.problem ?? null;
      show({ state: problem === null ? 'running' : 'failing', error: problem, failures });
    } catch (error) {
      failures++;
      waitMs = (0.5 + Math.random() / 2) * Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures - 1, 20));
      show({ state: 'failing', error: messageOf(error), failures });
      onFailure?.(part.name, error instanceof Error ? error : new Error(String(error)));
    }
    // Even a part that is always busy lets the event loop serve others.
    if (waitMs <= 0) await new Promise<void>((resolve) => setImmediate(resolve));
    else await sleep(waitMs, signal);
  }
  let error: string | null = null;
  try {
    await part.stop?.();
  } catch (failure) {
    error = messageOf(failure);
    onFailure?.(part.name, failure instanceof Error ? failure : new Error(error));
  }
  show({ state: 'stopped', error, failures });
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message || error.name : String(error)).slice(0, 500);
}
