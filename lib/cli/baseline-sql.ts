/** `mlmon baseline sql`: the captured events of a deployment on AWS as reference data, by a statement for Athena. */
import { resolve } from 'node:path';
import { captureRelation } from '../adapters/athena/capture-relation.ts';
import { withCapture } from '../adapters/capture-placeholder.ts';
import { durationMs } from '../contracts/duration.ts';
import { TIME_PATTERN } from '../contracts/event.ts';
import { keys } from '../contracts/object-keys.ts';
import { baselineQuery } from '../pipeline/baseline-query.ts';
import { type CommandIo, EXIT, wrongUse } from './command.ts';
import { readMonitorFile } from './monitor-option.ts';
import type { Options } from './options.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export async function baselineSql(file: string, options: Options, io: CommandIo): Promise<number> {
  const monitor = await readMonitorFile(resolve(io.cwd, file));
  const [from, to] = [moment(options, 'from-window'), moment(options, 'to-window')];
  if (from >= to)
    throw wrongUse('--to-window', 'is not after --from-window', 'give the end of the range, which is not part of it');
  const labelsUntil = to + durationMs(monitor.truth.horizon) + durationMs(monitor.window.lateness);
  const hours: string[] = [];
  // A delivery may lag, and an object lies in the hour of its oldest record.
  for (let hour = from - HOUR; hour <= labelsUntil + DAY; hour += HOUR)
    hours.push(keys.captureHour(hour), keys.redrivenHour(hour));
  const database = options.text('database');
  if (database === undefined)
    throw wrongUse(
      '--database',
      'is required',
      'name the Glue database of the deployment; its table is called capture',
    );
  const tables = { database, table: options.text('table') ?? 'capture' };
  io.stdout.write(
    `${withCapture(baselineQuery(monitor, { from, to, labelsUntil }), captureRelation(hours, tables))}\n`,
  );
  return EXIT.nothingFound;
}

function moment(options: Options, name: string): number {
  const given = options.text(name);
  if (given === undefined || !TIME_PATTERN.test(given))
    throw wrongUse(
      `--${name}`,
      given === undefined ? 'is required' : 'is no time',
      'write it as RFC 3339, e.g. 2026-03-01T00:00:00Z',
    );
  return Date.parse(given);
}
