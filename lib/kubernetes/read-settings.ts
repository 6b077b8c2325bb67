/** A file of settings as the props of a chart, or all that is wrong in it: in the file, in the monitors that it names, and in what they make together. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import { schemaProblems } from '../contracts/schema-problems.ts';
import { yamlProblems } from '../contracts/yaml-problems.ts';
import { chartProblems } from './chart-problems.ts';
import type { ModelMonitoringChartProps } from './chart-props.ts';
import { Monitor } from './monitor.ts';
import { chartPropsOf, type Settings, settingsSchema } from './settings.ts';

/** @throws ProblemError with all problems of the file, of the monitors that it names, and of the chart */
export function readSettings(file: string): ModelMonitoringChartProps {
  const input = contentOf(file);
  const found: Problem[] = [];
  const { settings, problems, left } = judged(input);
  found.push(...problems);
  const read = monitorsOf(settings?.monitors ?? [], dirname(resolve(file)));
  if (settings !== null) {
    const props = chartPropsOf(settings, read.monitors);
    // What depends on a part that was left out is judged once that part is right.
    found.push(
      ...chartProblems(props)
        .map(inSettings)
        .filter(({ path }) => !left.has(path.split('.')[0] ?? '')),
    );
    if (found.length + read.problems.length === 0) return props;
  }
  throw new ProblemError([
    ...found.map((problem) => ({ ...problem, path: problem.path === '' ? file : `${file}: ${problem.path}` })),
    // They say themselves which file they are of.
    ...read.problems,
  ]);
}

/** @throws ProblemError where it cannot be read as YAML */
function contentOf(file: string): unknown {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ProblemError([
      {
        code: 'file',
        path: file,
        message: 'cannot be read',
        got: (error as NodeJS.ErrnoException).code,
        expected: 'a YAML file with log, store and monitors',
        fix: 'begin with environments/kubernetes/example.yaml',
      },
    ]);
  }
  const document = parseDocument(content, { prettyErrors: true });
  if (document.errors.length > 0) throw new ProblemError(yamlProblems(document.errors, file));
  return document.toJS({ maxAliasCount: 20 }) ?? {};
}

interface Judged {
  /** What is right of it, so that the rest can be judged too; `null` where that is too little. */
  readonly settings: Settings | null;
  readonly problems: readonly Problem[];
  /** Keys that are left out of `settings`. */
  readonly left: ReadonlySet<string>;
}

/** In place of a log or a store that is wrong. */
const PLACEHOLDERS = {
  log: { kafka: { brokers: ['kafka:9092'] } },
  store: { s3: { bucket: 'bucket' } },
  monitors: [],
} as const;

function judged(input: unknown): Judged {
  const whole = settingsSchema.safeParse(input);
  if (whole.success) return { settings: whole.data, problems: [], left: new Set() };
  const problems = schemaProblems(settingsSchema, input, whole.error.issues);
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { settings: null, problems, left: new Set() };
  const left = new Set(
    whole.error.issues.flatMap((issue) =>
      issue.path.length > 0 ? [String(issue.path[0])] : issue.code === 'unrecognized_keys' ? issue.keys : [],
    ),
  );
  const rest = Object.fromEntries(Object.entries(input).filter(([key]) => !left.has(key)));
  return { settings: settingsSchema.safeParse({ ...PLACEHOLDERS, ...rest }).data ?? null, problems, left };
}

function monitorsOf(
  paths: readonly string[],
  folder: string,
): { readonly monitors: readonly Monitor[]; readonly problems: readonly Problem[] } {
  const monitors: Monitor[] = [];
  const problems: Problem[] = [];
  for (const path of paths) {
    const place = resolve(folder, path);
    const there = statSync(place, { throwIfNoEntry: false });
    if (there === undefined) {
      const fix = 'mend the path, which is seen from the file that names it';
      problems.push({
        code: 'file',
        path: place,
        message: 'is not there',
        expected: 'a monitor, or a folder of them',
        fix,
      });
      continue;
    }
    try {
      monitors.push(...(there.isDirectory() ? Monitor.fromFolder(place) : [Monitor.fromFile(place)]));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      problems.push(...error.problems);
    }
  }
  return { monitors, problems };
}

/** Where the file has what the props of the chart have. */
function inSettings(problem: Problem): Problem {
  return { ...problem, path: problem.path.replace(/^log(?=\.|$)/, 'log.kafka').replace(/^store(?=\.|$)/, 'store.s3') };
}
