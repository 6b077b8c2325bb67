import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { Baseline } from '../contracts/baseline.ts';
import { type Monitor as Declared, type MonitorInput, parseMonitor } from '../contracts/monitor.ts';
import { baselineProblem, dataFileProblem, isOurOwn, unreadableFile } from '../contracts/named-baseline.ts';
import { PREFIXES } from '../contracts/object-keys.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import type { PublishedLine } from '../contracts/publication.ts';
import { yamlProblems } from '../contracts/yaml-problems.ts';

/** What `baseline.from` begins with where it names an object of the platform's bucket instead of a file: `store:uploads/churn/3.json`. */
export const STORED_BASELINE = 'store:';

/**
 * What is to be watched on one model, with its baseline: checked at synthesis, published when deployed. Reads what `mlmon profile` made, never
 * data.
 */
export class Monitor {
  /** A monitor of YAML or JSON; `baseline.from` is seen from its folder. */
  static fromFile(path: string): Monitor {
    const { input, problems } = readFile(path);
    if (problems.length > 0) throw new ProblemError(problems);
    return made(input, dirname(resolve(path)), path);
  }

  /** Every monitor of a folder: `*.yaml`, `*.yml`, `*.json`; baselines among them are left out. The problems of all are told together. */
  static fromFolder(path: string): Monitor[] {
    const files = namesIn(path)
      .filter((name) => /\.(?:ya?ml|json)$/.test(name))
      .sort()
      .map((name) => join(path, name));
    const problems: Problem[] = [];
    const monitors: Monitor[] = [];
    for (const file of files) {
      try {
        if (!isOurOwn(readFileSync(file, 'utf8'))) monitors.push(Monitor.fromFile(file));
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        problems.push(...error.problems);
      }
    }
    if (problems.length > 0) throw new ProblemError(problems);
    return monitors;
  }

  /** The same as an object; `baseline.from` is seen from the working directory. */
  static of(monitor: MonitorInput): Monitor {
    return made(monitor, process.cwd(), monitor.model);
  }

  readonly model: string;
  /** With every default filled in. */
  readonly declared: Declared;
  /** What is published. */
  readonly line: PublishedLine;

  private constructor(declared: Declared, line: PublishedLine) {
    this.model = declared.model;
    this.declared = declared;
    this.line = line;
  }

  /** @internal */
  static _make(declared: Declared, line: PublishedLine): Monitor {
    return new Monitor(declared, line);
  }

  /** Names of the features that are watched: of the monitor, else of its baseline; `undefined` where neither says. */
  get features(): readonly string[] | undefined {
    if (this.declared.features !== undefined) return Object.keys(this.declared.features);
    const { baseline } = this.line;
    if (baseline === null || !('columns' in baseline)) return undefined;
    return baseline.columns.filter(({ role }) => role === 'feature').map(({ name }) => name);
  }
}

function made(input: unknown, folder: string, place: string): Monitor {
  const { monitor, problems } = parseMonitor(input);
  const read = monitor === null ? { baseline: null, problems: [] } : baselineOf(monitor, folder);
  const all = [...problems, ...read.problems];
  if (monitor === null || all.length > 0)
    throw new ProblemError(
      all.map((problem) => ({ ...problem, path: problem.path === '' ? place : `${place}: ${problem.path}` })),
    );
  // What its author wrote is what is published: a later release may fill in other defaults.
  return Monitor._make(monitor, { monitor: input as Readonly<Record<string, unknown>>, baseline: read.baseline });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ProblemError([
      {
        code: 'file',
        path: folder,
        message: 'cannot be read',
        got: (error as NodeJS.ErrnoException).code,
        expected: 'a folder of monitors, as seen from where the app runs',
      },
    ]);
  }
}

function readFile(path: string): { readonly input: unknown; readonly problems: readonly Problem[] } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return { input: null, problems: [unreadableFile(path, error)] };
  }
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length === 0) return { input: document.toJS({ maxAliasCount: 20 }), problems: [] };
  return {
    input: null,
    problems: yamlProblems(document.errors, path),
  };
}

interface BaselineRead {
  readonly baseline: PublishedLine['baseline'];
  readonly problems: readonly Problem[];
}

function baselineOf(monitor: Declared, folder: string): BaselineRead {
  const { from, learn } = monitor.baseline;
  if (learn !== undefined) return { baseline: null, problems: hashedWhileLearning(monitor) };
  if (from === undefined) return { baseline: null, problems: [] };
  const wrong = (problem: Omit<Problem, 'path'>): BaselineRead => ({
    baseline: null,
    problems: [{ path: 'baseline.from', ...problem }],
  });
  if (from.startsWith(STORED_BASELINE)) {
    const key = from.slice(STORED_BASELINE.length);
    if (!key.startsWith(PREFIXES.uploads) || key === PREFIXES.uploads)
      return wrong({
        code: 'stored-baseline',
        message: 'names an object that the publisher may not read',
        got: shown(from),
        expected: `${STORED_BASELINE}${PREFIXES.uploads}<key>`,
        fix: `let the training pipeline put its baseline under ${PREFIXES.uploads} of the platform's bucket`,
      });
    if (monitor.features === undefined)
      return wrong({
        code: 'stored-baseline',
        message: 'names an object that cannot be read at synthesis',
        got: shown(from),
        expected: `${STORED_BASELINE}${PREFIXES.uploads}<key> together with \`features\``,
        fix: 'declare the features, or name the file that `mlmon profile` made',
      });
    return { baseline: { key }, problems: [] };
  }
  const dataFile = dataFileProblem(from);
  if (dataFile !== null) return { baseline: null, problems: [dataFile] };
  const file = resolve(folder, from);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return { baseline: null, problems: [unreadableFile('baseline.from', error, file)] };
  }
  const problem = baselineProblem(content, from, monitor.model);
  if (problem !== null) return { baseline: null, problems: [problem] };
  return { baseline: content as Baseline, problems: [] };
}

/** The function that makes the baseline has no right to the key that hashes are marked with. */
function hashedWhileLearning({ features }: Declared): Problem[] {
  return Object.entries(features ?? {})
    .filter(([, { policy }]) => policy === 'hash')
    .map(([name]) => ({
      code: 'learning-of-hashes',
      path: `features.${name}.policy`,
      message: 'a baseline with hashes is not learned on AWS',
      got: 'hash',
      expected: 'keep or drop',
      fix: 'make the baseline of data with `mlmon profile`, and name it as baseline.from',
    }));
}
