/** Verdicts, severities and signals in words, with the order in which people want to see them. */
import type { Severity, Signal, Verdict } from '../../../contracts/result.ts';

export interface StateWords {
  readonly word: string;
  readonly meaning: string;
  /** Larger is more urgent. */
  readonly rank: number;
}

export const STATES: Readonly<Record<Verdict, StateWords>> = {
  failed: { word: 'failed', meaning: 'The window could not be judged. Something is broken.', rank: 6 },
  drifted: { word: 'drifted', meaning: 'Changed beyond chance, and by enough to matter.', rank: 5 },
  stale: { word: 'stale', meaning: 'Data is missing or late, so nothing can be said.', rank: 4 },
  'insufficient-data': { word: 'too little data', meaning: 'Too few rows to say anything.', rank: 3 },
  immature: { word: 'immature', meaning: 'Labels are still arriving.', rank: 2 },
  learning: { word: 'learning', meaning: 'No window has been judged yet.', rank: 1 },
  ok: { word: 'ok', meaning: 'No change beyond chance.', rank: 0 },
};

/** Also for a verdict that this page does not know yet: a newer platform must not break it. */
export function stateWords(status: string): StateWords {
  return Object.hasOwn(STATES, status)
    ? STATES[status as Verdict]
    : { word: status, meaning: 'A state this page does not know.', rank: 3 };
}

const SEVERITY_RANK: Readonly<Record<Severity, number>> = { info: 1, warning: 2, critical: 3 };

export function severityRank(severity: Severity | null): number {
  return severity === null ? 0 : (SEVERITY_RANK[severity] ?? 1);
}

/** What a signal says when it is open, as a headline. */
const SIGNALS: Readonly<Record<Signal, { readonly noun: string; readonly headline: string }>> = {
  drift: { noun: 'Drift', headline: 'Data changed' },
  quality: { noun: 'Data quality', headline: 'Data quality broke' },
  performance: { noun: 'Performance', headline: 'Performance fell' },
  latency: { noun: 'Latency', headline: 'Answers are slow' },
  volume: { noun: 'Volume', headline: 'Traffic is unusual' },
  blind: { noun: 'Blind', headline: 'Monitoring does not see' },
};

export function signalNoun(signal: string): string {
  return Object.hasOwn(SIGNALS, signal) ? SIGNALS[signal as Signal].noun : signal;
}

export function signalHeadline(signal: string): string {
  return Object.hasOwn(SIGNALS, signal) ? SIGNALS[signal as Signal].headline : signal;
}

/** The steps of the effect w that readers know: 0 under tiny, 1 tiny, 2 small, 3 medium, 4 large. */
export const EFFECT_STEPS = [0.05, 0.1, 0.3, 0.5] as const;
const EFFECT_WORDS = ['negligible', 'tiny', 'small', 'medium', 'large'] as const;

export function effectStep(effect: number | null): 0 | 1 | 2 | 3 | 4 {
  if (effect === null || !Number.isFinite(effect)) return 0;
  let step = 0;
  for (const bound of EFFECT_STEPS) if (effect >= bound) step++;
  return step as 0 | 1 | 2 | 3 | 4;
}

export function effectWord(effect: number | null): string {
  return effect === null ? 'unknown' : (EFFECT_WORDS[effectStep(effect)] ?? '');
}
