/**
 * Months of drawn traffic, judged by the verdict of the platform: how often it rings when nothing has changed, how soon when something
 * has, beside the peers; and months of real flights. Writes the tables and the plot of docs/detection.md.
 *
 *   npm run bench -- detection                  everything: some twelve minutes on two cores
 *   npm run bench -- detection --quick          a tenth of the months, nothing written
 *   npm run bench -- detection --cell TEXT      only cells whose name has this text, nothing written
 *   … --months N --trials N --workers N --only alarms|power|flights --write
 */
import { parseArgs } from 'node:util';
import { ALARM_CELLS, type AlarmCell } from './detection/false-alarms.ts';
import { flightsReplayed } from './detection/flights.ts';
import { workAll } from './detection/pool.ts';
import { POWER_CELLS, type PowerCell, STATED_CELLS, thresholdCell } from './detection/power.ts';
import { alarmLine, flightsText, powerLine, writePage } from './detection/report.ts';
import { summariseAlarms, summarisePower } from './detection/summary.ts';
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
  },
});
const text = (line: string): void => void process.stdout.write(`${line}\n`);
const part = (name: string): boolean => options.only === undefined || options.only === name;
const scaled = (count: number): number => (options.quick ? Math.ceil(count / 10) : count);
const chosen = <T extends { readonly name: string }>(cells: readonly T[], on: boolean): T[] =>
  on ? cells.filter(({ name }) => options.cell === undefined || name.includes(options.cell)) : [];

const MONTHS = { hourly: 60, daily: 120 } as const;
const TRIALS = 60;
const QUIET_MONTHS = 240;
/** Months or trials in one piece of work. */
const PIECE = 10;

const alarmCells = chosen(ALARM_CELLS, part('alarms'));
const powerCells = chosen([...POWER_CELLS, ...STATED_CELLS], part('power'));

function pieces(): Work[] {
  const work: Work[] = [];
  const add = (count: number, one: (from: number, to: number) => Work): void => {
    for (let from = 0; from < count; from += PIECE) work.push(one(from, Math.min(count, from + PIECE)));
  };
  const months = ({ cadence }: AlarmCell): number => Number(options.months ?? scaled(MONTHS[cadence]));
  for (const cell of alarmCells) add(months(cell), (from, to) => ({ kind: 'alarms', cell: cell.name, from, to }));
  for (const { name } of powerCells)
    add(Number(options.trials ?? scaled(TRIALS)), (from, to) => ({ kind: 'power', cell: name, from, to }));
  const quiet = new Map(powerCells.map((cell: PowerCell) => [thresholdCell(cell).name, thresholdCell(cell)]));
  for (const of of quiet.values())
    add(scaled(QUIET_MONTHS), (from, to) => ({ kind: 'threshold', cell: of.name, of, from, to }));
  return work;
}

const started = Date.now();
const work = pieces();
const answers = await workAll(work, Number(options.workers), (done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${work.length}`);
});
const alarms = summariseAlarms(answers.alarms, alarmCells);
const power = summarisePower(answers.power, answers.threshold, powerCells);
for (const one of alarms) text(alarmLine(one));
for (const one of power) text(powerLine(one));
const flights = part('flights') && options.cell === undefined ? await flightsReplayed() : [];
for (const one of flights) text(flightsText(one));
const whole = options.cell === undefined && options.only === undefined && !options.quick;
if (whole || options.write) writePage({ alarms, power, flights });
text(`${Math.round((Date.now() - started) / 1000)} s`);
