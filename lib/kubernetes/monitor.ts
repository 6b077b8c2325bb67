/** A monitor on its way into the cluster: checked at synthesis, mounted beside its baseline, published by the evaluator. Reads no data. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { type Monitor as Declared, type MonitorInput, parseMonitor } from '../contracts/monitor.ts';
import { baselineProblem, dataFileProblem, isOurOwn, unreadableFile } from '../contracts/named-baseline.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { yamlProblems } from '../contracts/yaml-problems.ts';
import { CONFIG_MAP_LIMIT } from './defaults.ts';

/** What is to be watched on one model. */
export class Monitor {
  /** A monitor of YAML or JSON; `baseline.from` is seen from its folder. @throws ProblemError naming every problem */
  static fromFile(path: string): Monitor {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      throw new ProblemError([unreadableFile(path, error)]);
    }
    return Monitor.fromText(text, { folder: dirname(resolve(path)), place: path });
  }

  /** Every monitor of a folder (`*.yaml`, `*.yml`, `*.json`); baselines among them are left out. @throws ProblemError with the problems of all */
  static fromFolder(path: string): Monitor[] {
    const problems: Problem[] = [];
    const monitors: Monitor[] = [];
    for (const name of readdirSync(path).sort()) {
      const file = join(path, name);
      if (!/\.(?:ya?ml|json)$/.test(name) || isOurOwn(readFileSync(file, 'utf8'))) continue;
      try {
        monitors.push(Monitor.fromFile(file));
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        problems.push(...error.problems);
      }
    }
    if (problems.length > 0) throw new ProblemError(problems);
    return monitors;
  }

  /** The same as text; `baseline.from` is seen from `folder`. */
  static fromText(text: string, options: { readonly folder: string; readonly place?: string }): Monitor {
    const { folder, place = 'monitor' } = options;
    const document = parseDocument(text, { prettyErrors: true });
    if (document.errors.length > 0) throw new ProblemError(yamlProblems(document.errors, place));
    return Monitor.#make(document.toJS({ maxAliasCount: 20 }), folder, place);
  }

  /** The same as an object; `baseline.from` is seen from the working directory. */
  static of(monitor: MonitorInput): Monitor {
    return Monitor.#make(monitor, process.cwd(), monitor.model);
  }

  readonly model: string;
  /** With every default filled in. */
  readonly declared: Declared;
  /** Files of its ConfigMap, by name. */
  readonly files: Readonly<Record<string, string>>;

  private constructor(declared: Declared, files: Readonly<Record<string, string>>) {
    this.model = declared.model;
    this.declared = declared;
    this.files = files;
  }

  static #make(input: unknown, folder: string, place: string): Monitor {
    const { monitor, problems } = parseMonitor(input);
    const read = monitor === null ? { baseline: null, problems: [] } : baselineOf(monitor, folder);
    const all = [...problems, ...read.problems];
    if (monitor === null || all.length > 0) throw told(all, place);
    // What its author wrote is what is published: a later release may fill in other defaults.
    const written = input as Readonly<Record<string, unknown>>;
    const { model } = monitor;
    const files: Record<string, string> =
      read.baseline === null
        ? { [`${model}.yaml`]: stringify(written) }
        : {
            [`${model}.yaml`]: stringify({
              ...written,
              baseline: { ...(written['baseline'] as object), from: `${model}.baseline.json` },
            }),
            [`${model}.baseline.json`]: read.baseline,
          };
    const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes > CONFIG_MAP_LIMIT)
      throw told(
        [
          {
            code: 'config-map-size',
            path: 'baseline.from',
            message: 'is too large for a ConfigMap together with its monitor',
            got: `${bytes} bytes`,
            expected: `at most ${CONFIG_MAP_LIMIT} bytes`,
            fix: 'watch fewer features or bins, or leave the monitor out here and publish it with `mlmon monitor apply`',
          },
        ],
        place,
      );
    return new Monitor(monitor, files);
  }
}

function told(problems: readonly Problem[], place: string): ProblemError {
  return new ProblemError(
    problems.map((problem) => ({ ...problem, path: problem.path === '' ? place : `${place}: ${problem.path}` })),
  );
}

interface BaselineRead {
  /** Its text, compact. */
  readonly baseline: string | null;
  readonly problems: readonly Problem[];
}

function baselineOf({ baseline, model }: Declared, folder: string): BaselineRead {
  const { from } = baseline;
  if (from === undefined) return { baseline: null, problems: [] };
  const dataFile = dataFileProblem(from);
  if (dataFile !== null) return { baseline: null, problems: [dataFile] };
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(resolve(folder, from), 'utf8'));
  } catch (error) {
    return { baseline: null, problems: [unreadableFile('baseline.from', error, from)] };
  }
  const problem = baselineProblem(content, from, model);
  if (problem !== null) return { baseline: null, problems: [problem] };
  return { baseline: JSON.stringify(content), problems: [] };
}
