/** Shares pieces of work out among processes. What comes out does not depend on how many there are: every month has its own seed. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AlarmMonth } from './false-alarms.ts';
import type { PowerTrial, QuietMaxima } from './power.ts';
import type { Answer, Answers, Work } from './work.ts';

const SCRIPT = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** `told`: called as pieces are done. Rejects when a worker ends before its work. */
export async function workAll(
  pieces: readonly Work[],
  workers: number,
  told: (done: number, piece: Work) => void,
): Promise<Answers> {
  const answers: Answer[] = new Array(pieces.length);
  let next = 0;
  let done = 0;
  const one = async (): Promise<void> => {
    const child = fork(SCRIPT, { execArgv: ['--import', 'tsx'] });
    try {
      for (let at = next++; at < pieces.length; at = next++) {
        answers[at] = await ask(child, pieces[at]!);
        told(++done, pieces[at]!);
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: workers }, one));
  const all: Answers = { alarms: new Map(), power: new Map(), threshold: new Map() };
  pieces.forEach(({ kind, cell }, i) => {
    if (kind === 'alarms') append(all.alarms, cell, answers[i] as AlarmMonth[]);
    else if (kind === 'power') append(all.power, cell, answers[i] as PowerTrial[]);
    else append(all.threshold, cell, answers[i] as QuietMaxima[]);
  });
  return all;
}

function append<T>(to: Map<string, T[]>, cell: string, found: readonly T[]): void {
  to.set(cell, [...(to.get(cell) ?? []), ...found]);
}

function ask(child: ChildProcess, work: Work): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a worker ended with ${code} at ${work.cell}`));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer as Answer);
    });
    child.send(work);
  });
}
