/**
 * Which partitions of the Glue tables a query may read: those of the hours that it is given, told as predicates that the engine
 * can decide before it opens a file. The days stand in a plain conjunction, since not every planner looks into a disjunction.
 */

const HOUR = 3_600_000;
const KEY = /^(capture|capture-redriven)\/dt=(\d{4}-\d\d-\d\d)\/hr=(\d\d)\//;

export interface PartitionHours {
  /** Starts of the hours, ascending, each once, milliseconds since 1970. */
  readonly captured: readonly number[];
  readonly redriven: readonly number[];
}

/**
 * The hours of objects, or of prefixes of objects.
 * @throws RangeError naming a key that lies in no hour
 */
export function hoursOf(keys: readonly string[]): PartitionHours {
  const captured = new Set<number>();
  const redriven = new Set<number>();
  for (const key of keys) {
    const match = KEY.exec(key);
    if (match === null)
      throw new RangeError(
        `${key}: an object of the capture lies under capture/dt=YYYY-MM-DD/hr=HH/; nothing else can be queried`,
      );
    (match[1] === 'capture' ? captured : redriven).add(Date.parse(`${match[2]}T${match[3]}:00:00Z`));
  }
  const ascending = (hours: ReadonlySet<number>): number[] => [...hours].sort((a, b) => a - b);
  return { captured: ascending(captured), redriven: ascending(redriven) };
}

/** A condition on `dt` and `hr` that holds for exactly these hours. At least one. */
export function partitionPredicate(hours: readonly number[]): string {
  const runs = runsOf(hours);
  const first = dt(runs[0]?.from ?? 0);
  const last = dt(runs.at(-1)?.to ?? 0);
  const days = first === last ? `dt = '${first}'` : `dt >= '${first}' AND dt <= '${last}'`;
  const exact = runs.map(runPredicate);
  return `${days} AND (${exact.join(' OR ')})`;
}

interface Run {
  /** First and last hour. */
  readonly from: number;
  readonly to: number;
}

function runsOf(hours: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const hour of hours) {
    const last = runs.at(-1);
    if (last !== undefined && hour === last.to + HOUR) runs[runs.length - 1] = { from: last.from, to: hour };
    else runs.push({ from: hour, to: hour });
  }
  return runs;
}

function runPredicate({ from, to }: Run): string {
  const [first, last] = [dt(from), dt(to)];
  if (first === last) return `dt = '${first}' AND hr >= '${hr(from)}' AND hr <= '${hr(to)}'`;
  const begins =
    hr(from) === '00' ? `dt >= '${first}'` : `(dt > '${first}' OR dt = '${first}' AND hr >= '${hr(from)}')`;
  const ends = hr(to) === '23' ? `dt <= '${last}'` : `(dt < '${last}' OR dt = '${last}' AND hr <= '${hr(to)}')`;
  return `${begins} AND ${ends}`;
}

function dt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function hr(ms: number): string {
  return new Date(ms).toISOString().slice(11, 13);
}
