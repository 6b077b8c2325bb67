/** What a worker process is asked: a run of months or trials of one cell; and what it answers. */
import { ALARM_CELLS, type AlarmMonth, alarmMonth } from './false-alarms.ts';
import {
  POWER_CELLS,
  type PowerTrial,
  powerTrial,
  type QuietMaxima,
  quietMaxima,
  STATED_CELLS,
  type ThresholdCell,
} from './power.ts';

interface Run {
  readonly from: number;
  readonly to: number;
}

export type Work =
  | (Run & { readonly kind: 'alarms' | 'power'; readonly cell: string })
  | (Run & { readonly kind: 'threshold'; readonly cell: string; readonly of: ThresholdCell });

export type Answer = AlarmMonth[] | PowerTrial[] | QuietMaxima[];

export function perform(work: Work): Answer {
  const run = <T>(one: (i: number) => T): T[] =>
    Array.from({ length: work.to - work.from }, (_, i) => one(work.from + i));
  if (work.kind === 'threshold') return run((month) => quietMaxima(work.of, month));
  if (work.kind === 'alarms') {
    const cell = found(ALARM_CELLS, work.cell);
    return run((month) => alarmMonth(cell, month));
  }
  const cell = found([...POWER_CELLS, ...STATED_CELLS], work.cell);
  return run((trial) => powerTrial(cell, trial));
}

function found<T extends { readonly name: string }>(cells: readonly T[], name: string): T {
  const cell = cells.find((one) => one.name === name);
  if (cell === undefined) throw new Error(`there is no cell ${name}`);
  return cell;
}
