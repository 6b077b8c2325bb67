/** A monitor named on the command line: exactly one. */
import type { Monitor } from '../contracts/monitor.ts';
import { readMonitorFiles } from '../local/monitor-file.ts';
import { wrongUse } from './command.ts';

/** @throws ProblemError when there is none, more than one, or it is not valid */
export async function readMonitorFile(path: string): Promise<Monitor> {
  const files = await readMonitorFiles(path);
  const [first] = files;
  if (first === undefined) throw wrongUse('--monitor', `there is no monitor in ${path}`, 'write one with `mlmon init`');
  if (files.length > 1) throw wrongUse('--monitor', `${path} holds ${files.length} monitors`, 'name one file');
  return first.monitor;
}
