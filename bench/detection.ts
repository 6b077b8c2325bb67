/**
 * Months of drawn traffic, judged by the verdict of the platform: how often it rings when nothing has changed, how soon when something
 * has, beside the peers; and months of real flights. Writes the tables and the plot of docs/detection.md.
 *
 *   npm run bench -- detection                  everything: some twelve minutes on two cores
 *   npm run bench -- detection --quick          a tenth of the months, nothing written
 *   npm run bench -- detection --cell TEXT      only cells whose name has this text, nothing written
 *   … --months N --trials N --workers N --only alarms|power|flights --write
 *   … --keep FILE                             go on from FILE: cells that it holds in full are not drawn again
 */
import { parseArgs } from 'node:util';
import { type Answers, keepAnswers, readAnswers, take } from './detection/answers.ts';
import { ALARM_CELLS } from './detection/false-alarms.ts';
import { flightsReplayed } from './detection/flights.ts';
import { workAll } from './detection/pool.ts';
import { POWER_CELLS, type PowerCell, STATED_CELLS, thresholdCell } from './detection/power.ts';
import { alarmLine, flightsText, powerLine, writePage } from './detection/report.ts';
import { type PowerSummary, realisedOpenings, summariseAlarms, summarisePower } from './detection/summary.ts';
import type { Work } from './detection/work.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    cell: { type: 'string' },
    months: { type: 'string' },
    trials: { type: 'string' },
    workers: { type: 'string', default: '2' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});
const text = (line: string): void => void process.stdout.write(`${line}\n`);
const part = (name: string): boolean => options.only === undefined || options.only === name;
const scaled = (count: number): number => (options.quick ? Math.ceil(count / 10) : count);
const chosen = <T extends { readonly name: string }>(cells: readonly T[], on: boolean): T[] =>
  on ? cells.filter(({ name }) => options.cell === undefined || name.includes(options.cell)) : [];

const MONTHS = 60;
const TRIALS = 40;
const QUIET_MONTHS = 240;
/** Months or trials in one piece of work. */
const PIECE = 10;

const alarmCells = chosen(ALARM_CELLS, part('alarms'));
const powerCells = chosen([...POWER_CELLS, ...STATED_CELLS], part('power'));

function pieces(kept: Answers): Work[] {
  const work: Work[] = [];
  const add = (known: unknown[] | undefined, count: number, one: (from: number, to: number) => Work): void => {
    if ((known?.length ?? 0) >= count) return;
    known?.splice(0);
    for (let from = 0; from < count; from += PIECE) work.push(one(from, Math.min(count, from + PIECE)));
  };
  const months = Number(options.months ?? scaled(MONTHS));
  for (const { name } of alarmCells)
    add(kept.alarms.get(name), months, (from, to) => ({ kind: 'alarms', cell: name, from, to }));
  const quiet = new Map(powerCells.map((cell: PowerCell) => [thresholdCell(cell).name, thresholdCell(cell)]));
  for (const [cell, of] of quiet)
    add(kept.threshold.get(cell), scaled(QUIET_MONTHS), (from, to) => ({ kind: 'threshold', cell, of, from, to }));
  const trials = Number(options.trials ?? scaled(TRIALS));
  for (const { name } of powerCells)
    add(kept.power.get(name), trials, (from, to) => ({ kind: 'power', cell: name, from, to }));
  return work;
}

/** Peers' thresholds are set to what ours opened in the same run. */
function powerOf(found: Answers, cells: readonly PowerCell[]): PowerSummary[] {
  const openingsOf = (cell: PowerCell): number => realisedOpenings(found.alarms, alarmCells, cell);
  return summarisePower({ trials: found.power, maxima: found.threshold, openingsOf }, cells);
}

const started = Date.now();
const answers = readAnswers(options.keep);
const work = pieces(answers);
const left = new Map<string, number>();
for (const { kind, cell } of work) left.set(`${kind} ${cell}`, (left.get(`${kind} ${cell}`) ?? 0) + 1);
await workAll(work, Number(options.workers), (done, piece, answer) => {
  const { kind, cell } = piece;
  const key = `${kind} ${cell}`;
  take(answers, piece, answer);
  left.set(key, (left.get(key) ?? 0) - 1);
  if (left.get(key) !== 0) return;
  left.delete(key);
  keepAnswers(options.keep, answers, left);
  const seconds = Math.round((Date.now() - started) / 1000);
  const name = (one: { readonly cell: { readonly name: string } }): boolean => one.cell.name === cell;
  const told =
    kind === 'alarms'
      ? summariseAlarms(answers.alarms, alarmCells).filter(name).map(alarmLine)
      : kind === 'power'
        ? powerOf(answers, powerCells).filter(name).map(powerLine)
        : [];
  for (const line of told) text(`${seconds} s, ${done} of ${work.length}: ${line}`);
});
const alarms = summariseAlarms(answers.alarms, alarmCells);
const power = powerOf(answers, powerCells);
const flights = part('flights') && options.cell === undefined ? await flightsReplayed() : [];
for (const one of flights) text(flightsText(one));
const whole = options.cell === undefined && options.only === undefined && !options.quick;
if (whole || options.write) writePage({ alarms, power, flights });
text(`${Math.round((Date.now() - started) / 1000)} s`);
