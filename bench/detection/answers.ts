/** Answers of the workers by cell, and where they are kept between runs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { AlarmMonth } from './false-alarms.ts';
import type { PowerTrial, QuietMaxima } from './power.ts';
import type { Answer, Work } from './work.ts';

export interface Answers {
  readonly alarms: Map<string, AlarmMonth[]>;
  readonly power: Map<string, PowerTrial[]>;
  readonly threshold: Map<string, QuietMaxima[]>;
}

/** Months of a cell may arrive in another order than they were asked for: no figure depends on it. */
export function take(all: Answers, { kind, cell }: Pick<Work, 'kind' | 'cell'>, answer: Answer): void {
  if (kind === 'alarms') append(all.alarms, cell, answer as AlarmMonth[]);
  else if (kind === 'power') append(all.power, cell, answer as PowerTrial[]);
  else append(all.threshold, cell, answer as QuietMaxima[]);
}

function append<T>(to: Map<string, T[]>, cell: string, found: readonly T[]): void {
  to.set(cell, [...(to.get(cell) ?? []), ...found]);
}

export function readAnswers(file: string | undefined): Answers {
  const kept = file === undefined || !existsSync(file) ? {} : (JSON.parse(readFileSync(file, 'utf8')) as Kept);
  return {
    alarms: new Map(Object.entries(kept.alarms ?? {})),
    power: new Map(Object.entries(kept.power ?? {})),
    threshold: new Map(Object.entries(kept.threshold ?? {})),
  };
}

interface Kept {
  readonly alarms?: Readonly<Record<string, AlarmMonth[]>>;
  readonly power?: Readonly<Record<string, PowerTrial[]>>;
  readonly threshold?: Readonly<Record<string, QuietMaxima[]>>;
}

/** Only cells that are done; `left`: those that are not, as `kind cell`. */
export function keepAnswers(file: string | undefined, answers: Answers, left: ReadonlyMap<string, number>): void {
  if (file === undefined) return;
  const done = <T>(kind: Work['kind'], cells: Map<string, T>): Record<string, T> =>
    Object.fromEntries([...cells].filter(([cell]) => !left.has(`${kind} ${cell}`)));
  const kept: Kept = {
    alarms: done('alarms', answers.alarms),
    power: done('power', answers.power),
    threshold: done('threshold', answers.threshold),
  };
  writeFileSync(file, JSON.stringify(kept));
}
