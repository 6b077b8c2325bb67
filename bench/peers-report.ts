/**
 * `mlmon report` and `mlmon profile` against other products on the same files: whole processes, from start to result.
 *
 *   node --import tsx bench/peers-report.ts [row…]   rows: as below; all of them take about half an hour
 *
 * Peers are installed by pip into .cache/peers, each into a folder of its own; needs python3 with venv. Ours and the peer take turns, and of
 * each the quickest run counts, since other work on the machine only ever makes a run slower. Processor time counts all threads.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { tell } from './measurement.ts';
import { type DataFiles, DRIFTED, dataFiles } from './peers/data.ts';
import { cache, type Peer, pythonOf, type Run, root, run } from './peers/environment.ts';

const MILLION = 1_000_000;
const text = (line: string): void => void process.stdout.write(`${line}\n`);
const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(cache, 'run-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const mlmon = (...argv: readonly string[]): Run => run([process.execPath, join(root, 'bin/mlmon'), ...argv], folder, 1);
const report = ({ reference, current }: DataFiles, ...more: readonly string[]): Run =>
  mlmon('report', '--reference', reference, '--current', current, '--format', 'json', ...more);
const peer = (name: Peer, script: string, ...argv: readonly string[]): Run =>
  run([pythonOf(name), join(root, 'bench/peers', script), ...argv], folder);

interface Sides {
  readonly what: string;
  readonly ours: () => Run;
  readonly against: string;
  readonly theirs: () => Run;
  readonly rounds: number;
  /** Largest ratio of times, and of memories, ours / theirs. */
  readonly time: number;
  readonly memory?: number;
}

/** Takes turns and tells wall time, processor time and memory. Returns the last run of ours and of the peer. */
function measure(row: string, { what, ours, against, theirs, rounds, time, memory }: Sides): { own: Run; other: Run } {
  const runs: { own: Run; other: Run }[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0 ? ours() : null;
    const other = theirs();
    runs.push({ own: first ?? ours(), other });
  }
  const least = (of: (run: Run) => number, side: 'own' | 'other'): number =>
    Math.min(...runs.map((one) => of(one[side])));
  const figures = [
    { unit: 's', label: 'time', of: (run: Run) => run.wall, most: time },
    { unit: 's of processor time', label: 'processor time', of: (run: Run) => run.user + run.system, most: null },
    { unit: 'MiB', label: 'largest memory', of: (run: Run) => run.mib, most: memory ?? null },
  ];
  for (const { unit, label, of, most } of figures) {
    const [own, other] = [least(of, 'own'), least(of, 'other')];
    tell({
      benchmark: 'peers-report',
      measure: `${row}: ${what}, ${label}`,
      ours: own,
      reference: other,
      against,
      ratio: own / other,
      unit,
      target: most === null ? null : most >= 1 ? `at most ${most} times` : `at most 1/${Math.round(1 / most)}`,
      met: most === null ? null : own / other <= most,
      noise: null,
      command: `node --import tsx bench/peers-report.ts ${row}`,
    });
  }
  const last = runs.at(-1)!;
  const cores = (run: Run): string => ((run.user + run.system) / run.wall).toFixed(2);
  text(
    `${row}: cores in use on average: ours ${cores(last.own)}, peer ${cores(last.other)}; load ${loadavg()[0]?.toFixed(1)}`,
  );
  return last;
}

/** Throws unless exactly the drifted columns are found. */
function checkVerdicts(row: string, { output }: Run): void {
  const { features } = JSON.parse(output) as { readonly features: readonly { name: string; status: string }[] };
  const found = features.filter(({ status }) => status === 'drifted').map(({ name }) => name);
  if (found.join() !== DRIFTED.join())
    throw new Error(`${row}: ${found.join(', ')} drifted, expected ${DRIFTED.join(', ')}`);
  text(`${row}: drifted ${found.join(', ')}, and no other of ${features.length}`);
}

/** Data of gigabytes, made for one row and removed after it: 5.2 GB for ten million rows, 1 GB for a thousand columns. */
async function withLargeData(
  [rows, columns]: readonly [rows: number, columns?: number],
  work: (files: DataFiles) => void,
): Promise<void> {
  const files = await dataFiles(rows, columns);
  try {
    work(files);
  } finally {
    for (const file of Object.values(files)) rmSync(file);
  }
}

const monitor = join(root, 'bench/peers/monitor.yaml');

const ROWS: Readonly<Record<string, (row: string) => Promise<void>>> = {
  async 'report-duckdb'(row) {
    const files = await dataFiles(MILLION);
    const { own } = measure(row, {
      what: 'report of 1,000,000 × 50 a side',
      ours: () => report(files),
      against: 'a script that counts PSI in DuckDB, and nothing else',
      theirs: () => peer('duckdb', 'report-duckdb.py', files.reference, files.current),
      rounds: 5,
      time: 2,
      memory: 3,
    });
    checkVerdicts(row, own);
  },
  async 'report-evidently'(row) {
    const files = await dataFiles(MILLION);
    const { own, other } = measure(row, {
      what: 'report of 1,000,000 × 50 a side',
      ours: () => report(files),
      against: "Evidently's default preset",
      theirs: () => peer('evidently', 'report-evidently.py', files.reference, files.current),
      rounds: 1,
      time: 1 / 40,
      memory: 1 / 8,
    });
    checkVerdicts(row, own);
    text(`${row}: Evidently finds ${other.output.trim()}`);
  },
  async 'start-evidently'(row) {
    const files = await dataFiles(MILLION / 10);
    const { own, other } = measure(row, {
      what: 'report of 100,000 × 50 a side',
      ours: () => report(files),
      against: "Evidently's default preset",
      theirs: () => peer('evidently', 'report-evidently.py', files.reference, files.current),
      rounds: 3,
      time: 1 / 25,
    });
    checkVerdicts(row, own);
    text(`${row}: Evidently finds ${other.output.trim()}`);
  },
  async 'start-nannyml'(row) {
    const files = await dataFiles(MILLION / 10);
    const { other } = measure(row, {
      what: 'report of 100,000 × 50 a side',
      ours: () => report(files),
      against: "NannyML's univariate drift",
      theirs: () => peer('nannyml', 'report-nannyml.py', files.reference, files.current),
      rounds: 3,
      time: 1 / 5,
    });
    text(`${row}: NannyML alerts for ${other.output.trim()}`);
  },
  async 'report-scipy'(row) {
    const files = await dataFiles(MILLION);
    const { own, other } = measure(row, {
      what: 'report --test ks@scipy of 1,000,000 × 50 a side, 40 of them numbers',
      ours: () => report(files, '--test', 'ks@scipy'),
      against: "SciPy's ks_2samp over the columns of a data frame",
      theirs: () => peer('scipy', 'report-scipy.py', files.reference, files.current),
      rounds: 3,
      time: 1 / 3,
    });
    checkScipy(own, other);
    text(`${row}: the same statistics and p-values`);
  },
  async 'profile-whylogs'(row) {
    const { current } = await dataFiles(MILLION);
    measure(row, {
      what: 'profile of 1,000,000 × 50',
      ours: () => mlmon('profile', current, '--monitor', monitor, '--output', join(folder, 'baseline.json')),
      against: "whylogs' profile",
      theirs: () => peer('whylogs', 'profile-whylogs.py', current),
      rounds: 2,
      time: 1 / 20,
    });
  },
  async 'ten-million'(row) {
    const fewer = await dataFiles(MILLION);
    await withLargeData([10 * MILLION], (files) => {
      const { own } = measure(row, {
        what: 'report of 10,000,000 × 50 a side',
        ours: () => report(files),
        against: 'ours of 1,000,000 × 50',
        theirs: () => report(fewer),
        rounds: 2,
        time: 11,
        memory: 2,
      });
      checkVerdicts(row, own);
    });
  },
  async wide(row) {
    const fewer = await dataFiles(MILLION / 10);
    await withLargeData([MILLION / 10, 1_000], (files) => {
      const { own } = measure(row, {
        what: 'report of 100,000 × 1,000 a side',
        ours: () => report(files),
        against: 'ours of 100,000 × 50',
        theirs: () => report(fewer),
        rounds: 3,
        time: 22,
      });
      checkVerdicts(row, own);
    });
  },
  async page(row) {
    const files = await dataFiles(MILLION / 10);
    const page = join(folder, 'report.html');
    mlmon('report', '--reference', files.reference, '--current', files.current, '--format', 'html', '--output', page);
    const megabytes = statSync(page).size / 1e6;
    tell({
      benchmark: 'peers-report',
      measure: `${row}: the page of a report of 50 features, whatever the number of rows`,
      ours: megabytes,
      reference: null,
      ratio: null,
      unit: 'MB',
      target: '≤ 2 MB',
      met: megabytes <= 2,
      noise: null,
      command: `node --import tsx bench/peers-report.ts ${row}`,
    });
  },
};

/** Throws unless both have the same numbers. */
function checkScipy(own: Run, other: Run): void {
  const { features } = JSON.parse(own.output) as {
    readonly features: readonly { name: string; statistic: number; pValue: number }[];
  };
  const theirs = JSON.parse(other.output) as Readonly<Record<string, readonly [number, number]>>;
  for (const [name, [statistic, pValue]] of Object.entries(theirs)) {
    const ours = features.find((feature) => feature.name === name);
    const near = (a: number | undefined, b: number): boolean =>
      Math.abs((a ?? Number.NaN) - b) <= 1e-9 + 1e-6 * Math.abs(b);
    if (!near(ours?.statistic, statistic) || !near(ours?.pValue, pValue))
      throw new Error(`${name}: ${ours?.statistic}, p ${ours?.pValue}; SciPy has ${statistic}, p ${pValue}`);
  }
}

const unknown = wanted.filter((name) => !Object.hasOwn(ROWS, name));
if (unknown.length > 0) {
  process.stderr.write(`no row named ${unknown.join(', ')}; expected some of ${Object.keys(ROWS).join(', ')}\n`);
  process.exit(2);
}
for (const [name, work] of Object.entries(ROWS)) if (wanted.length === 0 || wanted.includes(name)) await work(name);
